"""A job's own page: how it stands, its last sessions with what their logs say, who was told of each, and why."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

from watcher.core.board import Usual, length, objects, silenced, usual
from watcher.core.model import LogLine, Session
from watcher.core.record import Known
from watcher.core.render.link import quoted
from watcher.core.render.units import duration, number, size
from watcher.core.render.words import reason
from watcher.core.ruling import Decision, Ruling
from watcher.core.sheet import Account, JobSheet
from watcher.core.standing import Standing
from watcher.web import charts, people, signs
from watcher.web.frame import Page, Part
from watcher.web.joblist import alarm_badge, is_said_beside_run, progress, standing_words
from watcher.web.lens import Lens, hidden
from watcher.web.markup import Markup, element, join

_SPANS = (("1h", "1 hour"), ("4h", "4 hours"), ("12h", "12 hours"), ("1d", "1 day"), ("7d", "a week"))
_LOG_SIGNS = {"error": signs.BAD, "warning": signs.WARN, "success": signs.GOOD, "stop": signs.IDLE}


def job_page(sheet: JobSheet, lens: Lens) -> Page:
    """Return the page of one job."""
    row = sheet.card.row
    mine = tuple(one for one in sheet.silences if silenced(row, (one,), lens.now))
    parts = (
        _hero(sheet, lens),
        _charts(sheet, lens),
        _acts(sheet, lens),
        people.silences(mine, lens),
        _sessions(sheet, lens),
    )
    return Page(f"{row.job.name or row.job.id} on {row.server.name}", parts, live=f"{quoted(row.job.id)}/live")


def _hero(sheet: JobSheet, lens: Lens) -> Part:
    card, row = sheet.card, sheet.card.row
    standing = row.standing(lens.now)
    sign = signs.of_standing(standing)
    state = element("p", *standing_words(card, standing, lens), class_="lead")
    where = " · ".join(part for part in (row.server.name, row.job.organization, row.job.type) if part)
    running = progress(row, usual(card.runs), lens)
    is_silent = standing is Standing.GOOD or is_said_beside_run(row, standing)
    cause = element("p", card.cause, class_="cause") if card.cause and not is_silent else ""
    also = [element("li", alarm_badge(one, lens), " ", one.reason) for one in row.besides(standing)]
    ahead = row.job.next_run if row.job.next_run and row.job.next_run > lens.now else None
    times = ("Last good ", lens.time(row.last_good), " · next ", lens.time(ahead, nothing="not planned"))
    named = (element("h1", row.job.name or row.job.id), element("p", where, class_="faint"))
    listed = element("ul", *also, class_="causes") if also else ""
    text = element("div", *named, state, cause, listed, running, element("p", *times, class_="rest"))
    return Part("hero", element("section", signs.mark(sign, "large"), text, id="hero", class_=f"hero {sign.css}"))


def _charts(sheet: JobSheet, lens: Lens) -> Part:
    runs = [run for run in sheet.card.runs if run.created]
    its = usual(sheet.card.runs)
    long = element("figure", element("figcaption", element("strong", "Duration"), *_usually(its, sheet.slow)))
    took = element("figure", element("figcaption", element("strong", "Data moved"), *_moved(runs)))
    ended = [run for run in runs if run.is_ended]
    drawn = (
        element(
            "div",
            long,
            charts.length_bars(ended, sheet.slow, lens),
            charts.strip(ended, lens),
            charts.under(ended, lens),
        ),
        element("div", took, charts.volume_bars(ended, lens), charts.strip(ended, lens), charts.under(ended, lens)),
    )
    section = element(
        "section", element("h2", "The last runs"), element("div", *drawn, class_="pair"), id="charts", class_="card"
    )
    return Part("charts", section)


def _usually(its: Usual, slow: timedelta | None) -> Iterator[Markup]:
    if its.length:
        yield join(f", usually {charts.rough(its.length)}")
    if slow:
        yield join(f", slow after {duration(slow)}")


def _moved(runs: list[Session]) -> Iterator[Markup]:
    values = charts.volumes(runs)
    if values:
        yield join(f", {size(round(values[-1]))} at last")


def _acts(sheet: JobSheet, lens: Lens) -> Part:
    """Return the form that silences the job, for readers who may."""
    row = sheet.card.row
    options = (element("option", words, value=span) for span, words in _SPANS)
    form = lens.form(
        "silence",
        hidden("server", row.server.name),
        hidden("job", row.job.id),
        element("label", "Tell nobody of it for ", element("select", *options, name="for")),
        element("label", "because ", element("input", type="text", name="reason", maxlength="200")),
        element("label", "by ", element("input", type="text", name="by", maxlength="60", placeholder="your name")),
        element("button", "Silence it"),
        css="acts",
    )
    return Part("acts", element("section", form, id="acts", class_="card") if form else element("div", id="acts"))


def _sessions(sheet: JobSheet, lens: Lens) -> Part:
    rows = [_session(known, sheet.told.get(known.session.id, ()), lens) for known in sheet.sessions]
    listed = element("ol", *rows, class_="sessions") if rows else element("p", "None was seen yet.", class_="empty")
    return Part("sessions", element("section", element("h2", "Sessions"), listed, id="sessions", class_="card"))


def _session(known: Known, told: tuple[Account, ...], lens: Lens) -> Markup:
    run = known.session
    sign = signs.of_status(run.status)
    head = element("div", signs.badge(sign, signs.word_of(run)), lens.time(run.created), *_figures(run), class_="line")
    why = next((line.text for one in told if (line := reason(one.event))), "")
    lead = element("p", why, class_="cause") if why else ""
    return element("li", head, lead, *_more(told, lens), id=f"s-{run.id}" if run.id.isalnum() else None)


def _figures(run: Session) -> Iterator[Markup]:
    if (took := length(run)) is not None:
        yield element("span", charts.rough(took))
    if (done := objects(run)) is not None:
        yield element("span", f"{number(done)} objects")
    if run.statistics.transferred is not None:
        yield element("span", size(run.statistics.transferred))
    if run.retry_count:
        yield element("span", f"retry {number(run.retry_count)}", class_="tag")


def _more(told: tuple[Account, ...], lens: Lens) -> Iterator[Markup]:
    for account in told:
        log = [line for line in account.event.log if line.text]
        words = _summary(account)
        inside = (*_log(log), *_who(account, lens))
        if inside:
            yield element("details", element("summary", words), *inside, id=f"e-{account.event.id}")


def _summary(account: Account) -> str:
    told = [one.channel for one in account.ruling.decisions if one.tell] if account.ruling else []
    told = told or list(dict.fromkeys(one.channel for one in account.deliveries))
    lines = len(account.event.log)
    log = f"{number(lines)} log lines, " if lines > 1 else ""
    return f"{log}told to {', '.join(told)}" if told else f"{log}told to nobody"


def _log(lines: list[LogLine]) -> Iterator[Markup]:
    if lines:
        rows = (
            element(
                "li",
                signs.mark(_LOG_SIGNS.get(line.type, signs.NONE)),
                element("span", line.text),
                class_=None,
            )
            for line in lines
        )
        yield element("ul", *rows, class_="lines")


def _who(account: Account, lens: Lens) -> Iterator[Markup]:
    rows = [*_deliveries(account, lens), *_not_told(account.ruling)]
    if rows:
        yield element("ul", *rows, class_="lines")


def _deliveries(account: Account, lens: Lens) -> Iterator[Markup]:
    why = {one.channel: _because(one) for one in account.ruling.decisions} if account.ruling else {}
    for channel, same in groupby(account.deliveries, key=lambda one: one.channel):
        for one in same:
            because = element("small", why[channel]) if channel in why else ""
            said = (element("strong", channel), ": ", people.delivery_words(one, lens), " ", because)
            again = (
                lens.form("retry", hidden("id", str(one.id)), element("button", "Try again"))
                if one.state == "dead"
                else ""
            )
            yield element("li", signs.mark(signs.of_delivery(one.state)), element("span", *said), again)


def _because(decision: Decision) -> str:
    return f"(route {decision.route}: {decision.reason})" if decision.route else f"({decision.reason})"


def _not_told(ruling: Ruling | None) -> Iterator[Markup]:
    """Say which channels were not told and why, and which routes led nowhere."""
    if ruling is None:
        return
    for one in ruling.decisions:
        if not one.tell:
            said = (element("strong", one.channel), f": not told: {one.reason}")
            yield element("li", signs.mark(signs.IDLE), element("span", *said))
    for step in ruling.steps:
        if not step.takes:
            words = element("span", f"route {step.route}: {step.reason}", class_="faint")
            yield element("li", signs.mark(signs.NONE), words)
