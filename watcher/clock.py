"""The one place that reads the clock and the one place that sleeps for long."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio


def now() -> datetime:
    """Return this machine's time, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the place the rule speaks of


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock whose seconds may pass faster than real ones: the demo lives a week in minutes.

    `now` gives the time, aware and in UTC; `speed` says how many of its seconds pass in a real one.
    """

    now: Callable[[], datetime] = now
    speed: float = 1.0

    def ticks(self) -> float:
        """Return the seconds of this clock since some moment; nobody can set them back."""
        return anyio.current_time() * self.speed

    async def wait(self, event: anyio.Event, seconds: float) -> bool:
        """Wait for an event, so many seconds of this clock at the most; return whether it came."""
        with anyio.move_on_after(max(0.0, seconds) / self.speed):
            await event.wait()
        return event.is_set()

    async def sleep(self, seconds: float) -> None:
        """Sleep for so many seconds of this clock."""
        await anyio.sleep(max(0.0, seconds) / self.speed)


def sped_up(speed: float, *, start: datetime) -> Clock:
    """Return a clock that shows `start` now and runs `speed` times as fast as this machine's."""
    began = now()
    return Clock(lambda: start + (now() - began) * speed, speed)
