"""What a server says of itself in /ServiceInstance. Sources: OpenAPI files of v6 to v8; undocumented before."""

import logging
from dataclasses import dataclass

from watcher.core.model import Failure, LookFailed
from watcher.vb365.api import Api
from watcher.vb365.decode import UnreadableError, fields, text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The installation's id, which stays over upgrades and renames, and the product's build (`8.4.0.1457`)."""

    installation_id: str | None = None
    version: str | None = None


async def read_service(api: Api) -> Service | None:
    """Read /ServiceInstance; None where it fails or is odd, on any version. Raises only a refused login."""
    try:
        answer = await api.get("ServiceInstance")
        row = fields(answer.body)
    except LookFailed as failure:
        if failure.kind == Failure.LOGIN_REFUSED:
            raise
        logger.debug("%s; going on without it", failure)
        return None
    except UnreadableError as error:
        logger.debug("%s: %s; going on without it", answer.where, error)
        return None
    service = Service(text(row.get("installationid")), text(row.get("version")))
    return None if service == Service() else service
