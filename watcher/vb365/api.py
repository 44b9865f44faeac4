"""GETs of one wire version: with our token, and with every status judged before its body is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from watcher.core.model import Failure, LookFailed
from watcher.vb365.dialect import Dialect
from watcher.vb365.faults import NotFoundError
from watcher.vb365.http import Answer, Http, Request, Sink
from watcher.vb365.login import Login


@dataclass(frozen=True, slots=True)
class Api:
    """One server, spoken to in one wire version.

    `ends` remembers of each listing the ids of its last page, as an empty page after it proved it to be the last.
    `firsts` remembers of each listing of sessions the bytes of its first page and what they were read as: an idle
    server's answer is the same for hours, and comparing is a hundred times cheaper than decoding. `said`: what the log
    was told once.
    """

    http: Http
    login: Login
    dialect: Dialect
    ends: dict[str, frozenset[str]] = field(default_factory=dict)
    firsts: dict[str, tuple[bytes, Any, Any]] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    async def get(
        self,
        resource: str,
        params: Mapping[str, str] | None = None,
        *,
        hold: float = 0.0,
        sink: Callable[[], Sink] | None = None,
        takes: frozenset[int] = frozenset(),
    ) -> Answer:
        """GET a resource and return its answer of 2xx; raises LookFailed, NotFoundError for a 404.

        A 401 often has an empty body and means that the token went out: one login and one more try are made. `hold`:
        for how many seconds the server may keep its answer; others may be asked for then. `sink`, `takes`: as in
        `Request`.
        """
        question = Request("GET", self.dialect.path(resource), params or {}, hold=hold, sink=sink, takes=takes)
        answer = await self._ask(question)
        if answer.status == 401:
            answer = await self._ask(question)
        if 200 <= answer.status < 300 or answer.status in takes:
            return answer
        if answer.status == 404:
            raise NotFoundError(Failure.NO_VERSION, answer.said)
        if answer.status in {401, 403}:
            raise LookFailed(Failure.UNAUTHORIZED, f"{answer.said}, after a login that was accepted")
        if 300 <= answer.status < 400:
            raise LookFailed(Failure.BAD_ANSWER, f"{answer.said}: redirects are not followed")
        raise LookFailed(Failure.BAD_ANSWER, answer.said)

    async def _ask(self, question: Request) -> Answer:
        token = await self.login.token(self.dialect)
        answer = await self.http.send(replace(question, bearer=token))
        if answer.status == 401:
            self.login.drop(token)
        return answer
