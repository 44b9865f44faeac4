"""What looking costs: `python -m tests.benchmarks.page [JOBS RUNS]`.

A store with 1,000 jobs of 60 runs each (SQLite, on disk). Measured is the CPU of this process, all threads, for a whole
answer of the application: reading, deciding and writing; then the bytes, what a stream costs while nothing changes and
when one job changes, and the plans of the statements.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import httpx
from sqlalchemy import event
from starlette.applications import Starlette

from tests.browser.estate import NOW
from watcher.clock import Clock
from watcher.core.board import Asked
from watcher.core.model import Greeting, Job, Session, Statistics
from watcher.core.record import End, Known, Outcome, Page
from watcher.daemon.parts import Threaded
from watcher.daemon.site import Reading
from watcher.store import Store, open_store
from watcher.web.app import create_app
from watcher.web.health import Health
from watcher.web.metrics import Metrics

ROUNDS = 7
LIMIT_MS, LIMIT_MB = 300, 1.0
SERVERS = 4
MINUTE = timedelta(minutes=1)


def fill(store: Store, jobs: int, runs: int) -> None:
    """Put jobs with runs into a store: one in twenty fails, one in fifty runs."""
    greeting = Greeting("v8", None, "8.0")
    names = [f"Server {number}" for number in range(SERVERS)]
    store.announce([(name, "https://host:4443") for name in names], [("ops", "json://host")], now=NOW)
    for place, name in enumerate(names):
        server = store.meet(name, "https://host:4443", greeting, first_contact=NOW, news_from=NOW).id
        mine = [f"{place}-{number}" for number in range(jobs // SERVERS)]
        known = {
            one: Job(one, f"Tenant {one} - Mail", organization=f"tenant{one}.example", next_run=NOW + MINUTE)
            for one in mine
        }
        store.finish_look(server, now=NOW, greeting=greeting, watermark=NOW, jobs=known)
        for first in range(0, len(mine), 50):
            some = mine[first : first + 50]
            page = Page(
                tuple(run for job in some for run in _runs(job, runs)),
                {job: Outcome(_status(job, 0), NOW, 1, NOW, NOW) for job in some},
            )
            store.record(server, [], [], lambda _, page=page: page, now=NOW)  # type: ignore[misc]


def _runs(job: str, runs: int) -> list[Known]:
    return [_run(job, number) for number in range(runs)]


def _run(job: str, number: int) -> Known:
    is_open = number == 0 and int(job.partition("-")[2]) % 50 == 7
    began = NOW - number * 24 * 60 * MINUTE - 40 * MINUTE
    status = "Running" if is_open else _status(job, number)
    ended = None if is_open else began + (20 + number % 9) * MINUTE
    figures = Statistics(transferred=10**9 + number * 10**7, processed_objects=400 + number)
    session = Session(f"{job}-{number}", status, job, created=began, ended=ended, progress=400, statistics=figures)
    return Known(session, (End(status, ended),) if ended else ())


def _status(job: str, number: int) -> str:
    place = int(job.partition("-")[2])
    return "Failed" if place % 20 == 3 and number < 3 else ("Warning" if (place + number) % 31 == 0 else "Success")


def median_ms(work: Callable[[], object]) -> float:
    """Return the median CPU of some rounds, after one that warms up."""
    work()
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1000)
    return statistics.median(found)


async def ask(app: Starlette, path: str) -> bytes:
    """Ask the application without a socket."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        answer = await client.get(path)
        assert answer.status_code == 200
        return answer.content


def plans(store: Store) -> None:
    """Print how SQLite answers each statement that a page asks."""
    seen: dict[str, object] = {}

    def listen(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        seen.setdefault(statement, parameters)

    event.listen(store._engine, "before_cursor_execute", listen)
    store.pulse()
    store.overview(Asked(), now=NOW)
    with store._engine.connect() as connection:
        for statement, parameters in list(seen.items()):
            if "sessions" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
                print("  ", "; ".join(str(row[3]) for row in rows))
    event.remove(store._engine, "before_cursor_execute", listen)


def main() -> None:
    """Print the figures."""
    jobs, runs = (int(word) for word in (*sys.argv[1:], "1000", "60")[:2])
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'watcher.db'}")
        fill(store, jobs, runs)
        clock = Clock(lambda: NOW)
        reader = Reading(store, Threaded(only_reads=True), clock)
        app = create_app(reader=reader, health=Health(NOW), metrics=Metrics(), now=clock.now)
        print(f"{jobs} jobs, {runs} runs each:")
        for path in ("/", "/?page=20", "/?q=tenant+3", "/jobs/Server%200/0-3", "/metrics", "/api/jobs?limit=10000"):
            took = median_ms(partial(anyio.run, ask, app, path))
            size = len(anyio.run(ask, app, path)) / 1e6
            print(f"  {path}: {took:.0f} ms of CPU, {size:.2f} MB", end="")
            print(f" (limits {LIMIT_MS} ms, {LIMIT_MB} MB)" if path == "/" else "")
        print(f"  a look at whether anything has changed: {median_ms(store.pulse):.1f} ms of CPU")
        print("plans of what is asked of sessions:")
        plans(store)
        store.close()


if __name__ == "__main__":
    main()
