"""Which kinds of work are watched since when, on every kind of database."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine

from tests.store.store_values import GREETING, MINUTE, NOW, running, write
from watcher.core.model import JOB_KINDS, Errand, JobType, Session
from watcher.core.record import Known, Ledger, Page, ServerRecord
from watcher.store import Store, migrations, open_store

LATER = NOW + timedelta(days=9)
ALL = frozenset(JobType)


def meet(store: Store, kinds: frozenset[JobType] = ALL, at: datetime = NOW) -> ServerRecord:
    return store.meet("HQ", "https://hq:4443", GREETING, first_contact=at, news_from=at - MINUTE, kinds=kinds)


def restore(session_id: str = "r1") -> Known:
    session = Session(session_id, "Running", job_type=JobType.RESTORE, created=NOW, errand=Errand("Mailbox of Ann"))
    return Known(session)


def ledger_of(store: Store, server_id: int, session_id: str) -> Ledger:
    found: list[Ledger] = []

    def read(ledger: Ledger) -> Page:
        found.append(ledger)
        return Page()

    store.record(server_id, [session_id], [], read, now=NOW)
    return found[0]


def test_each_kind_has_its_own_first_contact(store: Store) -> None:
    """Those of the first meeting keep it; what is watched later, or again, begins then."""
    assert meet(store, JOB_KINDS).kinds == dict.fromkeys(JOB_KINDS, NOW - MINUTE)
    wider = meet(store, JOB_KINDS | {JobType.RESTORE}, LATER)
    assert wider.kinds == {**dict.fromkeys(JOB_KINDS, NOW - MINUTE), JobType.RESTORE: LATER - MINUTE}
    assert wider == store.server("HQ")
    meet(store, frozenset({JobType.RESTORE}), LATER + MINUTE)
    again = meet(store, ALL, LATER + 2 * MINUTE).kinds
    assert again[JobType.RESTORE] == LATER - MINUTE
    assert again[JobType.BACKUP] == again[JobType.RETRIEVAL] == LATER + MINUTE


def test_marks_are_kept_by_kind(store: Store) -> None:
    """A look remembers up to where it read each of them; a kind that is watched anew is unread."""
    server = meet(store)
    assert store.memory(server.id, horizon=NOW).marks == {}
    moved = {JobType.RESTORE: NOW, JobType.SYNCHRONIZE: NOW - MINUTE}
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs={}, marks=moved)
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs={})
    assert store.memory(server.id, horizon=NOW).marks == moved
    meet(store, ALL - {JobType.RESTORE}, LATER)
    meet(store, ALL, LATER)
    assert store.memory(server.id, horizon=NOW).marks == {JobType.SYNCHRONIZE: NOW - MINUTE}


def test_open_sessions_are_remembered_by_what_they_are(store: Store) -> None:
    """Only the sessions of jobs are read as such; what is watched no longer is not awaited any more."""
    server = meet(store)
    copy = running("c1")
    copy = replace(copy, session=replace(copy.session, job_type=JobType.COPY))
    write(store, server.id, Page((running("s1"), copy, restore())))
    memory = store.memory(server.id, horizon=NOW)
    assert (set(memory.open), memory.errands) == ({"s1", "c1"}, {"r1": JobType.RESTORE})
    meet(store, frozenset({JobType.COPY}), LATER)
    memory = store.memory(server.id, horizon=NOW)
    assert (set(memory.open), memory.errands) == ({"c1"}, {})
    assert ledger_of(store, server.id, "s1").sessions["s1"].closed


def test_another_installation_is_a_first_contact_for_each_kind(store: Store) -> None:
    """Its restores up to now are history as well."""
    met = meet(store)
    other = replace(GREETING, installation_id="22222222-bbbb")
    new = store.replace(met, "https://hq:4443", other, lambda _: Page(), first_contact=LATER, now=LATER)
    assert new.kinds == dict.fromkeys(JobType, LATER)


def test_a_restore_is_listed_by_its_name(store: Store) -> None:
    """`watcher sessions` has nothing better to show where there is no job."""
    server = meet(store)
    nameless = replace(restore("r2").session, errand=Errand(kind="Teams restore"), created=NOW - MINUTE)
    write(store, server.id, Page((restore(), Known(nameless), running("s1", created=NOW - 2 * MINUTE))))
    assert [view.job for view in store.sessions(limit=9)] == ["Mailbox of Ann", "Teams restore", "job-1"]


def test_an_older_database_has_watched_jobs_from_the_first_contact_on(tmp_path: Path) -> None:
    """So an upgrade makes no new first contact, and tells neither old news nor none."""
    path = tmp_path / "watcher.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.run(connection, to="0004")
    engine.dispose()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            "INSERT INTO servers (name, url, installation_id, first_contact, news_from) VALUES (?, ?, ?, ?, ?)",
            ("HQ", "https://hq:4443", GREETING.installation_id, "2026-01-01 00:00:00.000000", "2025-12-31 00:00:00"),
        )
    store = open_store(f"sqlite:///{path}")
    kinds = meet(store, JOB_KINDS | {JobType.RESTORE}).kinds
    store.close()
    long_ago = datetime.fromisoformat("2025-12-31T00:00:00Z")
    assert kinds == {JobType.BACKUP: long_ago, JobType.COPY: long_ago, JobType.RESTORE: NOW - MINUTE}


def test_what_another_watcher_has_forgotten_is_put_back(store: Store) -> None:
    """As it was: since when it is watched, and what is under way; what has vanished or ended stays so."""
    server = meet(store)
    vanished = replace(restore("r2"), closed=True, doubts=2)
    over = replace(restore("r3").session, status="Success", ended=NOW)
    write(store, server.id, Page((restore(), vanished, Known(over), running("s1"))))
    assert store.keep_kinds(server.id, server.kinds, {JobType.RESTORE: NOW}, since=NOW) == frozenset()
    meet(store, JOB_KINDS, LATER)  # it watches less, and begins
    assert store.memory(server.id, horizon=NOW).errands == {}
    assert store.keep_kinds(server.id, server.kinds, {JobType.RESTORE: NOW}, since=LATER - MINUTE) == ALL - JOB_KINDS
    assert store.server("HQ") == replace(meet(store), kinds=server.kinds)
    memory = store.memory(server.id, horizon=NOW)
    assert (memory.errands, memory.marks) == ({"r1": JobType.RESTORE}, {JobType.RESTORE: NOW})
    assert store.keep_kinds(server.id, server.kinds, {JobType.RESTORE: NOW}, since=LATER) == frozenset()
