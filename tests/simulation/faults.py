"""Faults that are planted in a month, and what has to be told of each, by when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.simulation.estate import DAY, HOUR, MINUTE, Estate, Plan, Run
from watcher.core.model import Schedule


@dataclass(frozen=True)
class Planted:
    """A fault: the events that have to come of it, each once, of which subject, and from when to when."""

    name: str
    subject: str
    events: tuple[tuple[str, datetime, datetime], ...]


def plant(estate: Estate, slack: timedelta) -> list[Planted]:
    """Put one fault of each kind into an estate, on jobs of their own, and let it live. `slack`: of the looks."""
    half = estate.days * 6 // 10
    plans = [_nightly(estate, number) for number in range(7)]
    stopped, hanging, empty, disabled, queued, failing, lost = plans
    noon = estate.day(half) + 12 * HOUR
    stopped.stopped = (noon, noon + 1.6 * DAY)
    disabled.disabled = (noon, noon + 30 * HOUR)
    failing.fails = (noon, noon + 4 * DAY)
    estate.unhealthy = [*estate.unhealthy, (noon + 5 * HOUR, noon + 5.5 * HOUR)]
    estate.proxies_away.append((1, noon + 2 * HOUR, noon + 3 * HOUR, False))
    estate.invalid = (noon + 2 * HOUR, noon + 4 * HOUR)
    estate.free = lambda at: 0.35 if not noon <= at < noon + DAY else 0.08 if at < noon + 12 * HOUR else 0.04
    end = noon + 20 * HOUR + 8 * DAY
    estate.license = lambda at: end if noon <= at < noon + 3 * DAY else estate.begins + 300 * DAY
    estate.live()
    found = [_stopped(stopped, noon, slack), _disabled(disabled, slack), _failing(failing, noon, slack)]
    found += [
        _hang(_run_after(hanging, noon), slack),
        _empty(empty, noon, slack),
        _queue(_run_after(queued, noon), slack),
    ]
    found += [_disconnect(_run_after(lost, noon), slack)]
    edges = ((noon, "less than 10 %"), (noon + 12 * HOUR, "less than 5 %"))
    low = tuple(("repository.low", moment, moment + 11 * MINUTE + 2 * slack) for moment, _ in edges)
    back = ("repository.low.recovered", noon + DAY, noon + DAY + 11 * MINUTE + 2 * slack)
    found += [Planted("a full repository", "r0", (*low, back))]
    found += [_span("a proxy lost", "p1", "proxy.offline", noon + 2 * HOUR, noon + 3 * HOUR, slack)]
    found += [
        _span("an invalid repository", "r0", "repository.invalid", noon + 2 * HOUR, noon + 4 * HOUR, slack, 11 * MINUTE)
    ]
    ill = (noon + 5 * HOUR, noon + 5.5 * HOUR)
    found += [_span("an unhealthy server", "", "server.unhealthy", *ill, slack)]
    week = end - 7 * DAY
    told = tuple(("license.expiring", moment, moment + HOUR + 3 * slack) for moment in (noon, week))
    renewed = ("license.expiring.recovered", noon + 3 * DAY, noon + 3 * DAY + HOUR + 3 * slack)
    return [*found, Planted("a license that ends", "l0", (*told, renewed))]


def _nightly(estate: Estate, number: int) -> Plan:
    """Turn a job into one that runs each night and has something to do."""
    plan = estate.plans[number]
    plan.schedule, plan.minutes, plan.objects, plan.retries = Schedule("daily", "everyday"), 40.0, 120, 0
    plan.at = plan.at.replace(hour=21)
    return plan


def _span(
    name: str,
    subject: str,
    kind: str,
    begin: datetime,
    end: datetime,
    slack: timedelta,
    pace: timedelta = 2 * MINUTE,
) -> Planted:
    over = "server.recovered" if kind == "server.unhealthy" else f"{kind}.recovered"
    grace = 5 * MINUTE
    told = (kind, begin + grace, begin + grace + 2 * pace + 2 * slack)
    return Planted(name, subject, (told, (over, end, end + pace + 2 * slack)))


def _stopped(plan: Plan, noon: datetime, slack: timedelta) -> Planted:
    due = next(plan.starts(noon, noon + 2 * DAY))
    begun = _run_after(plan, noon).created
    told = ("job.overdue", due + 90 * MINUTE, due + 90 * MINUTE + 3 * slack)
    return Planted("a schedule that stops", plan.id, (told, ("job.overdue.recovered", begun, begun + 2 * slack)))


def _disabled(plan: Plan, slack: timedelta) -> Planted:
    assert plan.disabled
    begin, end = plan.disabled
    told = ("job.disabled", begin + 12 * HOUR, begin + 13 * HOUR + 2 * slack)
    return Planted("a disabled job", plan.id, (told, ("job.disabled.recovered", end, end + HOUR + 2 * slack)))


def _failing(plan: Plan, noon: datetime, slack: timedelta) -> Planted:
    good = max(run.ended for run in plan.runs if run.ended < noon and run.status in {"Success", "Warning"})
    again = min(run.ended for run in plan.runs if run.ended > noon and run.status in {"Success", "Warning"})
    told = ("job.stale", good + 60 * HOUR, good + 60 * HOUR + 3 * slack)
    return Planted("a job that fails each night", plan.id, (told, ("job.stale.recovered", again, again + 2 * slack)))


def _run_after(plan: Plan, moment: datetime) -> Run:
    return next(run for run in plan.runs if run.created > moment)


def _stretch(plan_run: Run, length: timedelta) -> None:
    """Let a run last longer, in place of the next nights' runs as far as they would fall into it."""
    plan_run.ended = plan_run.created + length


def _hang(run: Run, slack: timedelta) -> Planted:
    run.frozen, run.status, run.again = run.began + 5 * MINUTE, "Stopped", False
    _stretch(run, 9 * HOUR)
    stalled = run.frozen + 2 * HOUR
    events = (
        ("job.slow", run.created + 50 * MINUTE, run.created + 3 * HOUR),
        ("job.stalled", stalled - 10 * MINUTE, stalled + 10 * MINUTE + 2 * slack),
        ("job.slow.recovered", run.ended, run.ended + 2 * slack),
        ("job.stalled.recovered", run.ended, run.ended + 2 * slack),
    )
    return Planted("a run that hangs", run.id, events)


def _empty(plan: Plan, noon: datetime, slack: timedelta) -> Planted:
    run = next(run for run in plan.runs if run.created > noon)
    run.status, run.objects, run.data = "Success", 0, 0
    after = next(one for one in plan.runs if one.created > run.created and one.status in {"Success", "Warning"})
    told = ("job.short", run.ended, run.ended + 2 * slack)
    return Planted("an empty run", plan.id, (told, ("job.short.recovered", after.ended, after.ended + 2 * slack)))


def _queue(run: Run, slack: timedelta) -> Planted:
    run.began = run.created + 4 * HOUR
    run.ended, run.status = run.began + 30 * MINUTE, "Success"
    told = ("job.stalled", run.created + HOUR, run.created + HOUR + 2 * slack)
    return Planted(
        "a queue that does not move", run.id, (told, ("job.stalled.recovered", run.began, run.began + 2 * slack))
    )


def _disconnect(run: Run, slack: timedelta) -> Planted:
    begin = run.began + 10 * MINUTE
    run.odd, run.status = (begin, begin + HOUR, "Disconnected"), "Success"
    run.ended = begin + HOUR + 5 * MINUTE
    told = ("session.disconnected", begin + 15 * MINUTE, begin + 15 * MINUTE + 3 * slack)
    return Planted("a run that is disconnected", run.id, (told,))
