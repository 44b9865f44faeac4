"""Which rows leave together."""

from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.core.factories import HQ, at
from watcher.core.delivery import Delivery
from watcher.core.event import Event, JobRef
from watcher.core.parcels import MANY_LATE, Batches, Joined, Waiting
from watcher.core.render import Format, Severity, Style, render

DAY = timedelta(days=1)
NOW = at(2000)


def row(
    number: int,
    job: str = "mail",
    *,
    destination: str = "room",
    minute: float = 1990,
    due: bool = True,
    busy: bool = False,
    late: bool = False,
    message: str = "",
) -> Waiting:
    event = Event(f"e{number}", "session.failed", HQ, at(minute), at(minute), late=late, job=JobRef(job, job))
    delivery = Delivery(number, message, event, "chat", destination, 1, at(minute))
    return Waiting(delivery, event.subject, due=due, busy=busy)


def ids(bundles: list[tuple[Waiting, ...]]) -> list[list[int]]:
    return [[one.delivery.id for one in bundle] for bundle in bundles]


def joined(*rows: Waiting) -> list[list[int]]:
    return ids(Joined(DAY).bind(rows, NOW))


def test_what_is_overtaken_joins_the_later_one() -> None:
    """A failure that waits for its next attempt leaves with the good end that came meanwhile, and before it."""
    assert joined(row(2, minute=1999), row(1, minute=1990, due=False)) == [[1, 2]]


def test_each_job_and_destination_is_by_itself() -> None:
    """Who is told of one job does not wait for another, nor one room for another."""
    assert joined(row(1), row(2, "files"), row(3, destination="hall")) == [[1], [2], [3]]


def test_nothing_overtakes_what_is_in_flight() -> None:
    """While somebody sends a message about a job, the next one about it waits."""
    assert joined(row(1, busy=True), row(2), row(3, "files")) == [[3]]


def test_what_is_not_due_waits() -> None:
    """Backoff is kept where nothing new has come."""
    assert joined(row(1, due=False), row(2, due=False)) == []


def test_old_news_is_one_message_and_marked() -> None:
    """After a day what still waits is told together, as late; a new end of such a job comes along in its order."""
    old = [row(n, f"job{n}", minute=100 + n, due=n == 1) for n in (1, 2, 3)]
    fresh = [row(4, "job2", minute=1999), row(5, "other", minute=1999)]
    first, second = Joined(DAY).bind([*old, *fresh], NOW)
    assert ids([first, second]) == [[1, 2, 3, 4], [5]]
    assert [one.delivery.event.late for one in first] == [True, True, True, False]


def test_many_late_ends_of_a_server_are_one_summary() -> None:
    """Twenty speak for themselves; one more, and they are a summary."""
    rows = [row(n, f"job{n}", late=True) for n in range(1, MANY_LATE + 2)]
    assert joined(*rows) == [list(range(1, MANY_LATE + 2))]
    assert len(joined(*rows[:MANY_LATE])) == MANY_LATE


def test_a_destination_that_asked_to_wait_is_left_alone() -> None:
    """Until its time is over, new messages wait as well; others do not."""
    rows = [row(1), row(2, "files"), row(3, destination="hall")]
    binder = Joined(DAY, {"room": NOW + timedelta(seconds=1)})
    assert ids(binder.bind(rows, NOW)) == [[3]]
    assert ids(binder.bind(rows, NOW + timedelta(seconds=1))) == [[1], [2], [3]]


