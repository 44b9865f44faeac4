"""Runs that do not end, and those that did next to nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.watchdog_facts import DAY, HOUR, MINUTE, NOW, REF, Kennel, a_good, a_job, a_run, moved
from watcher.core.model import JobType, Session, Statistics
from watcher.core.record import Known
from watcher.core.watchdog.limits import Limits, Rulebook
from watcher.core.watchdog.movement import with_movement
from watcher.core.watchdog.running import usual_limit
from watcher.core.watchdog.short import USUAL_AFTER, short
from watcher.core.watchdog.survey import Health, Proxy, Survey
from watcher.core.watchdog.yardstick import Measures, yardstick

JOB = a_job()


def test_a_slow_run_is_told_once_and_its_end() -> None:
    """By how long its job's runs usually take."""
    kennel, usual = Kennel(), 2 * HOUR
    run = moved(a_run(1.9), 0)
    assert kennel.kinds(jobs=[JOB], open=(run,), usual=usual) == []
    assert kennel.said.until == NOW + 0.1 * HOUR
    (event,) = kennel.judge(NOW + HOUR, jobs=[JOB], open=(run,), usual=usual)
    assert (event.type, event.happened, event.session) == ("job.slow", NOW + 0.1 * HOUR, run.session)
    assert kennel.kinds(NOW + 1.5 * HOUR, jobs=[JOB], open=(run,), usual=usual) == []
    (ended,) = kennel.judge(NOW + 2 * HOUR, jobs=[JOB])
    assert (ended.type, ended.job) == ("job.slow.recovered", REF)


def test_a_fixed_limit_needs_no_history() -> None:
    """And counts in its place."""
    kennel = Kennel(Rulebook(Limits(slow_after=HOUR, is_slow_usual=False)))
    assert kennel.kinds(jobs=[JOB], open=(moved(a_run(2), 0),), usual=9 * HOUR) == ["job.slow"]


@pytest.mark.parametrize(
    ("minutes", "limit"),
    [
        ([60] * 4, None),
        ([60] * 5, 120),
        ([5] * 5, 20),
        ([60] * 38 + [240, 240], 120),  # one of twenty runs may be longer
        ([60] * 37 + [240] * 3, 480),
        ([10] * 97 + [100] * 3, 100),  # it has taken so long three times, so that is usual
        ([10] * 98 + [100] * 2, 25),
    ],
)
def test_what_is_usual_for_a_job(minutes: list[int], limit: int | None) -> None:
    """Twice the 95th percentile, 15 minutes more than it, and no less than the third longest run."""
    runs = [a_good(number, length) for number, length in enumerate(minutes, start=1)]
    assert usual_limit(runs) == (limit * MINUTE if limit else None)


def test_runs_of_less_than_three_days_do_not_tell_all_that_is_usual() -> None:
    """What the night and the weekend bring is not known yet."""
    runs = [a_good(number / 24, 60) for number in range(1, 10)]
    assert usual_limit(runs) == 240 * MINUTE


def test_retries_and_bad_runs_say_nothing_of_what_is_usual() -> None:
    """They are shorter."""
    runs = [a_good(number, 60) for number in range(1, 6)]
    others = [a_good(number + 0.5, 1, retry_count=1, main_session_id=f"d{number}") for number in range(1, 90)]
    bad = [a_run(number, "Failed", f"b{number}", ended=NOW) for number in range(1, 90)]
    assert usual_limit([*runs, *others, *bad]) == 120 * MINUTE


@pytest.mark.parametrize(
    ("run", "quiet", "kinds"),
    [
        (a_run(9), 1.9, []),
        (a_run(9), 2, ["job.stalled"]),
        (a_run(9, progress=None, statistics=Statistics()), 9, []),  # there is nothing that could move
        (a_run(0.9, "Queued"), 0.9, []),
        (a_run(1, "Queued"), 0.2, ["job.stalled"]),
        (a_run(5, "Disconnected"), 0.2, []),
        (a_run(5, "Disconnected"), 0.25, ["session.disconnected"]),
        (a_run(50, "Updating"), 50, []),
        (replace(a_run(50, "Queued"), job_id=None), 50, []),  # no job's work
    ],
)
def test_runs_that_do_not_go_on(run: Session, quiet: float, kinds: list[str]) -> None:
    """No progress for two hours, an hour in the queue, a quarter of an hour without its proxy."""
    kennel = Kennel()
    assert kennel.kinds(jobs=[JOB], open=(moved(run, quiet),)) == kinds
    assert kennel.kinds(NOW + MINUTE / 2, jobs=[JOB], open=(moved(run, quiet),)) == []


