"""What has no times of its own has those at which it was seen: tables, and a life drawn at random."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.factories import HORIZON, at, scene
from watcher.core.diff import Sight
from watcher.core.model import JobType, Session
from watcher.core.page import turn
from watcher.core.record import End, Known, Ledger
from watcher.core.timeless import with_times

TOLD = {"Running": "session.started", "Failed": "session.failed", "Success": "session.success"}


def shown(status: str, session_id: str = "y1") -> Session:
    return Session(session_id, status, job_type=JobType.SYNCHRONIZE)


def known(status: str, created: float | None = None, ended: float | None = None) -> Known:
    session = replace(shown(status), created=None if created is None else at(created))
    return Known(replace(session, ended=None if ended is None else at(ended)))


@pytest.mark.parametrize(
    ("before", "status", "is_first", "created", "ended"),
    [
        (None, "Failed", True, None, None),
        (None, "Running", True, None, None),
        (None, "Success", False, None, None),
        (None, "Failed", False, None, 30),
        (None, "Running", False, 30, None),
        (Known(Session("y1", "")), "Failed", False, None, 30),
        (known("Running", 10), "Running", False, 10, None),
        (known("Running", 10), "Failed", False, 10, 30),
        (known("Running", 10), "Success", False, 10, 30),
        (known("Running"), "Failed", False, None, 30),
        (known("Failed", 5, 10), "Failed", False, 5, 10),
        (known("Failed"), "Failed", False, None, None),
        (known("Success", 5, 10), "Failed", False, None, 30),
        (known("Failed", 5, 10), "Running", False, 30, None),
    ],
)
def test_when_it_began_and_ended(
    before: Known | None, status: str, is_first: bool, created: float | None, ended: float | None
) -> None:
    """What is seen first counts, and stays."""
    records = {"y1": before} if before else {}
    (session,) = with_times(records, Sight((shown(status),)), at(30), is_first=is_first).sessions
    assert session.status == status
    assert session.created == (None if created is None else at(created))
    assert session.ended == (None if ended is None else at(ended))


def test_what_failed_is_not_good_because_it_shows_nothing_any_more() -> None:
    """The state None after Failed says nothing."""
    (session,) = with_times({"y1": known("Failed", 5, 10)}, Sight((shown("Success"),)), at(30), is_first=False).sessions
    assert (session.status, session.ended) == ("Failed", at(10))


def test_one_that_is_gone_twice_has_ended_well() -> None:
    """Once may be a mistake; a restore that is gone has no such end."""
    records = {"y1": known("Running", 10), "r1": Known(replace(shown("Running", "r1"), job_type=JobType.RESTORE))}
    sight = Sight(gone=frozenset(records), is_last=True)
    once = with_times(records, sight, at(30), is_first=False)
    assert once == sight
    doubted = {name: replace(record, doubts=1) for name, record in records.items()}
    twice = with_times(doubted, sight, at(31), is_first=False)
    assert [(one.id, one.status, one.ended) for one in twice.sessions] == [("y1", "Success", at(31))]
    assert twice.gone == {"r1"}


@given(st.lists(st.sampled_from(["Running", "Failed", "Success", "hidden"]), max_size=12), st.booleans())
def test_each_change_is_told_once(statuses: Sequence[str], is_first: bool) -> None:
    """Whatever a server shows, a look that shows nothing new tells nothing, and each end has its own time."""
    records: dict[str, Known] = {}
    for minute, status in enumerate(statuses):
        sight = Sight((shown(status),)) if status != "hidden" else Sight()
        unread = frozenset({JobType.SYNCHRONIZE}) if is_first and not minute else frozenset()
        now = replace(scene(minute), horizon=HORIZON, unread=unread)
        page = turn(Ledger(records), sight, now)
        records |= {one.session.id: one for one in page.sessions}
        assert not page.events or page.events[0].type == TOLD[status]
        assert turn(Ledger(records), sight, replace(now, server_now=at(minute + 0.5), unread=frozenset())).events == ()
    ends = records["y1"].settled if "y1" in records else ()
    assert len(set(ends)) == len(ends)
    assert all(isinstance(one, End) for one in ends)
