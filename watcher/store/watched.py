"""The servers: meeting them, and what each look says of them. Each function works in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Text, and_, bindparam, case, cast, delete, func, insert, or_, select, update
from sqlalchemy.exc import NoResultFound

from watcher.core.event import ServerRef
from watcher.core.model import Greeting, Job, JobType, Memory
from watcher.core.record import Refusal, ServerRecord
from watcher.store.columns import UtcTime
from watcher.store.prepared import Prepared
from watcher.store.schema import chains, channels, jobs, kinds, servers, sessions
from watcher.store.statements import lock_table, upsert, upsert_some

_BY_NAME = select(servers).where(servers.c.name == bindparam("name"))
_BY_INSTALLATION = select(servers).where(servers.c.installation_id == bindparam("installation_id"))
_HELD = select(func.min(chains.c.held)).where(chains.c.over.is_(None), chains.c.server_id == bindparam("server_id"))
_MEMORY = Prepared(
    select(servers.c.watermark, _HELD.scalar_subquery().label("held"), kinds.c.kind, kinds.c.mark)
    .outerjoin(kinds, and_(kinds.c.server_id == servers.c.id, kinds.c.mark.is_not(None)))
    .where(servers.c.id == bindparam("server_id"))
)
_OPEN = Prepared(
    select(sessions.c.id, sessions.c.created, sessions.c.kind).where(
        sessions.c.settled.is_(None), sessions.c.server_id == bindparam("server_id")
    )
)
_JOBS = Prepared(select(jobs.c.id, jobs.c.data).where(jobs.c.server_id == bindparam("server_id")))

_SEEN = bindparam("seen", type_=UtcTime)
_FINISH = Prepared(
    update(servers)
    .where(servers.c.id == bindparam("server_id"))
    .values(
        last_poll=bindparam("now"),
        last_success=bindparam("now"),
        last_error=None,
        refused_at=None,
        refused_salt=None,
        refused_login=None,
        doubted_installation=None,
        reading=None,
        failing_since=None,
        failure=None,
        feed_token=func.coalesce(bindparam("token", type_=Text), servers.c.feed_token),
        api_version=bindparam("version"),
        skew_seconds=bindparam("skew"),
        watermark=case(
            (
                or_(servers.c.watermark.is_(None), servers.c.watermark < _SEEN),
                func.coalesce(_SEEN, servers.c.watermark),
            ),
            else_=servers.c.watermark,
        ),
    )
)


def find(connection: Connection, name: str, installation_id: str | None) -> ServerRecord | None:
    """Find a server that was met, by its installation, else by its name."""
    row = _find(connection, name, installation_id)
    return _record(row) if row and row.first_contact else None


def meet(
    connection: Connection, name: str, url: str, greeting: Greeting, *, first_contact: datetime, news_from: datetime
) -> ServerRecord:
    """Find a server or make it known; see `Store.meet`."""
    lock_table(connection, servers)
    found = _find(connection, name, greeting.installation_id)
    if found and found.name != name:
        _free_name(connection, name, first_contact)
    wanted = {
        "name": name,
        "url": url,
        "gone": None,
        "installation_id": (found and found.installation_id) or greeting.installation_id,
        "first_contact": (found and found.first_contact) or first_contact,
        "news_from": (found and found.news_from) or news_from,
    }
    if found is None:
        connection.execute(insert(servers).values(wanted))
    elif any(found._mapping[key] != value for key, value in wanted.items()):  # noqa: SLF001 - public, if underscored
        connection.execute(update(servers).where(servers.c.id == found.id).values(wanted))
    return _record(connection.execute(_BY_NAME, {"name": name}).one())


def memory(connection: Connection, server_id: int, horizon: datetime) -> Memory:
    """Read what is known before a look."""
    key = {"server_id": server_id}
    rows = _MEMORY.all(connection, key)
    if not rows:
        raise NoResultFound("no such server")
    open_sessions = _OPEN.all(connection, key)
    return Memory(
        horizon=horizon,
        watermark=rows[0].watermark,
        open={row.id: row.created for row in open_sessions if row.kind is None},
        held=rows[0].held,
        errands={row.id: JobType(row.kind) for row in open_sessions if row.kind is not None},
        marks={JobType(row.kind): row.mark for row in rows if row.kind is not None},
    )


def finish_look(
    connection: Connection,
    server_id: int,
    *,
    now: datetime,
    greeting: Greeting,
    watermark: datetime | None,
    found_jobs: Mapping[str, Job],
    feed_token: str | None,
) -> None:
    """Write down that a whole look succeeded, and the jobs that have changed since."""
    values: dict[str, Any] = {"server_id": server_id, "now": now, "version": greeting.api_version, "seen": watermark}
    values["token"] = feed_token
    _FINISH.run(connection, values | {"skew": greeting.skew.total_seconds() if greeting.skew is not None else None})
    if not found_jobs:
        return
    stored = {row.id: row.data for row in _JOBS.all(connection, {"server_id": server_id})}
    changed = [
        {"server_id": server_id, "id": job.id, "name": job.name, "data": job}
        for job in found_jobs.values()
        if stored.get(job.id) != job
    ]
    if changed:
        upsert(connection.dialect.name, jobs).run_each(connection, changed)


def replace(
    connection: Connection, old: ServerRecord, url: str, greeting: Greeting, *, first_contact: datetime
) -> ServerRecord:
    """Give a server's name to another installation; see `Store.replace`."""
    lock_table(connection, servers)
    _free_name(connection, old.ref.name, first_contact)
    found = connection.execute(_BY_INSTALLATION, {"installation_id": greeting.installation_id}).first()
    values = {
        "name": old.ref.name,
        "url": url,
        "gone": None,
        "installation_id": greeting.installation_id,
        "first_contact": first_contact,
        "news_from": first_contact,
        "watermark": None,
        "last_success": None,
        "last_error": None,
        "feed_token": None,
        "swept": None,
        "doubted_installation": None,
        "failing_since": None,
        "failure": None,
        "alarms": None,
        "alarm_since": None,
        "alarm_told": None,
    }
    if found is None:
        connection.execute(insert(servers).values(values))
    else:
        connection.execute(update(servers).where(servers.c.id == found.id).values(values))
    return _record(connection.execute(_BY_NAME, {"name": old.ref.name}).one())


