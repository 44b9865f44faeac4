"""The list of jobs on the first page: the worst first, each with its last runs, what runs now, and what is next."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

from watcher.core.board import Asked, JobCard, Overview, Usual, objects, silenced, usual
from watcher.core.event import JOB_DISABLED
from watcher.core.model import Session, Status
from watcher.core.render.link import job_path
from watcher.core.render.markup import shorten
from watcher.core.render.units import number, ordinal, size
from watcher.core.silence import Silence
from watcher.core.standing import JobRow, Standing
from watcher.core.trouble import WORDS, word
from watcher.core.watchdog.alarm import Alarm
from watcher.web import charts, signs
from watcher.web.frame import Part
from watcher.web.lens import Lens, row_id
from watcher.web.markup import Markup, element, join

_LEGEND = (
    (signs.GOOD, "good"),
    (signs.WARN, "warnings"),
    (signs.BAD, "failed"),
    (signs.IDLE, "stopped"),
    (signs.BUSY, "running"),
)

LONGEST_CAUSE = 240


def jobs(overview: Overview, asked: Asked, lens: Lens) -> Part:
    """Return the list, with its search and its pages."""
    cards = [(row_id(card.row), _job(card, overview.silences, lens)) for card in overview.cards]
    head = element("div", element("h2", "Jobs"), _legend(), _search(overview, asked), class_="bar")
    listed = element("ul", *(html for _, html in cards), class_="jobs") if cards else _none(asked)
    pages = _pages(overview, asked)
    section = element("section", head, listed, pages, id="jobs", class_="card")
    return Part("jobs", section, tuple(cards), join(head, pages))


def progress(row: JobRow, its: Usual, lens: Lens) -> Markup:
    """Say how far a job's run is, beside what is usual for it, and what the watchdogs have told of it; if it runs."""
    if row.running is None:
        return Markup("")
    alarms = row.of_run(row.running)
    words = ", ".join(_progress_words(row.running, its, lens))
    said = [element("span", signs.badge(signs.of_alarm(one.kind), f"{word(one.kind)}: {one.reason}")) for one in alarms]
    bar = _bar(row.running, its, lens)
    return element("div", bar, element("span", words), *said, class_="progress slow" if alarms else "progress")


def _progress_words(run: Session, its: Usual, lens: Lens) -> Iterator[str]:
    if run.created is not None:
        usually = f", usually {charts.rough(its.length)}" if its.length else ""
        yield f"running for {charts.rough(lens.now - run.created)}{usually}"
    else:
        yield "running"
    if (done := objects(run)) is not None:
        whole = f" of about {number(its.objects)}" if its.objects and its.objects > done else ""
        yield f"{number(done)}{whole} objects"


def _bar(run: Session, its: Usual, lens: Lens) -> Markup:
    """Draw the share that is done: of the usual objects, else of the usual time."""
    done = objects(run)
    if its.objects and done is not None:
        share = done / its.objects
    elif its.length and run.created:
        share = (lens.now - run.created) / its.length
    else:
        return Markup("")
    share = min(max(share, 0.0), 0.99)
    label = f"About {share:.0%} done"
    return element("progress", max="100", value=f"{share * 100:.0f}", aria_label=label)


def _job(card: JobCard, silences: tuple[Silence, ...], lens: Lens) -> Markup:
    row, standing = card.row, card.row.standing(lens.now)
    its = usual(card.runs)
    name = element("a", row.job.name or row.job.id, href=lens.root + job_path(row.server.name, row.job.id))
    where = " · ".join(part for part in (row.server.name, row.job.organization) if part)
    title = element("div", element("h3", name), element("p", where, class_="faint"), class_="who")
    how = element("div", *_how(card, standing, silences, lens), class_="how")
    drawn = element("div", charts.strip(card.runs, lens), class_="runs")
    running = progress(row, its, lens)
    cause = _cause(card, standing)
    sign = signs.of_standing(standing)
    under = element("div", cause, running, class_="under") if cause or running else ""
    return element(
        "li", title, how, drawn, _trends(card), _times(card, lens), under, id=row_id(row), class_=f"job {sign.css}"
    )


def _cause(card: JobCard, standing: Standing) -> Markup:
    """Say why a job is in trouble, where that does not stand beside its run."""
    if not card.cause or not standing.is_trouble or is_said_beside_run(card.row, standing):
        return Markup("")
    return element("p", shorten(card.cause, LONGEST_CAUSE), class_="cause" if standing.is_bad else "cause mild")


def is_said_beside_run(row: JobRow, standing: Standing) -> bool:
    """Whether why a job stands so is said beside its run, which is slow, stalled or disconnected."""
    return standing is not Standing.FAILING and row.running is not None and row.alarm in row.of_run(row.running)


def alarm_badge(alarm: Alarm, lens: Lens) -> Markup:
    """Return what the watchdogs have told, and since when it is so."""
    return signs.badge(signs.of_alarm(alarm.kind), *_since(word(alarm.kind), lens.time(alarm.since)))


