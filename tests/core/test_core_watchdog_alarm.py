"""Alarms: each told once, its end once, and nothing of what was not seen for long enough."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.watchdog_facts import DAY, HOUR, MINUTE, NOW, Kennel, no, yes
from watcher.core.event import ALARMS, ALARMS_OVER, Event, Thing, over
from watcher.core.examples import examples
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.alarm import Says, Verdict, key_of, still_holds

UNSURE = Verdict("proxy.offline", "p1", Says.UNSURE)


def test_it_is_told_once_it_was_seen_for_long_enough_and_its_end_once() -> None:
    """Since when it counts is when it was seen first."""
    kennel = Kennel()
    proxy = yes(after=5 * MINUTE, thing=Thing("p1", "proxy-01"))
    assert kennel.take([proxy], NOW) == []
    assert kennel.said.until == NOW + 5 * MINUTE
    assert kennel.take([proxy], NOW + 4 * MINUTE) == []
    (told,) = kennel.take([proxy], NOW + 5 * MINUTE)
    assert (told.type, told.happened, told.thing) == ("proxy.offline", NOW, Thing("p1", "proxy-01"))
    assert [one.channel for one in kennel.said.owed] == ["chat"]
    assert kennel.take([proxy], NOW + 9 * MINUTE) == []
    assert kennel.take([UNSURE], NOW + 10 * MINUTE) == []
    (ended,) = kennel.take([no()], NOW + HOUR)
    assert (ended.type, ended.happened, ended.thing) == ("proxy.offline.recovered", NOW + HOUR, told.thing)
    assert kennel.alarms == {}
    assert kennel.take([no()], NOW + HOUR) == []


def test_what_passes_in_time_is_told_to_nobody() -> None:
    """And it counts from the start when it comes back."""
    kennel = Kennel()
    proxy = yes(after=5 * MINUTE)
    for minute in range(0, 60, 4):
        assert kennel.take([proxy], NOW + minute * MINUTE) == []
        assert kennel.take([no()], NOW + (minute + 2) * MINUTE) == []


def test_a_break_in_the_watch_lets_a_short_grace_begin_anew_but_not_a_long_one() -> None:
    """Nobody knows whether a proxy was away all the time; that a job stayed disabled is likely."""
    kennel = Kennel()
    proxy, job = yes(after=5 * MINUTE), yes("job.disabled", "j1", after=12 * HOUR)
    kennel.take([proxy, job], NOW)
    kennel.steady = NOW + 12 * HOUR
    assert [event.type for event in kennel.take([proxy, job], NOW + 12 * HOUR)] == ["job.disabled"]
    assert [event.type for event in kennel.take([proxy, job], NOW + 12.1 * HOUR)] == ["proxy.offline"]


def test_a_worse_level_is_told_again_and_a_better_one_is_not() -> None:
    """So a value at an edge is told once."""
    kennel = Kennel()
    levels = [0, 1, 0, 1, 0, 2]
    told = [kennel.take([yes("repository.low", "r1", level=level)], NOW + n * HOUR) for n, level in enumerate(levels)]
    assert [len(events) for events in told] == [1, 1, 0, 0, 0, 1]
    assert len({events[0].id for events in told if events}) == 3
    assert [event.type for event in kennel.take([no("repository.low", "r1")], NOW + DAY)] == [
        "repository.low.recovered"
    ]


def test_why_it_is_so_is_kept_up_to_date() -> None:
    """The page and reminders say how many days are left now; nobody is told besides."""
    kennel = Kennel()
    kennel.take([yes(reason="it ends in 30 days")], NOW)
    assert kennel.take([yes(reason="it ends in 29 days")], NOW + DAY) == []
    assert kennel.alarms["proxy.offline", "p1"].reason == "it ends in 29 days"
    assert kennel.alarms["proxy.offline", "p1"].raised
    kennel.take([yes(reason="it ends in 29 days")], NOW + DAY)
    assert kennel.said.is_empty


def test_an_id_is_the_same_for_a_second_watcher() -> None:
    """What began at one moment is one alarm, whoever tells of it; its end has an id of its own."""
    one, other = Kennel(), Kennel()
    late = yes("job.overdue", "j1", since=NOW - HOUR)
    (first,), (second,) = one.take([late], NOW), other.take([late], NOW + MINUTE)
    assert first.id == second.id
    (ended,) = one.take([no("job.overdue", "j1")], NOW + HOUR)
    assert ended.id != first.id
    (again,) = one.take([yes("job.overdue", "j1", since=NOW + DAY)], NOW + 2 * DAY)
    assert again.id not in {first.id, ended.id}


def test_who_was_told_is_told_of_the_end() -> None:
    """Also where no route leads its end."""
    kennel = Kennel()
    kennel.take([yes()], NOW)
    assert [told.channel for told in kennel.alarms["proxy.offline", "p1"].told] == ["chat"]
    kennel.take([no()], NOW + HOUR)
    (ruling,) = kennel.said.rulings.values()
    assert ruling.decisions[0].knew


def test_the_end_of_a_disconnected_run_is_told_as_its_end() -> None:
    """There is no event for it."""
    kennel = Kennel()
    assert [event.type for event in kennel.take([yes("session.disconnected", "s1")])] == ["session.disconnected"]
    assert kennel.take([no("session.disconnected", "s1")], NOW + HOUR) == []
    assert kennel.alarms == {}


def test_every_alarm_is_a_word_of_notify_on() -> None:
    """And every event that a word stands for is made by somebody."""
    assert ALARMS | ALARMS_OVER <= EVENTS


@pytest.mark.parametrize(
    "event", [one for one in examples(NOW) if one.type in ALARMS | ALARMS_OVER], ids=lambda one: one.type
)
def test_an_event_leads_to_its_alarm(event: Event) -> None:
    """By which a silence that ends asks whether it still holds."""
    key = key_of(event)
    assert key is not None
    kind, subject = key
    assert over(kind) == event.type or kind == event.type
    kennel = Kennel()
    (told,) = kennel.take([yes(kind, subject, job=event.job, session=event.session, thing=event.thing)])
    alarm = kennel.alarms[key]
    if event.type in ALARMS:
        assert (key_of(told), still_holds(told, alarm)) == (key, True)
        assert still_holds(told, None) is False
    elif event.type != "server.recovered":
        (ended,) = kennel.take([no(kind, subject)], NOW + HOUR)
        assert (key_of(ended), still_holds(ended, None), still_holds(ended, alarm)) == (key, True, False)


@given(
    st.lists(st.tuples(st.sampled_from(["yes", "no", "unsure"]), st.integers(0, 3), st.integers(1, 600)), max_size=60),
    st.sampled_from([0, 5, 90, 720]),
)
def test_alarms_and_their_ends_take_turns(story: list[tuple[str, int, int]], grace: int) -> None:
    """Whatever is seen: no end without an alarm, no level twice, and never one that was not seen for its grace."""
    kennel, now, level, since = Kennel(), NOW, -1, None
    for word, seen, minutes in story:
        now += timedelta(minutes=minutes)
        verdict = {"yes": yes(after=grace * MINUTE, level=seen), "no": no(), "unsure": UNSURE}[word]
        since = (since or now) if word == "yes" else None if word == "no" else since
        for event in kennel.take([verdict], now):
            if event.type == "proxy.offline":
                assert since is not None
                assert now - since >= grace * MINUTE
                assert seen > level
                level = seen
            else:
                assert level >= 0
                level = -1
