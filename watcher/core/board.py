"""How everything stands, for people who look: all jobs, the worst first, and what a page of them shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from watcher.core.event import Event
from watcher.core.model import Session, Status
from watcher.core.silence import Silence
from watcher.core.standing import JobRow, Standing
from watcher.core.views import DeliveryView, StatusView

STRIP = 30
"""So many of a job's last runs are shown."""

ROWS = 50
"""So many jobs stand on one page of them."""

WORST = 5
"""So many jobs that are in trouble are named above everything else."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which jobs are asked for: those in whose name, server or organization a text stands; a page from 1 on."""

    text: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """How many jobs there are, how many stand how, and how many run."""

    jobs: int = 0
    by_standing: tuple[int, ...] = (0,) * len(Standing)
    running: int = 0

    def of(self, standing: Standing) -> int:
        """Return how many stand so."""
        return self.by_standing[standing]

    def plus(self, standing: Standing, number: int, *, is_running: bool) -> "Tally":
        """Return this with so many more jobs that stand so."""
        counts = list(self.by_standing)
        counts[standing] += number
        return Tally(self.jobs + number, tuple(counts), self.running + number * is_running)


@dataclass(frozen=True, slots=True)
class Choice:
    """What one page shows of all jobs: `rows` of those asked for, `found` in all; `worst` of all there are."""

    tally: Tally
    rows: tuple[JobRow, ...]
    found: int
    page: int
    pages: int
    worst: tuple[JobRow, ...]
    by_server: dict[str, Tally]


@dataclass(frozen=True, slots=True)
class JobCard:
    """A job with its last runs, oldest first, and why it is in trouble ("" where nothing says it)."""

    row: JobRow
    runs: tuple[Session, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """One delivery, and the event that it tells of."""

    delivery: DeliveryView
    event: Event


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page shows. `causes`: those of `choice.worst`. `dead`: the latest of `status.outbox.dead`."""

    now: datetime
    status: StatusView
    choice: Choice
    cards: tuple[JobCard, ...] = ()
    causes: tuple[str, ...] = ()
    latest: tuple[Telling, ...] = ()
    dead: tuple[Telling, ...] = ()
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a job by its good runs: the middle length and count of objects."""

    length: timedelta | None = None
    objects: int | None = None


def choose(rows: Iterable[JobRow], asked: Asked, now: datetime) -> Choice:
    """Put all jobs in their order, the worst first, and take the page that is asked for."""
    ranked = sorted(((row.standing(now), row) for row in rows), key=lambda one: _rank(*one))
    wanted = asked.text.casefold().split()
    found = [row for _, row in ranked if _is_meant(row, wanted)] if wanted else [row for _, row in ranked]
    pages = max(ceil(len(found) / ROWS), 1)
    page = min(max(asked.page, 1), pages)
    worst = [row for standing, row in ranked[:WORST] if standing.is_trouble]
    return Choice(
        tally=_tally(ranked),
        rows=tuple(found[(page - 1) * ROWS : page * ROWS]),
        found=len(found),
        page=page,
        pages=pages,
        worst=tuple(worst),
        by_server=_tallies(ranked),
    )


def tallies(alike: Iterable[tuple[JobRow, int]], now: datetime) -> dict[str, Tally]:
    """Count how the jobs of each server stand, by its name; each row stands for so many jobs."""
    found: dict[str, Tally] = {}
    for row, number in alike:
        name = row.server.name
        found[name] = found.get(name, Tally()).plus(row.standing(now), number, is_running=row.running is not None)
    return found


def usual(runs: Sequence[Session]) -> Usual:
    """Say what is usual for a job, by those of its last runs that were good: the same on every page."""
    good = [run for run in runs[-STRIP:] if run.status == Status.SUCCESS]
    lengths = [span for run in good if (span := length(run)) is not None]
    counts = [count for run in good if (count := objects(run))]
    return Usual(
        length=sorted(lengths)[len(lengths) // 2] if lengths else None,
        objects=sorted(counts)[len(counts) // 2] if counts else None,
    )


def length(run: Session) -> timedelta | None:
    """Return how long a run took; None while it goes on, or where its times say nothing."""
    if run.created is None or run.ended is None or run.ended < run.created:
        return None
    return run.ended - run.created


def objects(run: Session) -> int | None:
    """Return how many objects a run has gone through."""
    done = run.statistics.processed_objects
    return done if done is not None else run.progress


def silenced(row: JobRow, silences: Sequence[Silence], now: datetime) -> Silence | None:
    """Return the silence that is in force for everything a job may say; None if there is none."""
    about = {
        "server": row.server.name,
        "job": row.job.name,
        "job_type": row.job.type,
        "organization": row.job.organization,
    }
    return next((one for one in silences if one.mutes(about, now)), None)


def _rank(standing: Standing, row: JobRow) -> tuple[int, bool, float, str, str]:
    since = row.since.timestamp() if standing.is_trouble and row.since else 0.0
    return standing, row.running is None, since, row.job.name.casefold(), row.server.name


def _is_meant(row: JobRow, words: Sequence[str]) -> bool:
    where = f"{row.job.name}\n{row.server.name}\n{row.job.organization or ''}".casefold()
    return all(word in where for word in words)


def _tallies(ranked: Sequence[tuple[Standing, JobRow]]) -> dict[str, Tally]:
    by_server: dict[str, list[tuple[Standing, JobRow]]] = {}
    for one in ranked:
        by_server.setdefault(one[1].server.name, []).append(one)
    return {name: _tally(its) for name, its in by_server.items()}


def _tally(ranked: Sequence[tuple[Standing, JobRow]]) -> Tally:
    counts = [0] * len(Standing)
    for standing, _ in ranked:
        counts[standing] += 1
    return Tally(len(ranked), tuple(counts), sum(row.running is not None for _, row in ranked))
