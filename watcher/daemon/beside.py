"""What goes on beside the looks at a server: listening to its events, sweeping, showing how far a long reading is.

None of it tells anything to a channel.
"""

from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from watcher.core.model import LookFailed
from watcher.daemon.loops import Loops
from watcher.daemon.reading import Bars, sentence
from watcher.listen import Feed, Outcome, listen_once
from watcher.store import StoreError
from watcher.sweep import is_due, sweep_once
from watcher.vb365.server import Server
from watcher.watch import Watch

LISTEN_AFTER = 0.2
BETWEEN_EVENTS = 0.1
BETWEEN_NUDGES = 5.0
HASTE = 1.0
LONGEST_HASTE = 30.0
LONGEST_DEAFNESS = 300.0
NO_FEED_FOR = 3600.0
LOOK_AT_READING_EVERY = 0.2
NOTE_READING_EVERY = 1.0
SAY_READING_EVERY = 10.0
SWEEP_LOOKED_AT_EVERY = 15.0


@dataclass(slots=True)
class Nudge:
    """Wakes a server's looks for what says only that it has changed: at once, then every few seconds at the most.

    A restore may say so for every item. Its last word is its end, so a nudge that comes too early is kept, not lost.
    """

    watch: Watch
    tasks: TaskGroup
    due: float = 0.0
    is_kept: bool = False

    def give(self) -> None:
        """Wake the looks as soon as that may be."""
        if not self.is_kept:
            self.is_kept = True
            self.tasks.start_soon(self._wake)

    async def _wake(self) -> None:
        await anyio.sleep_until(self.due)
        self.is_kept, self.due = False, anyio.current_time() + BETWEEN_NUDGES
        self.watch.wake.set()


@dataclass(slots=True)
class Listening:
    """Hears one server's event feed, where it has one: its looks come at once then, and not by the clock. A `Turn`.

    `pause`: real seconds until it listens again. `hasty`: how many answers came at once and with nothing.
    """

    loops: Loops
    watch: Watch
    feed: Feed
    nudge: Nudge
    pause: float = 0.0
    hasty: int = 0

    def rests(self) -> float:
        """Wait for the first look that succeeds."""
        record = self.watch.record
        is_known = record is not None and record.last_success is not None
        return 0.0 if is_known else LISTEN_AFTER * self.loops.clock.speed

    async def take(self) -> float:
        """Listen once; return when to do so again."""
        name, began = self.watch.watched.name, anyio.current_time()
        try:
            outcome = await listen_once(self.watch, self.feed)
        except LookFailed as failure:
            self.pause = min(max(1.0, 2 * self.pause), LONGEST_DEAFNESS) * self.loops.rng.uniform(0.8, 1.2)
            self.loops.telling.feed(name, str(failure), self.pause)
        else:
            if outcome is Outcome.STIR:
                self.nudge.give()
            is_hasty = outcome is Outcome.IDLE and anyio.current_time() - began < HASTE
            self.hasty = self.hasty + 1 if is_hasty else 0
            self.pause = _pause_after(outcome, self.hasty)
            self.loops.telling.feed(name, None, NO_FEED_FOR if outcome is Outcome.NO_FEED else 0.0)
        return self.pause * self.loops.clock.speed


@dataclass(frozen=True, slots=True)
class Sweeping:
    """Sweeps one server every few hours. A `Turn`."""

    loops: Loops
    watch: Watch
    source: Server

    def rests(self) -> float:
        """Look whether it is time, now and then."""
        is_time = self.watch.has_looked and is_due(self.watch, self.loops.clock.now())
        return 0.0 if is_time else self._pause()

    async def take(self) -> float:
        """Sweep; return when to look again whether it is time."""
        name, loops = self.watch.watched.name, self.loops
        try:
            missed = await sweep_once(self.watch, self.source, loops.bench.store, now=loops.clock.now())
            loops.telling.swept(name, missed)
        except LookFailed as failure:
            loops.telling.sweep_failed(name, failure)
        except StoreError as error:
            loops.store_failed(f"poll {name}", error)
        return self._pause()

    def _pause(self) -> float:
        return SWEEP_LOOKED_AT_EVERY * self.loops.rng.uniform(0.8, 1.2)


@dataclass(frozen=True, slots=True)
class Showing:
    """Shows how far first looks are, where they have a long history to read."""

    loops: Loops
    bars: Bars = field(default_factory=Bars)

    async def show_reading(self, watch: Watch, source: Server) -> None:
        """Show how far the first look is, where that has a long history to read."""
        name = watch.watched.name
        try:
            await self._show_reading(name, watch, source)
        finally:
            self.bars.done(name)  # also when it is being ended: a bar hides the terminal's cursor

    async def _show_reading(self, name: str, watch: Watch, source: Server) -> None:
        said = noted = anyio.current_time()
        while not watch.has_looked:
            await anyio.sleep(LOOK_AT_READING_EVERY)
            reading, moment = source.reading, anyio.current_time()
            if reading is None:
                continue
            self.bars.show(name, reading)
            if moment - said >= SAY_READING_EVERY:
                said = moment
                self.loops.telling.reading(name, sentence(reading))
            if moment - noted >= NOTE_READING_EVERY:
                noted = moment
                await self._note(name, sentence(reading))

    async def _note(self, name: str, words: str) -> None:
        try:
            await self.loops.bench.run_db(lambda: self.loops.bench.store.note_reading(name, words))
        except StoreError as error:
            self.loops.store_failed(f"poll {name}", error)


def _pause_after(outcome: Outcome, hasty: int) -> float:
    """Return how long to wait before listening again, in seconds.

    A server that keeps its answer back is listened to at once; one that answers at once that nothing has happened, so
    many times in a row, ever more seldom; and one whose sessions only make progress, a few times a second.
    """
    if outcome is Outcome.NO_FEED:
        return NO_FEED_FOR
    if hasty:
        return min(HASTE * (1 << min(hasty - 1, 10)), LONGEST_HASTE)
    return BETWEEN_EVENTS if outcome in {Outcome.QUIET, Outcome.STIR} else 0.0