def fail_look(
    connection: Connection,
    server: str | int,
    *,
    now: datetime,
    error: str,
    kind: str,
    refusal: Refusal | None,
    doubted: str | None,
) -> None:
    """Write down that a look was given up, also for a name that was never met."""
    values: dict[str, Any] = {"last_poll": now, "last_error": error, "reading": None, "failure": kind}
    if doubted:
        values["doubted_installation"] = doubted
    if refusal:
        values |= {"refused_at": refusal.at, "refused_salt": refusal.salt, "refused_login": refusal.login}
    if isinstance(server, str):
        fresh = upsert_some(connection.dialect.name, servers, ("name",), tuple(values))
        fresh.run(connection, {"name": server, "url": "", **values})
    else:
        connection.execute(update(servers).where(servers.c.id == server).values(values))
    mine = servers.c.name == server if isinstance(server, str) else servers.c.id == server
    connection.execute(update(servers).where(mine, servers.c.failing_since.is_(None)).values(failing_since=now))


def note_reading(connection: Connection, name: str, words: str) -> None:
    """Write down how far a long first reading is."""
    connection.execute(update(servers).where(servers.c.name == name).values(reading=words))


def swept(connection: Connection, server_id: int, now: datetime) -> None:
    """Write down when a server was swept."""
    connection.execute(update(servers).where(servers.c.id == server_id).values(swept=now))


def refusal(connection: Connection, name: str) -> Refusal | None:
    """Read the login of a server that was refused last, if none was accepted since."""
    row = connection.execute(_BY_NAME, {"name": name}).first()
    if row is None or row.refused_at is None:
        return None
    return Refusal(row.refused_at, row.refused_salt, row.refused_login)


def announce(
    connection: Connection,
    server_urls: Sequence[tuple[str, str]],
    channel_addresses: Sequence[tuple[str, str]],
    now: datetime,
) -> None:
    """Write down what the settings name now; everything else is gone from now on."""
    lock_table(connection, servers)
    for table, column, pairs in ((servers, "url", server_urls), (channels, "address", channel_addresses)):
        missing = table.c.gone.is_(None) & table.c.name.not_in([name for name, _ in pairs])
        connection.execute(update(table).where(missing).values(gone=now))
        if pairs:
            rows = [{"name": name, column: value, "gone": None} for name, value in pairs]
            upsert_some(connection.dialect.name, table, ("name",), (column, "gone")).run_each(connection, rows)


def _find(connection: Connection, name: str, installation_id: str | None) -> Row[Any] | None:
    known = None
    if installation_id:
        known = connection.execute(_BY_INSTALLATION, {"installation_id": installation_id}).first()
    return known or connection.execute(_BY_NAME, {"name": name}).first()


def _free_name(connection: Connection, name: str, now: datetime) -> None:
    """Take a name from the row that has it: one that was never met goes, one with a history keeps it, by its number."""
    connection.execute(delete(servers).where(servers.c.name == name, servers.c.first_contact.is_(None)))
    numbered = servers.c.name + "#" + cast(servers.c.id, Text)
    connection.execute(update(servers).where(servers.c.name == name).values(name=numbered, gone=now))


def _record(row: Row[Any]) -> ServerRecord:
    return ServerRecord(
        id=row.id,
        ref=ServerRef(row.name, row.installation_id),
        first_contact=row.first_contact,
        news_from=row.news_from,
        watermark=row.watermark,
        api_version=row.api_version,
        skew=None if row.skew_seconds is None else timedelta(seconds=row.skew_seconds),
        last_poll=row.last_poll,
        last_success=row.last_success,
        last_error=row.last_error,
        doubted=row.doubted_installation,
        feed_token=row.feed_token,
        swept=row.swept,
        refusal=row.refused_at and Refusal(row.refused_at, row.refused_salt, row.refused_login),
    )
