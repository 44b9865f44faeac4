"""The table of legal changes: what is a transition, and what is not."""

from datetime import timedelta

import pytest

from tests.core.factories import HORIZON, T0, at, ended, session
from watcher.core.diff import Change, Horizon, Sight, diff
from watcher.core.model import Session
from watcher.core.record import End, Known


def changes(known: Known | None, seen: Session, horizon: Horizon = HORIZON) -> list[Change]:
    found = diff({known.session.id: known} if known else {}, Sight((seen,)), horizon)
    return [transition.change for transition in found.transitions]


def told(seen: Session) -> Known:
    return Known(seen, settled=(End(seen.status, seen.ended),))


RUNNING = session()
QUEUED = session(status="Queued")
FAILED = ended(status="Failed")
BEFORE_US = ended(status="Failed", minutes=-30, created=at(-60))

TABLE = [
    ("unknown, running since after first contact", None, RUNNING, [Change.STARTED]),
    ("unknown, running since before first contact", None, session(created=at(-1)), []),
    ("unknown, queued", None, QUEUED, []),
    ("unknown, ended after first contact", None, FAILED, [Change.ENDED]),
    ("unknown, ended at first contact", None, ended(minutes=0), [Change.ENDED]),
    ("unknown, ended before first contact", None, BEFORE_US, [Change.HISTORY]),
    ("unknown, ended without a time, created after", None, session(status="Failed"), [Change.ENDED]),
    ("unknown, ended without any time", None, session(status="Failed", created=None), [Change.HISTORY]),
    ("running, still running", Known(RUNNING), session(progress=5), []),
    ("queued, now running", Known(QUEUED), RUNNING, [Change.STARTED]),
    ("running, ended", Known(RUNNING), FAILED, [Change.ENDED]),
    ("tracked since before us, its end by a clock that is behind", Known(session()), BEFORE_US, [Change.ENDED]),
    ("disconnected is no end", Known(RUNNING), session(status="Disconnected"), []),
    ("ended, the same end", told(FAILED), FAILED, []),
    ("ended, the same end with other counters", told(FAILED), ended(status="Failed", progress=9), []),
    ("ended, goes back to running in silence", told(FAILED), RUNNING, []),
    ("ended, another end time", told(FAILED), ended(status="Failed", minutes=20), [Change.ENDED]),
    ("ended, another status", told(FAILED), ended(status="Success"), [Change.ENDED]),
    ("ended without a time, the time filled in", told(session(status="Failed")), FAILED, []),
    ("history, another end that is history too", told(BEFORE_US), ended(minutes=-20), [Change.HISTORY]),
    ("unrecognized", Known(RUNNING), session(status="Exploded"), [Change.UNRECOGNIZED]),
    ("unrecognized, told already", Known(RUNNING, strange=("Exploded",)), session(status="Exploded"), []),
    ("unrecognized and over since before us", None, ended(status="Exploded", minutes=-9), []),
    ("unrecognized, then a real end", Known(ended(status="Exploded"), strange=("Exploded",)), FAILED, [Change.ENDED]),
    ("a row that was unreadable, running", Known(Session("s1", "")), RUNNING, [Change.STARTED]),
    ("a row that was unreadable, history", Known(Session("s1", "")), BEFORE_US, [Change.HISTORY]),
]


@pytest.mark.parametrize(("known", "seen", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_each_change_of_the_table(known: Known | None, seen: Session, expected: list[Change]) -> None:
    """Each pair of what was known and what is seen makes the transitions of the table and no other."""
    assert changes(known, seen) == expected


def test_an_end_longer_ago_than_is_kept_is_history() -> None:
    """Pruning forgets sessions; a listing that still shows them makes no news of them."""
    horizon = Horizon(first_contact=T0, news_from=at(60))

    assert changes(None, ended(minutes=59), horizon) == [Change.HISTORY]


def test_back_to_the_same_end_is_not_told_again() -> None:
    """A session that reopens and ends as before, at the same time, has one end."""
    reopened = diff({"s1": told(FAILED)}, Sight((RUNNING,)), HORIZON).known[0]

    assert changes(reopened, FAILED) == []
    assert changes(reopened, ended(status="Failed", minutes=30)) == [Change.ENDED]


def test_absence_proves_nothing() -> None:
    """An empty listing ends nothing and changes nothing."""
    found = diff({"s1": Known(RUNNING)}, Sight(), HORIZON)

    assert found.known == ()
    assert found.transitions == ()


def test_vanished_takes_two_looks_in_a_row() -> None:
    """One 404 is a doubt, the second closes the session; a sight between them takes the doubt away."""
    gone = Sight(gone=frozenset({"s1"}))
    doubted = diff({"s1": Known(RUNNING)}, gone, HORIZON).known[0]
    seen_again = diff({"s1": doubted}, Sight((RUNNING,)), HORIZON).known[0]
    closed = diff({"s1": doubted}, gone, HORIZON)

    assert doubted.is_open
    assert seen_again.doubts == 0
    assert [t.change for t in closed.transitions] == [Change.VANISHED]
    assert not closed.known[0].is_open
    assert diff({"s1": closed.known[0]}, gone, HORIZON).transitions == ()


def test_vanished_and_back() -> None:
    """A session that comes back after it was given up is told when it ends."""
    closed = Known(RUNNING, doubts=2, closed=True)

    assert changes(closed, RUNNING) == []
    assert changes(closed, FAILED) == [Change.ENDED]


def test_an_unreadable_row_is_tracked_and_vanishes_in_silence() -> None:
    """What could not be read is read again by its id, and nothing is claimed of it when it is gone."""
    tracked = diff({}, Sight(unreadable=frozenset({"s9"})), HORIZON).known[0]
    doubted = diff({"s9": tracked}, Sight(gone=frozenset({"s9"})), HORIZON).known[0]
    closed = diff({"s9": doubted}, Sight(gone=frozenset({"s9"})), HORIZON)

    assert tracked.is_open
    assert closed.transitions == ()
    assert not closed.known[0].is_open


def test_an_unreadable_row_leaves_what_is_known() -> None:
    """A known session whose row cannot be read now stays as it was."""
    assert diff({"s1": told(FAILED)}, Sight(unreadable=frozenset({"s1"})), HORIZON).known == ()


def test_transitions_come_in_the_order_of_their_ends() -> None:
    """However the listing is sorted, ends are told in the order in which they happened."""
    sight = Sight((ended("late", minutes=30), ended("early", minutes=5), ended("middle", minutes=9)))

    found = diff({}, sight, HORIZON)

    assert [t.session.id for t in found.transitions] == ["early", "middle", "late"]


def test_the_transition_says_where_from_and_why() -> None:
    """A transition carries the status before it and a reason in words."""
    (transition,) = diff({"s1": Known(RUNNING)}, Sight((FAILED,)), HORIZON).transitions

    assert transition.came_from == "Running"
    assert transition.reason == "ended"


def test_horizon_is_to_the_second() -> None:
    """An end one microsecond before first contact is history."""
    just_before = ended(minutes=0, created=at(-5))
    just_before = session(status="Success", created=at(-5), ended=T0 - timedelta(microseconds=1))

    assert changes(None, just_before) == [Change.HISTORY]
