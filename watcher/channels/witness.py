"""Sees what the libraries below Apprise see, since Apprise itself only says "failed".

Two places are watched, for the thread of one send only: `requests.Session.send`, through which every HTTP plugin
goes (status, `Retry-After`, exception), and the log of Apprise, whose records are written while the exception of any
other library is being handled. The log's texts hold URLs, topics and payloads, so it ends here and goes nowhere else.
The first is also the place where a session of `requests` gets the connections that the channel keeps, and where it is
seen to that an answer has an end.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from time import monotonic
from typing import Any, TypeAlias

import requests
from urllib3.exceptions import HTTPError

from watcher.channels.kept import Kept, keep

LARGEST_ANSWER = 1024 * 1024
"""Bytes of an answer that are read; no service has more to say of a message."""

REST_WITHIN = 10.0
"""Seconds that the rest of an answer may come in once its status is there. Without this, one that never comes to an end
(somebody's event stream) would hold the channel for ever.
"""

_TALKATIVE = ("urllib3", "requests", "requests_oauthlib", "oauthlib")  # paths, headers and tokens, at DEBUG or WARNING
_MARK = "_watcher_observed"


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer, whole."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class MailRefused:
    """A mail server's refusal of one recipient of a mail that it took for others."""

    code: int


Sight: TypeAlias = Answered | MailRefused | BaseException

_sights: ContextVar[list[Sight] | None] = ContextVar("sights", default=None)
_kept: ContextVar[Kept | None] = ContextVar("kept", default=None)


@contextmanager
def watching(kept: Kept | None = None) -> Iterator[list[Sight]]:
    """Collect what is seen in this thread until the block ends, in order; requests go over what is kept."""
    muffle()
    seen: list[Sight] = []
    token, line = _sights.set(seen), _kept.set(kept)
    try:
        yield seen
    finally:
        _sights.reset(token)
        _kept.reset(line)


def muffle() -> None:
    """Make Apprise's log end here, and start observing; doing it again changes nothing."""
    log = logging.getLogger("apprise")
    if not any(isinstance(known, _Listener) for known in log.filters):
        log.addFilter(_Listener())
    _set_level(log, logging.DEBUG)  # some plugins speak of an exception at this level only
    for name in _TALKATIVE:
        _set_level(logging.getLogger(name), logging.ERROR)
    if not hasattr(requests.Session.send, _MARK):
        requests.Session.send = _observed(requests.Session.send)  # type: ignore[method-assign]  # there is no hook for it


def _set_level(log: logging.Logger, level: int) -> None:
    if log.level != level:  # setting it makes all loggers forget what they had worked out
        log.setLevel(level)


class _Listener(logging.Filter):
    """Notes what a record is about and lets none through, so that no handler anywhere gets to write it."""

    def filter(self, record: logging.LogRecord) -> bool:
        seen = _sights.get()
        if seen is not None:
            _note(seen, record)
        return False


def _note(seen: list[Sight], record: logging.LogRecord) -> None:
    problem = sys.exc_info()[1]
    if isinstance(problem, OSError) and not isinstance(problem, requests.exceptions.InvalidJSONError):
        if not any(problem is known for known in seen):
            seen.append(problem)
    elif str(record.msg).startswith("SMTP recipient %s was refused") and isinstance(record.args, tuple):
        seen.append(MailRefused(int(str(record.args[1]))))


def _observed(send: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    @wraps(send)
    def observed(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen = _sights.get()
        if seen is None:
            return send(session, request, **options)
        if kept := _kept.get():
            keep(session, request.url, kept)
        try:
            answer = send(session, request, **(options | {"stream": True}))
            if not options.get("stream"):
                _read(answer)
        except requests.RequestException as problem:
            seen.append(problem)
            raise
        seen.append(Answered(answer.status_code, answer.headers.get("Retry-After")))
        return answer

    setattr(observed, _MARK, True)
    return observed


def _read(answer: requests.Response) -> None:
    """Read an answer to its end, but only so much and for so long. Raises ConnectionError of `requests`."""
    pieces: list[bytes] = []
    left, until = LARGEST_ANSWER, monotonic() + REST_WITHIN
    try:
        while piece := answer.raw.read1(64 * 1024, decode_content=True):
            pieces.append(piece)
            left -= len(piece)
            if left < 0 or monotonic() > until:
                answer.raw.close()
                break
    except HTTPError as problem:
        raise requests.ConnectionError(problem, request=answer.request, response=answer) from problem
    answer.raw = BytesIO(b"".join(pieces))