def test_restores_and_retrievals_are_nobody_s_jobs() -> None:
    """What somebody reads from the cloud or gives back takes as long as it takes."""
    kennel = Kennel(Rulebook(Limits(slow_after=HOUR, is_slow_usual=False)))
    errands = [moved(replace(a_run(9), job_id=None, job_type=kind), 9) for kind in (JobType.RESTORE, JobType.RETRIEVAL)]
    assert kennel.kinds(jobs=[JOB], open=tuple(errands)) == []
    assert kennel.kinds(jobs=[JOB], open=(moved(a_run(9), 9),)) == ["job.slow", "job.stalled"]


def test_a_stalled_run_that_goes_on_is_well_again() -> None:
    """While it still runs."""
    kennel, run = Kennel(), a_run(9)
    assert kennel.kinds(jobs=[JOB], open=(moved(run, 3),)) == ["job.stalled"]
    assert kennel.kinds(NOW + HOUR, jobs=[JOB], open=(moved(run, -0.9),)) == ["job.stalled.recovered"]


def test_only_progress_and_what_was_moved_count_as_movement() -> None:
    """The rates of a run that hangs go on falling."""
    first = with_movement(Known(a_run(1)), None, NOW)
    assert first.moved == NOW
    falling = Known(a_run(1, statistics=Statistics(processing_rate_bytes=1, transferred=1000)), moved=NOW)
    assert with_movement(falling, first, NOW + HOUR).moved == NOW
    further = Known(a_run(1, progress=11), moved=NOW)
    assert with_movement(further, first, NOW + HOUR).moved == NOW + HOUR
    waiting = Known(a_run(1, "Disconnected"), moved=NOW)
    assert with_movement(waiting, first, NOW + HOUR).moved == NOW + HOUR


def test_what_an_ill_server_or_a_lost_proxy_explains_is_not_told_besides() -> None:
    """But afterwards, if it lasts."""
    lost = (moved(a_run(5, "Disconnected"), 1), moved(a_run(9, name="s2"), 5))
    away = Survey(proxies=(Proxy("p1", "proxy-01", is_online=False),))
    kennel = Kennel()
    assert kennel.kinds(jobs=[JOB], open=lost, survey=away) == ["job.stalled"]
    well = Survey(proxies=(Proxy("p1", "proxy-01", is_online=True),))
    assert kennel.kinds(NOW + HOUR, jobs=[JOB], open=lost, survey=well) == ["session.disconnected"]
    ill = Survey(health=Health(is_healthy=False, ills=("nats",)))
    assert Kennel().kinds(jobs=[a_job(next_run=NOW - DAY, last_backup=None)], open=lost, survey=ill) == []


def test_what_a_run_has_waited_in_the_queue_does_not_make_it_slow() -> None:
    """That is told as such."""
    waited = with_movement(Known(a_run(5), moved=NOW), Known(a_run(5, "Queued"), moved=NOW - HOUR), NOW)
    assert waited.began == NOW
    kennel = Kennel()
    assert kennel.kinds(NOW + HOUR, jobs=[JOB], open=(waited,), usual=2 * HOUR) == []
    assert kennel.kinds(NOW + 2 * HOUR, jobs=[JOB], open=(replace(waited, moved=NOW + HOUR),), usual=2 * HOUR) == [
        "job.slow"
    ]


HISTORY = [a_good(number, objects=100 + number % 7) for number in range(1, 31)]


def verdict(runs: Sequence[Session], alarm: Any = None, **limits: Any) -> str:
    found = short(runs, REF, Limits(**limits), alarm)
    return found.says.name if found else "NONE"


@pytest.mark.parametrize(
    ("run", "before", "says"),
    [
        (a_good(0, objects=100), HISTORY, "NO"),
        (a_good(0, objects=50), HISTORY, "NO"),
        (a_good(0, objects=49), HISTORY, "YES"),
        (a_good(0, objects=0, data=0), HISTORY, "YES"),
        (a_good(0, objects=0), HISTORY[:9], "NO"),  # too few to know
        (a_good(0, objects=1), [a_good(n, objects=3) for n in range(1, 31)], "NO"),  # too small to tell
        (a_good(0, objects=100, data=0), HISTORY, "YES"),
        (a_good(0, objects=100, data=10**7), HISTORY, "NO"),  # a quiet day
        (a_good(0, objects=100, data=0), [a_good(n, data=10**7) for n in range(1, 31)], "NO"),
        (a_good(0, objects=100, data=0), [a_good(n / 24) for n in range(1, 31)], "NO"),  # a quiet hour of a quiet day
        (a_good(0, objects=None), HISTORY, "NO"),
        (a_good(0, objects=5, retry_count=1, main_session_id="m"), HISTORY, "NO"),  # a retry: the run before it counts
        (a_good(0, objects=5, retry_count=None), [a_run(1, "Failed", ended=NOW), *HISTORY], "NONE"),  # it may be one
        (a_run(0, "Failed", ended=NOW, progress=0), HISTORY, "NO"),
    ],
)
def test_a_run_that_did_next_to_nothing(run: Session, before: Sequence[Session], says: str) -> None:
    """Far fewer objects than ever; less data only where that cannot be a quiet day."""
    assert verdict([run, *before]) == says


