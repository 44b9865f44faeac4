"""When a destination is sick, and who hears of it."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.core.factories import T0
from watcher.core.delivery import Sent, Verdict
from watcher.core.policy import plain
from watcher.core.sickness import GIVEN_UP, KEPT, WELL, Attempt, Condition, Notice, Place, notice

_WORDS = frozenset({"channel.failing", "channel.recovered"})
OTHERS = plain(_WORDS, {"ops": ("a",), "mail": ("b", "c"), "chat": ("d",)})
GOOD, DOWN, NO = Verdict(Sent.DELIVERED), Verdict(Sent.TRY_AGAIN, "answered 500"), Verdict(Sent.REFUSED, "answered 401")
BUSY = Verdict(Sent.WAIT_UNTIL, "answered 429", 60)


class Town:
    """The conditions of all destinations over a run of attempts, and what was told."""

    def __init__(self) -> None:
        self.conditions: dict[Place, Condition] = {}
        self.told: list[Notice] = []

    def attempt(self, verdict: Verdict, second: float, *, channel: str = "ops", place: str = "a") -> list[str]:
        found = notice(channel, [Attempt(place, verdict)], self.conditions, OTHERS, T0 + timedelta(seconds=second))
        self.conditions |= found.conditions
        self.told.append(found)
        return [f"{row.channel}/{row.destination}" for row in found.owed]


def test_three_failures_over_half_a_minute_are_told_once() -> None:
    """Every other channel hears of it, by each of its destinations, and hears once that it is over."""
    town = Town()
    assert [town.attempt(DOWN, second) for second in (0, 10, 29)] == [[], [], []]
    assert town.attempt(DOWN, 31) == ["mail/b", "mail/c", "chat/d"]
    assert town.attempt(DOWN, 60) == []
    assert town.attempt(GOOD, 90) == ["mail/b", "mail/c", "chat/d"]
    assert town.attempt(GOOD, 91) == []
    assert [event.type for found in town.told for event in found.events] == ["channel.failing", "channel.recovered"]


def test_a_refusal_is_told_at_once() -> None:
    """A wrong token does not get better."""
    town = Town()
    assert town.attempt(NO, 0) == ["mail/b", "mail/c", "chat/d"]
    (event,) = town.told[0].events
    assert event.reason == f"a: answered 401. {GIVEN_UP}"


def test_what_becomes_of_its_messages_is_said_as_it_is() -> None:
    """What failed for half a minute is kept and tried again; only what was refused is given up."""
    town = Town()
    for second in (0, 10, 31):
        town.attempt(DOWN, second)
    (event,) = town.told[-1].events
    assert event.reason == f"a: {DOWN.reason}. {KEPT}"


def test_few_failures_or_a_busy_receiver_are_no_sickness() -> None:
    """A hiccup is not told, nor is a receiver that says when to come back."""
    town = Town()
    for second in range(0, 600, 10):
        assert town.attempt(DOWN if second % 20 else GOOD, second) == []
    for second in range(600, 1200, 10):
        assert town.attempt(BUSY, second) == []


def test_the_sick_are_not_told_of_each_other() -> None:
    """What is itself sick would only get one more row that it cannot have."""
    town = Town()
    town.attempt(NO, 0, channel="mail", place="b")
    assert town.attempt(NO, 1) == ["mail/c", "chat/d"]


def test_one_bad_address_does_not_make_the_others_sick_and_well() -> None:
    """Each destination of a channel has its own health."""
    town = Town()
    town.attempt(NO, 0, channel="mail", place="b")
    for second in range(1, 50):
        assert town.attempt(GOOD, second, channel="mail", place="c") == []
        assert town.attempt(NO, second, channel="mail", place="b") == []


def test_what_notify_on_leaves_out_is_not_told_but_kept() -> None:
    """The state is known all the same."""
    found = notice("ops", [Attempt("a", NO)], {}, plain(frozenset(), OTHERS.channels), T0)
    assert (found.events, found.owed) == ((), ())
    assert found.conditions[("ops", "a")].sick_since == T0


@given(st.lists(st.tuples(st.sampled_from([GOOD, DOWN, NO, BUSY]), st.integers(1, 60)), max_size=40))
def test_failing_and_recovered_take_turns(story: list[tuple[Verdict, int]]) -> None:
    """Over any run of attempts each change is told once, and the last one told is how it stands."""
    town, now = Town(), 0
    for verdict, pause in story:
        now += pause
        town.attempt(verdict, now)
    events = [event for found in town.told for event in found.events]
    assert [event.type for event in events] == [
        ("channel.failing", "channel.recovered")[n % 2] for n in range(len(events))
    ]
    assert bool(town.conditions.get(("ops", "a"), WELL).sick_since) == (len(events) % 2 == 1)
    assert len({event.id for event in events}) == len(events)
