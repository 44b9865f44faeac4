"""What the tests of the web room share: views, a reader that is a script, and a client without a socket."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from watcher.core.board import Asked, JobCard, Overview, Tally, Telling, choose, tallies
from watcher.core.delivery import State
from watcher.core.event import Event, JobRef, ServerRef
from watcher.core.model import Job, LogLine, Session, Statistics
from watcher.core.record import Known, Outcome
from watcher.core.ruling import Decision, Ruling, Step
from watcher.core.sheet import Account, JobSheet
from watcher.core.silence import Silence
from watcher.core.standing import JobRow
from watcher.core.views import AlarmView, ChannelView, DeliveryView, OutboxView, ServerView, SessionView, StatusView
from watcher.core.watchdog.alarm import Alarm
from watcher.web.app import Acting, create_app
from watcher.web.health import Health
from watcher.web.metrics import Metrics

BASE = "http://localhost:8365"
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ROUTES = [
    "/",
    "/jobs/HQ/j1",
    "/style.css",
    "/live.js",
    "/icon.svg",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/status",
    "/api/jobs",
    "/api/sessions",
    "/api/deliveries",
    "/api/silences",
    "/api/openapi.json",
]
KEPT = {"/style.css", "/live.js", "/icon.svg"}


def ago(seconds: float) -> datetime:
    """Return the moment so many seconds before NOW."""
    return NOW - timedelta(seconds=seconds)


def server(name: str = "HQ", **fields: Any) -> ServerView:
    """Make a server whose last look succeeded four seconds ago."""
    usual: dict[str, Any] = {
        "url": "https://hq.example:4443",
        "api_version": "v8",
        "reachable": True,
        "last_poll": ago(4),
        "last_success": ago(4),
        "open_sessions": 2,
        "last_error": None,
    }
    return ServerView(name, **usual | fields)


def channel(name: str = "ops", **fields: Any) -> ChannelView:
    """Make a channel that owes nothing."""
    usual: dict[str, Any] = {"address": "json://hook.example:8080", "pending": 0, "dead": 0, "gone": False}
    return ChannelView(name, **usual | fields)


def status(
    *servers: ServerView,
    channels: Sequence[ChannelView] = (),
    alarms: Sequence[AlarmView] = (),
    pending: int = 0,
    dead: int = 0,
    oldest: float = 0.0,
) -> StatusView:
    """Make a status of these servers; without any, of one that is well."""
    return StatusView(servers or (server(),), OutboxView(pending, dead, oldest), tuple(channels), tuple(alarms))


def alarm(event: str = "proxy.offline", name: str = "proxy-01", **fields: Any) -> AlarmView:
    """Make what the watchdogs have told of a proxy ten minutes ago."""
    usual: dict[str, Any] = {"server": "HQ", "subject": "p1", "since": ago(600), "reason": "the proxy is offline"}
    return AlarmView(event=event, name=name, **usual | fields)


def of_job(kind: str = "job.overdue", **fields: Any) -> Alarm:
    """Make what the watchdogs have told of the job j1 or of its run an hour ago."""
    usual: dict[str, Any] = {
        "subject": "j1",
        "since": ago(3600),
        "reason": "its next run was due and has not begun",
        "raised": True,
        "job": JobRef("j1", "Exchange daily"),
    }
    return Alarm(kind, **usual | fields)


def session(session_id: str = "s1", **fields: Any) -> SessionView:
    """Make a session that failed after a quarter of an hour."""
    usual: dict[str, Any] = {
        "server": "HQ",
        "job": "Exchange daily",
        "status": "Failed",
        "creation_time": ago(3600),
        "end_time": ago(2700),
    }
    return SessionView(id=session_id, **usual | fields)


def delivery(number: int = 1, **fields: Any) -> DeliveryView:
    """Make a delivery that waits for its second attempt."""
    usual: dict[str, Any] = {
        "event_id": "e" * 32,
        "event": "session.failed",
        "channel": "ops",
        "destination": "d",
        "message_id": "m1",
        "state": State.PENDING,
        "attempts": 1,
        "next_attempt": NOW + timedelta(seconds=5),
        "last_error": "HTTP 503",
        "created": ago(60),
    }
    return DeliveryView(number, **usual | fields)


def run(number: int = 1, **fields: Any) -> Session:
    """Make a run that was good and took twenty minutes, so many hours ago."""
    began = NOW - timedelta(hours=number)
    usual: dict[str, Any] = {
        "status": "Success",
        "job_id": "j1",
        "created": began,
        "ended": began + timedelta(minutes=20),
        "statistics": Statistics(transferred=2_000_000_000, processed_objects=120),
    }
    return Session(f"r{number}", **usual | fields)


def row(name: str = "Exchange daily", job_id: str = "j1", **fields: Any) -> JobRow:
    """Make a job that is backed up."""
    usual: dict[str, Any] = {
        "server": ServerRef("HQ", "inst"),
        "job": Job(job_id, name, organization="contoso", last_run=ago(3600), next_run=NOW + timedelta(hours=5)),
        "outcome": Outcome("Success", ago(2400), last_good=ago(2400)),
    }
    return JobRow(1, **usual | fields)


def failing(name: str = "HR - Mail", job_id: str = "j2", **fields: Any) -> JobRow:
    """Make a job that has failed three times since the day before yesterday, a Saturday."""
    stands = Outcome("Failed", ago(3600), 3, NOW - timedelta(days=1, hours=4), NOW - timedelta(days=2))
    return row(name, job_id, **{"outcome": stands} | fields)


def overview(*rows: JobRow, asked: Asked | None = None, cause: str = "", **fields: Any) -> Overview:
    """Make what the first page shows of some jobs, each with four runs."""
    choice = choose(rows, asked or Asked(), NOW)
    usual: dict[str, Any] = {
        "status": status(),
        "cards": tuple(JobCard(one, tuple(run(n) for n in (4, 3, 2, 1)), cause) for one in choice.rows),
        "causes": (cause,) * len(choice.worst),
    }
    return Overview(NOW, choice=choice, **usual | fields)


def telling(**fields: Any) -> Telling:
    """Make a delivery of a failure of the job j2."""
    event = Event(
        "e" * 32,
        "session.failed",
        ServerRef("HQ"),
        ago(60),
        ago(60),
        job=JobRef("j2", fields.pop("job", "HR - Mail")),
        session=run(1, status="Failed"),
        log=(LogLine("error", "Mailbox ann was not found"),),
    )
    return Telling(delivery(**fields), event)


def sheet(one: JobRow | None = None, **fields: Any) -> JobSheet:
    """Make what a job's own page shows: five good runs, and a failed one with its event."""
    found = one or failing()
    told = telling()
    runs = (*(run(n) for n in (6, 5, 4, 3, 2)), run(1, status="Failed", job_id="j2"))
    ruling = Ruling(
        (Step("all", takes=True, reason="notify_on names session.failed"),), (Decision("ops", True, "why"),)
    )
    usual: dict[str, Any] = {
        "sessions": tuple(Known(session) for session in reversed(runs)),
        "told": {"r1": (Account(told.event, ruling, (told.delivery,)),)},
        "slow": timedelta(minutes=40),
    }
    return JobSheet(NOW, JobCard(found, runs, "Mailbox ann was not found"), **usual | fields)


