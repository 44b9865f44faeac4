"""Many small loops that one task waits for."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import pytest
import trio.testing

from watcher.clock import Clock
from watcher.daemon.turns import Turns


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Let hours pass in no time."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@dataclass
class Scripted:
    """Rests as it is told, takes so long for a turn, and writes down when each began."""

    pause: Callable[[], float] = lambda: 0.0
    takes: float = 0.0
    rest: float = 10.0
    began: list[float] = field(default_factory=list)
    active: int = 0

    def rests(self) -> float:
        return self.pause()

    async def take(self) -> float:
        assert self.active == 0, "twice at once"
        self.active += 1
        self.began.append(anyio.current_time())
        await anyio.sleep(self.takes)
        self.active -= 1
        return self.rest


async def times(*turns: Scripted, within: float = 35.0, speed: float = 1.0) -> list[list[float]]:
    """Run turns for a while; return when each began, from the start."""
    start = anyio.current_time()
    with anyio.move_on_after(within):
        await Turns(Clock(speed=speed)).run(turns)
    return [[round(moment - start, 1) for moment in turn.began] for turn in turns]


async def test_each_rests_for_itself_and_a_long_turn_holds_up_nobody() -> None:
    """A turn's rest begins at its end."""
    assert await times(Scripted(), Scripted(takes=20), Scripted(rest=25)) == [
        [0.0, 10.0, 20.0, 30.0],
        [0.0, 30.0],
        [0.0, 25.0],
    ]


async def test_one_that_is_due_sooner_than_the_others_is_not_waited_for_them() -> None:
    """Its turn ends while the task sleeps until another's."""
    assert await times(Scripted(rest=30), Scripted(takes=1, rest=2)) == [
        [0.0, 30.0],
        [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0, 27.0, 30.0, 33.0],
    ]


async def test_where_there_is_nothing_to_do_no_turn_is_taken() -> None:
    """It is asked again after the rest that it named."""
    pauses = iter([4.0, 4.0, 0.0, 100.0])
    assert await times(Scripted(lambda: next(pauses)), within=60) == [[8.0]]


async def test_rests_are_seconds_of_the_clock() -> None:
    """A clock that runs ten times as fast lets turns come ten times as often."""
    assert await times(Scripted(), within=3.5, speed=10) == [[0.0, 1.0, 2.0, 3.0]]


async def test_nobody_to_wait_for_is_fine() -> None:
    """It waits all the same."""
    assert await times(within=10_000) == []


async def test_what_a_turn_raises_ends_them_all() -> None:
    """An error that nobody expects is not swallowed."""

    class Broken(Scripted):
        async def take(self) -> float:
            raise RuntimeError

    with pytest.raises(ExceptionGroup) as raised:
        await times(Broken(), Scripted())
    assert raised.group_contains(RuntimeError)
