"""When a server that does not answer is told of, and when it is not."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.factories import HQ, T0, at
from watcher.core.followup import Diary, follow_up
from watcher.core.match import Match
from watcher.core.model import Failure
from watcher.core.policy import Policy, Route
from watcher.core.reach import GRACE, Reach, news_of, still_holds
from watcher.core.render import Format, Style, render
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS

POLICY = Policy((Route("r", EVENTS),), {"ops": ("a",)})
SECOND = timedelta(seconds=1)


class Town:
    """A server that is looked at every minute, and what is told of it."""

    def __init__(self) -> None:
        self.reach = Reach(1, HQ, error="no route")
        self.told: list[tuple[float, str]] = []
        self.words: list[str] = []
        self.silences: tuple[Silence, ...] = ()

    def look(self, minute: float, failure: Failure | None = None) -> None:
        since = (self.reach.failing_since or at(minute)) if failure else None
        self.reach = replace(
            self.reach, last_poll=at(minute), failing_since=since, failure=failure or "", error="no route"
        )
        self.pass_by(minute)

    def pass_by(self, minute: float) -> None:
        found = follow_up(Diary(servers=(self.reach,), silences=self.silences), POLICY, at(minute))
        for one in found.servers:
            self.reach = one
        self.told += [(minute, event.type.removeprefix("server.")) for _, event in found.events if found.owed]
        self.words += [render((event,), Style(Format.TEXT, 999, 99), T0.tzinfo).body for _, event in found.events]  # type: ignore[arg-type]


def days(*looks: tuple[int, Failure | None]) -> list[tuple[float, str]]:
    town = Town()
    for minute, failure in looks:
        town.look(minute, failure)
    return town.told


DOWN, LOGIN, LAPSED = Failure.UNREACHABLE, Failure.LOGIN_REFUSED, Failure.UNAUTHORIZED


def test_it_is_told_after_five_minutes_once_and_when_it_is_over() -> None:
    """Since when it was, and how long."""
    town = Town()
    for minute in range(10):
        town.look(minute, DOWN)
    town.look(10)
    town.look(11)
    assert town.told == [(5, "unreachable"), (10, "recovered")]
    assert town.words[0].startswith("no route.\nSo it is since Sun 1 Mar 22:00 +00:00.")
    assert town.words[1].startswith("It was away for 10 min, since Sun 1 Mar 22:00 +00:00.")


def test_short_troubles_are_nobodys_business() -> None:
    """Not even many of them; and one failed look of a seldom one proves nothing."""
    assert days((0, DOWN), (1, None), (2, DOWN), (4, None), (5, DOWN), (9, None)) == []
    town = Town()
    town.look(0, DOWN)
    town.pass_by(30)
    assert town.told == []
    town.look(60, DOWN)
    assert town.told == [(60, "unreachable")]


def test_a_refused_login_does_not_pass_by_itself() -> None:
    """It is told with the first refusal; a lapsed token has its five minutes."""
    assert days((0, LOGIN), (1, LOGIN), (2, None)) == [(0, "unauthorized"), (2, "recovered")]
    assert days((0, LAPSED), (4, LAPSED), (5, LAPSED)) == [(5, "unauthorized")]


def test_each_kind_is_told_once_however_it_goes_to_and_fro() -> None:
    """Until it is over."""
    looks = [(minute, LOGIN if minute % 2 else DOWN) for minute in range(20)]
    assert days(*looks, (20, None), (21, LOGIN)) == [
        (1, "unauthorized"),
        (6, "unreachable"),
        (20, "recovered"),
        (21, "unauthorized"),
    ]


def test_another_installation_has_an_event_of_its_own() -> None:
    """`server.replaced` says it."""
    assert days((0, Failure.REPLACED), (9, Failure.REPLACED)) == []


def test_a_silence_keeps_it_back_and_is_remembered() -> None:
    """Nothing is told in it; whether it still holds is asked when it ends."""
    town = Town()
    town.silences = (Silence(Match(), T0, at(30), id=1),)
    for minute in range(9):
        town.look(minute, DOWN)
    assert town.told == []
    event = news_of(replace(town.reach, alarms=()), at(9))
    assert event is not None
    assert still_holds(event[0], town.reach)
    town.look(10)
    assert not still_holds(event[0], town.reach)


@pytest.mark.parametrize("kind", [DOWN, LOGIN])
def test_the_id_is_that_of_the_trouble(kind: Failure) -> None:
    """Whoever sees it and whenever: a second watcher tells nothing twice."""
    reach = Reach(1, HQ, at(6), T0, kind)
    first, second = news_of(reach, at(6)), news_of(replace(reach, last_poll=at(7)), at(7))
    assert first
    assert second
    assert first[0].id == second[0].id


@given(st.lists(st.sampled_from([None, DOWN, LOGIN, LAPSED, Failure.TIMEOUT]), max_size=40))
def test_alarms_and_recoveries_take_turns(looks: list[Failure | None]) -> None:
    """No recovery without an alarm, no alarm before its time but for the login, none told twice."""
    told = days(*enumerate(looks))
    known: set[str] = set()
    for minute, kind in told:
        if kind == "recovered":
            assert known
            assert looks[int(minute)] is None
            known = set()
        else:
            assert kind not in known
            known.add(kind)
            if kind == "unreachable":
                assert None not in looks[max(0, int(minute) - int(GRACE / timedelta(minutes=1))) : int(minute) + 1]


def test_what_is_due_is_the_look_not_the_second() -> None:
    """A microsecond before five minutes is before five minutes."""
    reach = Reach(1, HQ, at(4), T0, DOWN)
    assert news_of(reach, _almost()) is None
    assert news_of(reach, T0 + GRACE) is not None


def _almost() -> datetime:
    return T0 + GRACE - timedelta(microseconds=1)