@dataclass(slots=True)
class ScriptedReader:
    """Answers with what it was given, or raises it; keeps what was asked for."""

    state_of_things: StatusView | Exception = field(default_factory=status)
    rows: Sequence[SessionView] = ()
    owed: Sequence[DeliveryView] = ()
    jobs: Sequence[JobRow] = field(default_factory=lambda: [row()])
    view: Overview | None = None
    of_job: JobSheet | None = field(default_factory=lambda: sheet(row()))
    quiet: Sequence[Silence] = ()
    beat: str = "pulse-1"
    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def status(self) -> StatusView:
        """Return the status."""
        if isinstance(self.state_of_things, Exception):
            raise self.state_of_things
        return self.state_of_things

    async def sessions(self, limit: int) -> list[SessionView]:
        """Return the sessions."""
        self.asked.append(("sessions", limit))
        return list(self.rows)

    async def deliveries(self, state: State | None, limit: int) -> list[DeliveryView]:
        """Return the deliveries."""
        self.asked.append(("deliveries", state, limit))
        return list(self.owed)

    async def overview(self, asked: Asked) -> Overview:
        """Return how everything stands."""
        self.asked.append(("overview", asked))
        return self.view or overview(*self.jobs, asked=asked, status=await self.status())

    async def sheet(self, server: str, job: str) -> JobSheet | None:
        """Return one job in full."""
        self.asked.append(("sheet", server, job))
        return self.of_job

    async def standings(self) -> list[JobRow]:
        """Return how all jobs stand."""
        return list(self.jobs)

    async def tallies(self) -> dict[str, Tally]:
        """Return how many jobs stand how."""
        return tallies([(one, 1) for one in self.jobs], NOW)

    async def silences(self, limit: int) -> list[Silence]:
        """Return the silences."""
        self.asked.append(("silences", limit))
        return list(self.quiet)

    async def pulse(self) -> str:
        """Return the pulse, as far as the database can be read."""
        await self.status()
        return self.beat


@dataclass(slots=True)
class Site:
    """An application with all its parts at hand."""

    reader: ScriptedReader = field(default_factory=ScriptedReader)
    health: Health = field(default_factory=lambda: Health(started=NOW))
    metrics: Metrics = field(default_factory=Metrics)
    allowed_hosts: frozenset[str] | None = None
    acting: Acting | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    def app(self) -> Starlette:
        """Build the application."""
        return create_app(
            reader=self.reader,
            health=self.health,
            metrics=self.metrics,
            now=lambda: NOW,
            allowed_hosts=self.allowed_hosts,
            acting=self.acting,
        )

    async def send(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form, with the cookies that were given so far."""
        transport = httpx.ASGITransport(app=self.app())
        async with httpx.AsyncClient(transport=transport, base_url=BASE, cookies=self.cookies) as client:
            answer = await client.post(path, data=form, headers=headers)
            self.cookies = dict(client.cookies)
            return answer

    async def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Make one request; an exception that the application lets out would come out here."""
        transport = httpx.ASGITransport(app=self.app())
        async with httpx.AsyncClient(transport=transport, base_url=BASE, cookies=self.cookies) as client:
            return await client.request(method, path, headers=headers)
