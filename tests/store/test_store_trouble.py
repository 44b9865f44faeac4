"""Troubles of the world: locks, lost connections and damaged values become one sentence each."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.store.conftest import PostgresServer
from tests.store.store_values import GREETING, LEASE, MINUTE, NOW, event_of, failed, meet, owe, page_of, read, write
from watcher.core.board import Asked
from watcher.core.delivery import Settlement, State
from watcher.core.event import ServerRef
from watcher.core.followup import FollowUp
from watcher.core.match import Match
from watcher.core.model import JobType
from watcher.core.record import Page, ServerRecord
from watcher.core.ruling import Ruling
from watcher.core.silence import Silence
from watcher.core.watchdog.alarm import Review
from watcher.store import Store, StoreError, open_store

RECORD = ServerRecord(1, ServerRef("HQ", GREETING.installation_id), NOW, NOW)

CALLS: dict[str, Callable[[Store], Any]] = {
    "server": lambda store: store.server("HQ"),
    "meet": meet,
    "keep_kinds": lambda store: store.keep_kinds(1, {JobType.RESTORE: NOW}, {}, since=NOW),
    "memory": lambda store: store.memory(1, horizon=NOW),
    "record": lambda store: store.record(1, [], [], lambda _: Page(), now=NOW),
    "finish_look": lambda store: store.finish_look(1, now=NOW, greeting=GREETING, watermark=None, jobs={}),
    "fail_look": lambda store: store.fail_look("HQ", now=NOW, error="no route"),
    "replace": lambda store: store.replace(
        RECORD, "", replace(GREETING, installation_id="other"), lambda _: Page(), first_contact=NOW, now=NOW
    ),
    "note_reading": lambda store: store.note_reading("HQ", "job 1 of 2"),
    "unlike": lambda store: store.unlike(1, [failed("s1").session]),
    "swept": lambda store: store.swept(1, now=NOW),
    "refusal": lambda store: store.refusal("HQ"),
    "announce": lambda store: store.announce([], [], now=NOW),
    "claim": lambda store: store.claim("ops", now=NOW, owner="me", lease=LEASE, limit=1),
    "renew": lambda store: store.renew([1], owner="me", until=NOW),
    "settle": lambda store: store.settle({1: Settlement(State.DELIVERED)}, owner="me", now=NOW),
    "release": lambda store: store.release([1], owner="me"),
    "revive": lambda store: store.revive([1], to=None, now=NOW),
    "bury": lambda store: store.bury(now=NOW),
    "take_over": lambda store: store.take_over("me"),
    "due_open": lambda store: store.due_open(["ops"], now=NOW),
    "status": lambda store: store.status(now=NOW),
    "sessions": lambda store: store.sessions(limit=1),
    "deliveries": lambda store: store.deliveries(state=None, limit=1),
    "prune": lambda store: store.prune(before=NOW),
    "follow_up": lambda store: store.follow_up(lambda _: FollowUp(), now=NOW, with_failing=True),
    "digest": lambda store: store.digest("d", (NOW - MINUTE, NOW + MINUTE), is_weekly=False),
    "standing": lambda store: store.standing(),
    "heartbeat": lambda store: store.heartbeat("h", NOW + MINUTE),
    "tell": lambda store: store.tell(event_of(failed("s1")), Ruling(), (), now=NOW),
    "silence": lambda store: store.silence(Silence(Match(), NOW, NOW + MINUTE)),
    "end_silence": lambda store: store.end_silence(1, now=NOW),
    "silences": lambda store: store.silences(limit=1),
    "trails": lambda store: store.trails("s"),
    "known_jobs": lambda store: store.known_jobs(),
    "guard": lambda store: store.guard(1, ["j1"], lambda _: Review(), now=NOW),
    "runs": lambda store: store.runs(1, ["j1"], most=1),
    "overview": lambda store: store.overview(Asked(), now=NOW),
    "sheet": lambda store: store.sheet("HQ", "job-1", now=NOW),
    "tallies": lambda store: store.tallies(now=NOW),
    "standings": lambda store: store.standings(),
    "pulse": lambda store: store.pulse(),
}
"""One call of every public method that speaks to the database."""


@pytest.fixture(scope="module")
def spoilt(postgres: PostgresServer) -> Iterator[Store]:
    """A store whose tables were dropped behind its back."""
    url = postgres.make()
    store = open_store(url)
    with psycopg.connect(url) as other:
        other.execute("DROP TABLE servers, sessions, events, deliveries, channels, destinations, silences CASCADE")
    yield store
    store.close()
    postgres.drop(url)


@pytest.fixture(scope="module")
def lost(postgres: PostgresServer) -> Iterator[Store]:
    """A store whose server turned everybody out and lets nobody in."""
    url = postgres.make()
    store = open_store(url)
    name = url.partition("?")[0].rsplit("/", 1)[1]
    postgres.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    with psycopg.connect(postgres.uri("postgres")) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    yield store
    store.close()
    postgres.drop(url)


def test_every_method_has_a_call_here() -> None:
    """A new method of the store must come into the table above."""
    public = {name for name in dir(Store) if not name.startswith("_")}
    assert public - {"backend", "hold", "close"} == CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_locked_file_is_a_passing_trouble(sqlite_url: str, name: str) -> None:
    """Whatever is called while another process has the whole file: one sentence, and worth trying again."""
    store = open_store(sqlite_url, patience=timedelta(milliseconds=10))
    meet(store)
    store.close()
    locker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    locker.execute("PRAGMA locking_mode = EXCLUSIVE")
    locker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"watcher\.db: it is locked by another process") as caught:
        CALLS[name](store)
    locker.close()
    assert caught.value.passing
    CALLS[name](store)
    store.close()


@pytest.mark.parametrize("name", [name for name in CALLS if name != "take_over"])
def test_missing_tables_are_a_lasting_trouble(spoilt: Store, name: str) -> None:
    """Whatever is called when somebody took our tables away: one sentence, no raw error, and no use in trying again."""
    with pytest.raises(StoreError, match="the tables are not those of this program") as caught:
        CALLS[name](spoilt)
    assert not caught.value.passing


@pytest.mark.parametrize("name", [name for name in CALLS if name != "take_over"])
def test_a_lost_server_is_a_passing_trouble(lost: Store, name: str) -> None:
    """Whatever is called while PostgreSQL lets nobody in: one sentence, and worth trying again."""
    with pytest.raises(StoreError) as caught:
        CALLS[name](lost)
    assert caught.value.passing
    assert "\n" not in str(caught.value)


def test_a_writer_waits_its_turn(sqlite_url: str) -> None:
    """A lock that goes away within the patience is no trouble at all."""
    store = open_store(sqlite_url)
    locker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    locker.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.2, locker.rollback)
    timer.start()
    assert meet(store).id == 1
    timer.join()
    locker.close()
    store.close()


def test_a_row_locked_on_postgresql_is_a_passing_trouble(postgres_url: str) -> None:
    """A look waits for another watcher's look at the same server, but not for ever."""
    store = open_store(postgres_url, patience=timedelta(milliseconds=50))
    server = meet(store)
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT id FROM servers FOR UPDATE")
        with pytest.raises(StoreError, match="locked by another process") as caught:
            read(store, server.id)
    assert caught.value.passing
    store.close()


