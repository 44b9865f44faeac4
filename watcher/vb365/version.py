"""Which wire version to speak: the newest that the server serves, found by asking and never by guessing."""

import logging
from dataclasses import dataclass

from watcher.core.model import Failure, LookFailed
from watcher.vb365.access import Access
from watcher.vb365.api import Api
from watcher.vb365.dialect import DIALECTS
from watcher.vb365.faults import NotFoundError
from watcher.vb365.http import Http
from watcher.vb365.login import Login
from watcher.vb365.pages import rows_of

logger = logging.getLogger(__name__)

_OF_THE_MOMENT = {Failure.SERVER_ERROR, Failure.BUSY, Failure.TIMEOUT, Failure.BAD_ANSWER, Failure.UNREACHABLE}


@dataclass(frozen=True, slots=True)
class Found:
    """The version to speak. `doubt`: its login was accepted, but its listing fails for now, so no look is possible."""

    api: Api
    doubt: LookFailed | None = None


async def find_version(http: Http, login: Login, access: Access) -> Found:
    """Find the version to speak, v8 downwards, or take the one that the settings name.

    Only a 404 of the token endpoint or of the session listing moves on to the next; anything else raises LookFailed,
    but for a listing that fails behind a login that works: a server can be met while it is ill.
    """
    names = (access.api_version,) if access.is_fixed else tuple(DIALECTS)
    for name in names:
        if (dialect := DIALECTS.get(name)) is None:
            continue
        api = Api(http, login, dialect)
        try:
            if await _serves(api):
                return Found(api)
        except LookFailed as failure:
            if not login.is_done or failure.kind not in _OF_THE_MOMENT:
                raise
            return Found(api, failure)
    if access.is_fixed:
        mend = "set WATCHER_API_VERSION to auto, or to a version that it serves"
        raise LookFailed(Failure.NO_VERSION, f"{access.base}: does not serve {access.api_version}; {mend}")
    text = f"{access.base}: serves none of {', '.join(names)}; is this the address of VB365's REST API?"
    raise LookFailed(Failure.NO_VERSION, text)


async def find_newer(api: Api) -> Api | None:
    """Look for a version above the one in use, with the token at hand; None unless one is surely served.

    A server in the middle of its upgrade may answer anything: that is no reason to give up a version that works.
    """
    for dialect in DIALECTS.values():
        if dialect is api.dialect:
            return None
        newer = Api(api.http, api.login, dialect)
        try:
            if await _serves(newer):
                return newer
        except LookFailed as failure:
            if failure.kind == Failure.LOGIN_REFUSED:
                raise
            logger.info("%s; staying with %s", failure, api.dialect.version)
            return None
    return None


async def _serves(api: Api) -> bool:
    resource, params = api.dialect.probe
    try:
        answer = await api.get(resource, params)
    except NotFoundError:
        return False
    rows_of(answer)
    return True
