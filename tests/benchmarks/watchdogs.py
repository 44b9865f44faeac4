"""What the watchdogs cost beside the looks: `python -m tests.benchmarks.watchdogs`.

A thousand nightly jobs on v8, looked at every 30 seconds, and the watchdogs' passes of one hour, by a clock that jumps.
The server is `tests.benchmarks.canned`, in a process of its own; CPU is that of our process, database included.
"""

import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import anyio

from tests.benchmarks.watch import ROUNDS, Watching, canned, cpu
from watcher.clock import now
from watcher.core.model import Schedule
from watcher.core.policy import plain
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.limits import Rulebook
from watcher.core.watchdog.survey import Part, Parts
from watcher.guard import Guard, guard_once

JOBS = 1000
INTERVAL = timedelta(seconds=30)
LOOKS_A_PASS = 2
PASSES = 60


class Counting:
    """A server whose parts may be left unread, and that counts how often they are asked for."""

    def __init__(self, side: Watching, *, reads: bool) -> None:
        self.side, self.reads, self.asked = side, reads, 0
        self.want_jobs, self.jobs_read = side.server.want_jobs, side.server.jobs_read

    async def survey(self, wanted: Iterable[Part]) -> Parts:
        parts = tuple(wanted)
        self.asked += len(parts)
        return await self.side.server.survey(parts) if self.reads else Parts()


def enrich(side: Watching) -> None:
    """Give the jobs what the canned server leaves out: a schedule, a next run some hours ahead, a good end."""
    begin, names = now(), side.server._names
    names._jobs.rows = [
        replace(
            row,
            job=replace(
                row.job,
                enabled=True,
                schedule=Schedule("daily", "everyday"),
                next_run=begin + timedelta(hours=2, seconds=60 * number),
                last_backup=begin - timedelta(hours=3),
            ),
        )
        for number, row in enumerate(names._jobs.rows)
    ]


async def an_hour(side: Watching, begin: datetime, *, reads: bool, changes: bool = False) -> tuple[float, int]:
    """Return the CPU seconds of a pass, on average over an hour, and how many requests there were."""
    source = Counting(side, reads=reads)
    guard = Guard(side.watch, source, side.store, Rulebook(), INTERVAL)
    policy, began = plain(EVENTS, {"hook": ("hook",)}), 0.0
    for minute in range(PASSES + 1):
        moment = begin + minute * timedelta(minutes=1)
        assert side.watch.record is not None
        side.watch.record = replace(side.watch.record, last_success=moment)
        if changes:
            guard.grounds = None
        if minute == 1:  # the first pass is that of the start
            began, source.asked = time.process_time(), 0
        await guard_once(guard, policy, now=moment)
    return (time.process_time() - began) / PASSES, source.asked


async def compare(folder: Path) -> None:
    """Print what looks and passes cost."""
    with canned(JOBS, jobs=JOBS) as url:
        side = Watching(url, "v8", folder)
        await side.look()
        enrich(side)
        for _ in range(3):
            await side.look()
        assert len(side.watch.jobs) == JOBS
        rounds = []
        for _ in range(ROUNDS):
            look = await cpu(side.look)
            idle, _ = await an_hour(side, now(), reads=False)
            reading, asked = await an_hour(side, now(), reads=True)
            busy, _ = await an_hour(side, now(), reads=False, changes=True)
            rounds.append((look, idle, reading, busy))
        look, idle, reading, busy = (median(column) for column in zip(*rounds, strict=True))
        await side.close()
    share, with_reading = idle / LOOKS_A_PASS / look, reading / LOOKS_A_PASS / look
    print(f"{JOBS} jobs, idle: a look {look * 1e3:.2f} ms; the rules {idle / LOOKS_A_PASS * 1e3:.3f} ms a look")
    print(f"that is {share:.1%} of the looks (10 %); with {asked} requests an hour for the rest {with_reading:.1%}")
    print(f"all of them judged anew, once a minute at most: {busy * 1e3:.1f} ms")


def main() -> None:
    """Run it in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(compare, Path(folder))


if __name__ == "__main__":
    main()
