"""A store with weeks of believable runs in it, for pages that are looked at, and for measuring them."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from watcher.core import event as events
from watcher.core.board import Asked
from watcher.core.delivery import Settlement, State
from watcher.core.event import Event, JobRef, ServerRef, Story, Thing, event_id
from watcher.core.match import Match, Pattern
from watcher.core.model import Greeting, Job, JobType, LogLine, Session, Statistics
from watcher.core.policy import Case, Policy
from watcher.core.record import End, Known, Outcome, Owed, Page, ServerRecord
from watcher.core.ruling import Decision, Ruling, Step
from watcher.core.silence import Silence
from watcher.core.watchdog.alarm import Desk, Review, Says, Verdict, review
from watcher.core.watchdog.facts import Ledger
from watcher.core.watchdog.limits import Limits
from watcher.core.watchdog.running import RUNS, of_run, usual_limit
from watcher.store import Store

NOW = datetime(2026, 3, 3, 7, 42, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CHANNELS = [("chat", "slack"), ("mail", "mailtos://mail.example.com"), ("tickets", "https://tickets.example.com")]
BECAUSE = {
    "Failed": "Failed to connect to organization. The remote server returned an error: (401) Unauthorized.",
    "Warning": "Mailbox Ana Duarte does not have a valid Microsoft 365 license.",
}


@dataclass(frozen=True)
class Plan:
    """A job: how long it takes, how much it moves, and how its last runs ended, the latest last."""

    name: str
    organization: str
    minutes: int
    objects: int
    gigabytes: float
    ends: str = ""
    runs_now: float = 0.0
    times_longer: int = 1


PLANS = (
    Plan("Contoso - Exchange", "contoso.onmicrosoft.com", 64, 412, 5.2, "....w....................FFF"),
    Plan("Contoso - SharePoint", "contoso.onmicrosoft.com", 214, 86, 61, "......F.......w..........s....", 0.62),
    Plan("Contoso - Teams", "contoso.onmicrosoft.com", 88, 58, 7.4, ".........F...............w....w"),
    Plan("Fabrikam - Exchange", "fabrikam.example", 42, 187, 2.3, "..............w..............."),
    Plan("Fabrikam - OneDrive", "fabrikam.example", 118, 187, 18, "....F...................F.....", 0.31, 8),
    Plan("Fabrikam - Shared mailboxes", "fabrikam.example", 14, 22, 0.34, "................w............."),
    Plan("Tailspin - Mail to bucket", "tailspin.example", 31, 131, 1.9, ".............................."),
    Plan("Tailspin - Staff mail", "tailspin.example", 38, 131, 1.9, ".......w..............FF......F"),
    Plan("Tailspin - Students", "tailspin.example", 205, 940, 33, "........s....................."),
)
_STATUS = {".": "Success", "w": "Warning", "F": "Failed", "s": "Stopped"}


def furnish(store: Store) -> None:
    """Put two servers with nine jobs into a store: two fail, two run, one has warnings, one message was given up."""
    store.announce(
        [("HQ", "https://hq.example.com:4443"), ("Branch", "https://branch.example.com:4443")], CHANNELS, now=NOW
    )
    rng = random.Random(7)
    for name, plans in (("HQ", PLANS[:6]), ("Branch", PLANS[6:])):
        greeting = Greeting("v8", f"installation-{name}", "8.0")
        server = store.meet(
            name,
            f"https://{name.lower()}.example.com:4443",
            greeting,
            first_contact=NOW - 40 * DAY,
            news_from=NOW - 40 * DAY,
        )
        jobs = {f"{name}-{number}": _job(f"{name}-{number}", plan) for number, plan in enumerate(plans)}
        store.finish_look(server.id, now=NOW - timedelta(seconds=9), greeting=greeting, watermark=NOW, jobs=jobs)
        for (job_id, job), plan in zip(jobs.items(), plans, strict=True):
            page = _page(server.ref, job, plan, rng)
            store.record(server.id, [], [job_id], lambda _, page=page: page, now=NOW - timedelta(minutes=3))  # type: ignore[misc]
        if name == "HQ":
            _guard(store, server, jobs)
    for channel in ("chat", "mail"):
        rows = store.claim(channel, now=NOW, owner="me", lease=MINUTE, limit=1000)
        store.settle({row.id: Settlement(State.DELIVERED) for row in rows}, owner="me", now=NOW)
    rows = store.claim("tickets", now=NOW, owner="me", lease=MINUTE, limit=1000)
    store.settle({rows[-1].id: Settlement(State.DEAD, "answered 404 Not Found")}, owner="me", now=NOW)
    store.settle({row.id: Settlement(State.DELIVERED) for row in rows[:-1]}, owner="me", now=NOW)
    match = Match((("server", Pattern(("Branch",))), ("job", Pattern(("Tailspin - Students",)))))
    store.silence(Silence(match, NOW - MINUTE, NOW + timedelta(hours=4), "ann", "moving to a new proxy"))


def _guard(store: Store, server: ServerRecord, jobs: Mapping[str, Job]) -> None:
    """Let the watchdogs tell of a run that is slow, and of a proxy and a disk."""
    verdicts = [
        Verdict(
            "proxy.offline",
            "p2",
            Says.YES,
            "the proxy is offline",
            since=NOW - 18 * MINUTE,
            thing=Thing("p2", "proxy-02"),
        ),
        Verdict(
            "repository.low",
            "d1",
            Says.YES,
            "less than 10 %, 704 GB of 8.8 TB are free",
            since=NOW - 5 * HOUR,
            thing=Thing("d1", "Disk 01"),
        ),
    ]
    job = next(one for one in jobs.values() if one.name == "Fabrikam - OneDrive")
    run = next(run for run in store.overview(Asked(job.name), now=NOW).cards[0].runs if not run.is_ended)
    limit = usual_limit(store.runs(server.id, [job.id], most=RUNS)[job.id])
    assert limit is not None
    assert run.created is not None
    known, ref = Known(run), JobRef(job.id, job.name, job.type, job.organization)
    verdicts += of_run(known, ref, Limits(), limit, NOW)

    def decide(ledger: Ledger) -> Review:
        return review(ledger.alarms, verdicts, Desk(ledger.server, NOW, Case(Policy((), {}), NOW)))

    store.guard(server.id, [], decide, now=NOW)


def _job(job_id: str, plan: Plan) -> Job:
    kind = JobType.COPY if "bucket" in plan.name else JobType.BACKUP
    planned = None if plan.runs_now else NOW.replace(hour=22, minute=0, second=0)
    return Job(job_id, plan.name, kind, plan.organization, enabled=True, last_run=NOW, next_run=planned)


def _page(server: ServerRef, job: Job, plan: Plan, rng: random.Random) -> Page:
    runs = list(_runs(job, plan, rng))
    told = [
        _event(server, job, run, runs[:number])
        for number, run in enumerate(runs[-4:], len(runs) - 4)
        if run.status != "Success"
    ]
    told = [one for one in told if one.session and one.session.is_ended and one.session.status != "Stopped"]
    owed = [Owed(one.id, channel, address) for one in told for channel, address in CHANNELS if channel != "mail"]
    known = tuple(Known(run, (End(run.status, run.ended),) if run.is_ended else ()) for run in runs)
    rulings = {one.id: _ruling() for one in told}
    return Page(known, {job.id: _outcome(runs)}, tuple(told), tuple(owed), rulings=rulings)


def _runs(job: Job, plan: Plan, rng: random.Random) -> Iterator[Session]:
    for number, sign in enumerate(plan.ends):
        began = NOW.replace(hour=1, minute=10) - DAY * (len(plan.ends) - 1 - number) + rng.randrange(40) * MINUTE
        share = rng.uniform(0.2, 0.6) if sign in "Fs" else rng.uniform(0.85, 1.2)
        yield _run(job, plan, f"{job.id}-{number}", began, share, _STATUS[sign])
    if plan.runs_now:
        began = NOW - plan.minutes * plan.runs_now * plan.times_longer * MINUTE
        run = _run(job, plan, f"{job.id}-now", began, plan.runs_now, "Running")
        yield replace(run, ended=None)


def _run(job: Job, plan: Plan, name: str, began: datetime, share: float, status: str) -> Session:
    done = round(plan.objects * min(share, 1.0))
    moved = round(plan.gigabytes * share * 1e9)
    return Session(
        name,
        status,
        job.id,
        job.type,
        created=began,
        ended=began + plan.minutes * share * MINUTE,
        progress=done,
        statistics=Statistics(transferred=moved, processed_objects=done),
    )


def _outcome(runs: list[Session]) -> Outcome:
    counted = [run for run in runs if run.status in {"Success", "Warning", "Failed"}]
    last = counted[-1]
    streak = len(counted) - max((n for n, run in enumerate(counted, 1) if run.status != "Failed"), default=0)
    good = [run.ended for run in counted if run.status == "Success"]
    since = counted[-streak].ended if streak else None
    return Outcome(last.status, last.ended, streak, since, good[-1] if good else None)


def _event(server: ServerRef, job: Job, run: Session, before: list[Session]) -> Event:
    kind = events.SESSION_FAILED if run.status == "Failed" else events.SESSION_WARNING
    log = (
        LogLine("success", "Connected to organization"),
        LogLine("warning", BECAUSE["Warning"]),
        *((LogLine("error", BECAUSE["Failed"]),) if run.status == "Failed" else ()),
    )
    happened = run.ended or NOW
    return Event(
        event_id(server, run.id, kind, run.status, run.ended),
        kind,
        server,
        happened,
        happened,
        job=JobRef(job.id, job.name, job.type, job.organization),
        session=run,
        went_to=run.status,
        log=log,
        story=Story(failures=sum(one.status == "Failed" for one in before[-3:]) + 1),
    )


def _ruling() -> Ruling:
    return Ruling(
        (
            Step("on call", takes=False, reason="job is contoso - exchange, not `board*`"),
            Step("people", takes=True, reason="notify_on names session.failed"),
        ),
        (
            Decision("chat", True, "notify_on names session.failed", "people"),
            Decision("mail", False, "quiet hours, which drop it", "people"),
            Decision("tickets", True, "notify_on names session.failed", "programs"),
        ),
    )