def test_what_is_short_stays_so_until_it_is_as_before_or_usual() -> None:
    """A second empty run is no recovery; a week of them is a smaller job."""
    kennel, runs, job = Kennel(), [a_good(0, objects=3), *HISTORY], a_job(next_run=None)
    assert kennel.kinds(jobs=[job], runs={"j1": runs}) == ["job.short"]
    assert kennel.kinds(NOW + HOUR, jobs=[job], runs={}) == []
    for number in range(1, USUAL_AFTER):
        runs = [a_good(-number, objects=3), *runs]
        assert kennel.kinds(NOW + number * DAY, jobs=[job], runs={"j1": runs}) == []
    well = [a_good(-USUAL_AFTER, objects=100), *runs]
    smaller = [a_good(-USUAL_AFTER, objects=3), *runs]
    alarm = kennel.alarms["job.short", "j1"]
    assert verdict(well, alarm) == "NO"
    assert verdict(smaller, alarm) == "NO"
    assert verdict(runs, alarm) == "UNSURE"


@given(st.lists(st.tuples(st.integers(60, 100), st.integers(0, 10**12)), min_size=1, max_size=60))
def test_ups_and_downs_of_what_is_moved_make_no_run_short(runs: list[tuple[int, int]]) -> None:
    """As long as the objects are there, and some days were quiet before."""
    quiet = a_good(40, objects=80, data=10**6)
    made = [a_good(number, objects=objects, data=data) for number, (objects, data) in enumerate(runs)]
    assert verdict([*made, quiet]) in {"NO", "NONE"}


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 10**10)), min_size=30, max_size=60),
    st.tuples(st.integers(0, 100), st.integers(0, 10**10)),
)
def test_what_is_passed_over_by_the_day_s_measure_is_not_short(
    before: list[tuple[int, int]], last: tuple[int, int]
) -> None:
    """Only a run that did less than any before it is worth reading them all again."""
    runs = [a_good(number, objects=objects, data=data) for number, (objects, data) in enumerate(before, start=1)]
    run = a_good(0, objects=last[0], data=last[1])
    measure = yardstick(runs, NOW)
    assert measure.holds(NOW + 23 * HOUR)
    assert not measure.holds(NOW + 25 * HOUR)
    if measure.is_plain(run, 50):
        assert verdict([run, *runs]) == "NO"


def test_a_job_is_measured_once_a_day_and_each_time_that_something_may_be_short() -> None:
    """And as long as there are few runs, or nobody knows what was told before a restart."""
    limits, measures = {"j1": Limits()}, Measures()
    runs = {"j1": [a_good(number) for number in range(1, 41)]}
    plain, empty = a_good(-0.1, minutes=1), a_good(-0.2, minutes=1, objects=3)

    def asked(*shown: Session, now: datetime = NOW) -> bool:
        opened, ended = measures.sift(shown, limits, now)
        measures.take({job: runs[job] for job in {*opened.values(), *ended}}, opened, ended, now)
        return bool(opened or ended)

    assert asked(plain)
    assert not asked(plain)
    measures.short = frozenset()
    assert not asked(a_run(1, name="r1"), a_good(-0.15, minutes=1))
    assert measures.usual == {"r1": 25 * MINUTE}
    assert asked(empty)
    measures.short = frozenset({"j1"})
    assert asked(a_good(-0.3, minutes=1))
    measures.short = frozenset()
    assert asked(a_good(-1.2, minutes=1), now=NOW + 1.3 * DAY)
    measures.give_back(["j1"])
    assert not asked(a_good(-1.2, minutes=1), now=NOW + 1.3 * DAY)
    measures.forget([])
    assert measures.usual == {}
    runs["j1"] = runs["j1"][:20]
    assert asked(a_good(-2.5, minutes=1), now=NOW + 2.6 * DAY)
    assert asked(a_good(-2.6, minutes=1), now=NOW + 2.7 * DAY)