def test_one_job_is_told_as_a_story() -> None:
    """Failed and then good again is good news, in the order in which it happened; its title says both."""
    failed = Event("e1", "session.failed", HQ, at(0), at(0), job=JobRef("j", "Daily mail"))
    again = Event("e2", "session.failed", HQ, at(10), at(10), job=JobRef("j", "Daily mail"))
    good = Event("e3", "job.recovered", HQ, at(30), at(30), job=JobRef("j", "Daily mail"))
    message = render((failed, again, good), Style(Format.TEXT, 2000, 200), UTC)
    assert message.title == f"Daily mail on {HQ.name}: failed 2 times, then recovered"
    assert message.severity == Severity.SUCCESS
    assert [line.split(":")[0] for line in message.body.splitlines()] == ["Failed", "Failed", "Recovered"]


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["room", "hall"]),
        st.sampled_from([10, 100, 1990, 1999]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(_ROWS)
def test_any_rows_leave_once_and_in_order(made: list[tuple[str, str, int, bool, bool, bool]]) -> None:
    """Whatever waits: no row twice, a due job goes whole or, if part of it is in flight, not at all, oldest first."""
    rows = [
        row(n, job, destination=place, minute=minute, due=due, busy=busy, late=late)
        for n, (job, place, minute, due, busy, late) in enumerate(made, 1)
    ]
    bundles = Joined(DAY).bind(rows, NOW)
    left = [one.delivery.id for bundle in bundles for one in bundle]
    assert len(left) == len(set(left))
    by_job: dict[tuple[str, str], list[Waiting]] = {}
    for one in rows:
        by_job.setdefault((one.delivery.destination, one.subject), []).append(one)
    for owed in by_job.values():
        gone = {one.delivery.id for one in owed} & set(left)
        is_due, is_busy = any(one.due for one in owed), any(one.busy for one in owed)
        assert not (gone and is_busy)
        assert not gone or len(gone) == len(owed)
        assert gone or is_busy or not is_due
    for bundle in bundles:
        happened = [one.delivery.event.happened for one in bundle]
        assert happened == sorted(happened)
        assert len({one.delivery.destination for one in bundle}) == 1


def test_batches_are_filled_in_order() -> None:
    """For programs, up to so many events in one post, whatever they speak of."""
    rows = [row(n) for n in range(1, 8)]
    assert ids(Batches(3).bind(rows, NOW)) == [[1, 2, 3], [4, 5, 6], [7]]
    assert ids(Batches().bind(rows[:2], NOW)) == [[1], [2]]


def test_a_batch_goes_to_one_destination() -> None:
    """Who is owed something gets it himself."""
    rows = [row(1), row(2, destination="hall"), row(3)]
    assert ids(Batches(100).bind(rows, NOW)) == [[1, 3], [2]]


def test_a_batch_that_failed_leaves_unchanged() -> None:
    """Its receiver knows it by the hash of its ids: nothing joins it, and nothing is lost from it."""
    rows = [row(1, message="m1"), row(2, message="m2"), row(3, message="m1"), row(4), row(5)]
    assert ids(Batches(100).bind(rows, NOW)) == [[1, 3], [2], [4, 5]]
    assert sorted(ids(Batches(100).bind(rows[::-1], NOW))) == [[1, 3], [2], [4, 5]]


def of(group: str, *rows: Waiting) -> list[Waiting]:
    return [replace(row, group=group) for row in rows]


def test_a_group_leaves_when_the_first_of_it_is_due() -> None:
    """The others have waited long enough, too; what is in another group, or in none, goes its own way."""
    one = of("hq", row(1), row(2, "files", due=False), row(3, "sites", due=False))
    assert joined(*one, *of("lab", row(4, "lab", due=False)), row(5, "alone")) == [[1, 2, 3], [5]]
    assert joined(*of("hq", row(1, due=False), row(2, "files", due=False))) == []


def test_a_group_takes_along_what_is_owed_of_its_jobs() -> None:
    """A job's messages leave in order, also where one of them is kept for the morning."""
    night = of("quiet", row(1, minute=1980, due=False), row(2, "files", minute=1981, due=False))
    assert joined(*night, *of("hq", row(3, minute=1990), row(4, "sites", due=False))) == [[1, 3, 4]]


def test_a_job_brings_its_own_and_not_the_rest_of_a_group_that_is_not_due() -> None:
    """Something due of a job takes along what is kept of that job until the morning, and nobody else's."""
    night = of("quiet", row(1, due=False), row(2, "files", due=False))
    assert joined(*night, row(3)) == [[1, 3]]


def test_a_group_waits_for_no_job_that_is_being_told_of() -> None:
    """The rest of it leaves, the job follows."""
    assert joined(*of("hq", row(1, busy=True), row(2, due=False), row(3, "files"))) == [[3]]


_rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "x", "y"]), st.booleans(), st.booleans(), st.booleans()),
    max_size=12,
)


@given(_rows)
def test_however_rows_lie_each_leaves_once_and_in_order(drawn: list[tuple[str, str, bool, bool, bool]]) -> None:
    """No row twice, none that is busy, everything due and free leaves, and each message has its jobs' rows whole.

    What leaves before its time is of a job, or in a group, of which something is due.
    """
    rows = [
        replace(row(n, job, minute=1900 + n, due=due, busy=busy, late=late), group=group)
        for n, (job, group, due, busy, late) in enumerate(drawn)
    ]
    bundles = Joined(DAY).bind(rows, NOW)
    left = [one.delivery.id for bundle in bundles for one in bundle]
    busy_jobs = {one.subject for one in rows if one.busy}
    assert len(left) == len(set(left))
    assert {one.delivery.id for one in rows if one.due and one.subject not in busy_jobs} <= set(left)
    due = {one.group for one in rows if one.due and one.group and one.subject not in busy_jobs}
    late = sum(one.delivery.event.late for one in rows) > MANY_LATE
    for bundle in bundles:
        jobs = {one.subject for one in bundle}
        assert not jobs & busy_jobs
        for job in jobs if not late else ():
            assert any(one.due or one.group in due for one in bundle if one.subject == job)
        assert {one.delivery.id for one in bundle} == {one.delivery.id for one in rows if one.subject in jobs}
        assert [one.delivery.id for one in bundle] == sorted(one.delivery.id for one in bundle)