def _since(words: str, when: Markup) -> tuple[str, ...]:
    return f"{words} since ", when


def _how(card: JobCard, standing: Standing, silences: tuple[Silence, ...], lens: Lens) -> Iterator[Markup]:
    row = card.row
    yield signs.badge(signs.of_standing(standing), *standing_words(card, standing, lens))
    for alarm in row.besides(standing):
        yield alarm_badge(alarm, lens)
    if silence := silenced(row, silences, lens.now):
        yield element("span", "silenced until ", lens.time(silence.over(lens.now)), class_="tag")
    if row.job.enabled is False and all(alarm.kind != JOB_DISABLED for alarm in row.alarms):
        yield element("span", "switched off", class_="tag")


def standing_words(card: JobCard, standing: Standing, lens: Lens) -> tuple[str, ...]:
    """Say how a job stands, and since when where that is no good news."""
    row = card.row
    if standing.is_trouble:
        count = row.outcome.failures if row.outcome and standing is Standing.FAILING else 0
        row_of = f", {ordinal(count)} in a row" if count > 1 else ""
        return (*_since(WORDS[standing], lens.time(row.since, nothing="before it was watched")), row_of)
    if standing is Standing.RETRYING:
        return ("ended badly ", lens.time(row.held), ", waits for its retry")
    if standing is Standing.WARNING:
        ended = row.outcome.ended if row.outcome else None
        return ("with warnings, ", lens.time(ended)) if ended else ("with warnings",)
    if standing is Standing.NEW:
        return ("no run is known yet",)
    if standing is Standing.RESTING:
        return ("has not run since ", lens.time(row.outcome.ended if row.outcome else row.job.last_run))
    return ("stopped by hand, good before",) if _was_stopped(card) else ("backed up",)


def _was_stopped(card: JobCard) -> bool:
    ended = [run for run in card.runs if run.is_ended]
    return bool(ended) and ended[-1].status == Status.STOPPED


def _trends(card: JobCard) -> Markup:
    long, data = charts.lengths(card.runs), charts.volumes(card.runs)
    return element("div", *_trend("Duration", long), *_trend("Data", data), class_="trends")


def _trend(what: str, values: list[float]) -> Iterator[Markup]:
    if not values:
        return
    word, write = ("took", _long) if what == "Duration" else ("moved", _much)
    label = f"{what} of the last {len(values)} runs with a backup: {write(min(values))} to {write(max(values))}"
    yield element("figure", charts.trend(values, label), element("figcaption", f"{word} {write(values[-1])}"))


def _long(seconds: float) -> str:
    return charts.rough(timedelta(seconds=seconds))


def _much(count: float) -> str:
    return size(round(count))


def _times(card: JobCard, lens: Lens) -> Markup:
    last, planned = card.row.last_good, card.row.job.next_run
    ahead = planned if planned and planned > lens.now else None
    rows = (
        element("div", element("dt", "last good"), element("dd", lens.time(last))),
        element("div", element("dt", "next"), element("dd", lens.time(ahead, nothing="not planned"))),
    )
    return element("dl", *rows, class_="times")


def _legend() -> Markup:
    items = (element("span", signs.mark(sign), word, class_=sign.css) for sign, word in _LEGEND)
    return element("p", *items, class_="legend")


def _search(overview: Overview, asked: Asked) -> Markup:
    """Return the search, where there are more jobs than one can see at once."""
    if overview.choice.tally.jobs <= 8 and not asked.text:
        return Markup("")
    field = element(
        "input",
        type="search",
        name="q",
        value=asked.text,
        aria_label="Search jobs",
        placeholder="job, server, organization",
    )
    return element("form", field, element("button", "Search"), method="get", action="./", role="search")


def _none(asked: Asked) -> Markup:
    if asked.text:
        return element("p", f"No job is called so: {asked.text}", class_="empty")
    return element("p", "No job is known yet.", class_="empty")


def _pages(overview: Overview, asked: Asked) -> Markup:
    choice = overview.choice
    if choice.pages < 2:
        return Markup("")
    first = (
        (choice.page - 1) * len(choice.rows) + 1 if choice.page < choice.pages else choice.found - len(choice.rows) + 1
    )
    shown = f"{number(first)} to {number(first + len(choice.rows) - 1)} of {number(choice.found)}"
    before = _page("Before", choice.page - 1, asked) if choice.page > 1 else ""
    after = _page("After", choice.page + 1, asked) if choice.page < choice.pages else ""
    return element("nav", before, element("span", shown), after, aria_label="Pages of jobs", class_="pages")


def _page(word: str, page: int, asked: Asked) -> Markup:
    terms = ({"q": asked.text} if asked.text else {}) | {"page": str(page)}
    return join(element("a", word, href=f"?{urlencode(terms, errors='replace')}#jobs"))