def test_a_restart_of_postgresql_costs_no_call(postgres_url: str) -> None:
    """Connections that died while nobody used them are made again unseen."""
    store = open_store(postgres_url)
    server = meet(store)
    with psycopg.connect(postgres_url) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s",
            [other.info.backend_pid],
        )
    assert store.server("HQ") == server
    store.close()


def test_a_value_edited_by_hand_is_named_as_such(store: Store) -> None:
    """What cannot be decoded any more is a sentence, not a traceback."""
    owe(store)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET data = '{broken'")
    with pytest.raises(StoreError, match="edited by hand"):
        store.claim("ops", now=NOW, owner="me", lease=LEASE, limit=1)


def test_a_time_edited_by_hand_is_named_as_such(sqlite_url: str) -> None:
    """SQLite keeps times as text, and takes any."""
    store = open_store(sqlite_url)
    owe(store)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET first_due = 'yesterday'")
    with pytest.raises(StoreError, match="edited by hand"):
        store.claim("ops", now=NOW, owner="me", lease=LEASE, limit=1)
    with pytest.raises(StoreError, match="edited by hand"):
        store.deliveries(state=None, limit=9)
    store.close()


def test_a_damaged_file_says_how_to_mend_it(sqlite_url: str, tmp_path: Path) -> None:
    """A file whose pages are garbage is a sentence with the mend."""
    store = open_store(sqlite_url)
    write(store, meet(store).id, page_of(*(failed(f"s{number}") for number in range(200))))
    store.close()
    path = tmp_path / "watcher.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StoreError, match="damaged; put a copy") as caught:
        open_store(sqlite_url)
    assert not caught.value.passing


def test_a_damaged_file_that_was_mended_is_read_anew(sqlite_url: str, tmp_path: Path) -> None:
    """Nothing has to be started again after somebody put a good copy back."""
    store = open_store(sqlite_url)
    write(store, meet(store).id, page_of(*(failed(f"s{number}") for number in range(200))))
    store.close()
    path = tmp_path / "watcher.db"
    good = path.read_bytes()
    store = open_store(sqlite_url)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (len(good) - 4096))
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged; put a copy"):
            store.sessions(limit=9)
    with path.open("r+b") as file:
        file.write(good)
    assert len(store.sessions(limit=9)) == 9
    assert meet(store).id == 1
    store.close()


def test_a_word_that_no_database_can_keep_costs_a_sentence(store: Store) -> None:
    """Even text that is not Unicode leaves the store as it was, with an error of ours."""
    server = meet(store)
    with pytest.raises(StoreError, match="cannot be stored"):
        write(store, server.id, Page((failed("\ud800"),)))
    assert store.sessions(limit=9) == []
