"""Short ways to make the values of the core in tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from watcher.core.diff import Horizon
from watcher.core.event import ServerRef
from watcher.core.model import Job, Session
from watcher.core.page import Rules, Scene
from watcher.core.policy import plain

T0 = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
HQ = ServerRef("HQ", "0f0f0f0f-0000-4000-8000-000000000001")


def at(minutes: float) -> datetime:
    """Return the moment so many minutes after T0, the first contact."""
    return T0 + timedelta(minutes=minutes)


def session(session_id: str = "s1", status: str = "Running", **fields: Any) -> Session:
    """Make a session of job j1 created at T0 + 1 min."""
    fields.setdefault("job_id", "j1")
    fields.setdefault("created", at(1))
    return Session(session_id, status, **fields)


def ended(session_id: str = "s1", status: str = "Success", minutes: float = 10, **fields: Any) -> Session:
    """Make an ended session of job j1."""
    return session(session_id, status, ended=at(minutes), **fields)


HORIZON = Horizon(first_contact=T0, news_from=T0)
EVENT_WORDS = frozenset(
    {
        "session.failed",
        "session.warning",
        "session.stopped",
        "session.success",
        "session.started",
        "session.unrecognized",
        "session.vanished",
        "job.recovered",
    }
)
JOBS = {"j1": Job("j1", "Contoso - Mail", organization="Contoso")}


def rules(words: frozenset[str] = EVENT_WORDS, *, is_final: bool = True, **channels: tuple[str, ...]) -> Rules:
    """Make rules without routes; without channels there is a chat."""
    return Rules(plain(words, channels or {"chat": ("chat",)}, is_final=is_final), timedelta(seconds=30))


ALL_EVENTS = rules()


def scene(minutes: float = 11, **fields: Any) -> Scene:
    """Make the scene of a look so many minutes after first contact."""
    fields.setdefault("rules", ALL_EVENTS)
    fields.setdefault("jobs", JOBS)
    return Scene(server=HQ, horizon=HORIZON, now=at(minutes), server_now=at(minutes), **fields)
