"""Pages that follow what happens: server-sent events with the parts that changed, written once for all who look."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

import anyio

from watcher.core.jsonview import dump
from watcher.web.frame import AS_OF, Part
from watcher.web.guard import one_line

LOOK_EVERY = 1.0
KEEP_ALIVE_EVERY = 15.0
MOST_STREAMS = 32
_REST = 10.0  # writing rests ten times as long as it took, so that all who look cost no more than a tenth of a core

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """The parts of one page, as they were at a pulse of the store or a little later; `mark` tells them from others."""

    pulse: str
    parts: tuple[Part, ...]
    mark: str


@dataclass(slots=True)
class Live:
    """What all streams share: the last pulse, the pages as they were written last, and the sign to end.

    The store is asked for its pulse once a second at the most, however many look, and not at all if nobody does.
    """

    take_pulse: Callable[[], Awaitable[str]]
    stopping: anyio.Event = field(default_factory=anyio.Event)
    _pulse: str = ""
    _taken: float = float("-inf")
    _rests_until: float = float("-inf")
    _written: dict[str, Written] = field(default_factory=dict)
    _followers: Counter[str] = field(default_factory=Counter)
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def is_full(self) -> bool:
        """Whether there are as many streams as there may be."""
        return self._followers.total() >= MOST_STREAMS

    async def pulse(self) -> str:
        """Return the store's pulse, at most a second old."""
        async with self._lock:
            if anyio.current_time() - self._taken >= LOOK_EVERY * 0.9:
                self._pulse = await self.take_pulse()
                self._taken = anyio.current_time()
            return self._pulse

    async def follow(
        self, address: str, seen: str, write: Callable[[], Awaitable[tuple[Part, ...]]]
    ) -> AsyncIterator[str]:
        """Yield, as events of a stream, what is not as in the page marked `seen`, until it is time to stop.

        What a browser has is known by what is in it and by no pulse: that may be a second old, and the page younger.
        """
        self._followers[address] += 1
        try:
            yield f"retry: {int(LOOK_EVERY * 2000)}\n\n"
            shown: dict[str, str] = {}
            last: Written | None = None
            quiet = anyio.current_time()
            while not self.stopping.is_set():
                written = await self._next(address, write)
                if written is not None and written is not last:
                    is_known = last is None and written.mark == seen  # the browser has just loaded it
                    last = written
                    events = list(_changes(shown, written.parts))
                    if events and not is_known:
                        quiet = anyio.current_time()
                        sent = "".join(f"event: part\ndata: {event}\n\n" for event in events)
                        yield f"{sent}id: {written.mark}\ndata:\n\n"
                if anyio.current_time() - quiet >= KEEP_ALIVE_EVERY:
                    quiet = anyio.current_time()
                    yield ": still here\n\n"
                with anyio.move_on_after(LOOK_EVERY):
                    await self.stopping.wait()
        finally:
            self._leave(address)

    def _leave(self, address: str) -> None:
        """Forget a page that nobody follows any more."""
        self._followers[address] -= 1
        if self._followers[address] <= 0:
            del self._followers[address]
            self._written.pop(address, None)

    async def _next(self, address: str, write: Callable[[], Awaitable[tuple[Part, ...]]]) -> Written | None:
        """Return the page as it is now; None if it cannot be read, or not yet."""
        try:
            return await self._page(address, await self.pulse(), write)
        except Exception as error:  # noqa: BLE001 - a database that is busy ends no stream; the next look may succeed
            _log.debug("a page that is followed could not be read: %s", one_line(error))
            return None

    async def _page(self, address: str, pulse: str, write: Callable[[], Awaitable[tuple[Part, ...]]]) -> Written | None:
        async with self._lock:
            before, began = self._written.get(address), anyio.current_time()
            if before is not None and before.pulse == pulse:
                return before
            if began < self._rests_until:
                return None
            parts = await write()
            written = Written(pulse, parts, mark_of(parts))
            ended = anyio.current_time()
            self._rests_until = ended + _REST * (ended - began)
            self._written[address] = written
            return written


def mark_of(parts: Iterable[Part]) -> str:
    """Return what tells parts from others: a hash of all but the time at which they were written."""
    digest = blake2b(digest_size=12)
    for part in parts:
        if part.name != AS_OF:
            digest.update(f"{part.name}\n{part.html}\n".encode(errors="replace"))
    return digest.hexdigest()


def _changes(shown: dict[str, str], parts: tuple[Part, ...]) -> Iterator[str]:
    """Yield the pieces that are not as they were shown, and take down that they are now."""
    for part in parts:
        if not part.rows:
            if _note(shown, part.name, part.html):
                yield dump({"id": part.name, "html": part.html})
            continue
        is_whole = _note(shown, part.name, "\n".join((part.around, *(name for name, _ in part.rows))))
        changed = [(name, html) for name, html in part.rows if _note(shown, name, html)]
        if is_whole:
            yield dump({"id": part.name, "html": part.html})
        else:
            yield from (dump({"id": name, "html": html}) for name, html in changed)


def _note(shown: dict[str, str], name: str, html: str) -> bool:
    mark = blake2b(html.encode(errors="replace"), digest_size=12).hexdigest()
    if shown.get(name) == mark:
        return False
    shown[name] = mark
    return True
