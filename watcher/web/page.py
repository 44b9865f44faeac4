"""The first page: what is wrong and since when, then servers, jobs, messages and silences."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from watcher.core.board import Asked, Overview, Tally
from watcher.core.headline import Tone, headline
from watcher.core.render.link import job_path
from watcher.core.render.markup import shorten
from watcher.core.render.units import number
from watcher.core.standing import JobRow, Standing
from watcher.core.trouble import WORDS, breaking, word
from watcher.core.views import AlarmView, ServerView
from watcher.web import people, signs
from watcher.web.frame import Page, Part
from watcher.web.joblist import LONGEST_CAUSE, jobs
from watcher.web.lens import Lens
from watcher.web.markup import Markup, element, join

SERVERS = 24
ERRORS = 3
ALARMS = 12


def overview_page(overview: Overview, asked: Asked, stuck: Sequence[str], lens: Lens) -> Page:
    """Return the page; `stuck`: sentences on loops that make no progress."""
    said = headline(overview, stuck, lens.zone)
    parts = (
        _hero(overview, stuck, lens),
        _breaking(overview, lens),
        _servers(overview, lens),
        jobs(overview, asked, lens),
        people.silences(overview.silences, lens),
        people.messages(overview, lens),
    )
    terms = ({"q": asked.text} if asked.text else {}) | ({"page": str(asked.page)} if asked.page > 1 else {})
    return Page(str(said), parts, live=f"live?{urlencode(terms, errors='replace')}" if terms else "live")


def _hero(overview: Overview, stuck: Sequence[str], lens: Lens) -> Part:
    said = headline(overview, stuck, lens.zone)
    named = element("span", said.named, class_="named") if said.named else ""
    h1 = element("h1", f"{said.said}:" if said.named else said.said, " " if named else "", named)
    rest = element("p", " · ".join(said.rest), class_="rest") if said.rest else ""
    worst = zip(overview.choice.worst, overview.causes, strict=True)
    # what is only slow stays at its place in the list of jobs while others fail
    causes = [
        _cause(row, cause, lens) for row, cause in worst if said.tone is not Tone.BAD or row.standing(lens.now).is_bad
    ]
    causes += [_error(one) for one in overview.status.servers if one.reachable is False and one.last_error][:ERRORS]
    listed = element("ul", *causes, class_="causes") if causes and said.tone in {Tone.BAD, Tone.WARN} else ""
    body = element("div", h1, rest, listed)
    mark = signs.mark(signs.of_tone(said.tone), "large")
    return Part("hero", element("section", mark, body, id="hero", class_=f"hero {said.tone}", aria_label="Summary"))


def _cause(row: JobRow, cause: str, lens: Lens) -> Markup:
    link = element("a", row.job.name or row.job.id, href=lens.root + job_path(row.server.name, row.job.id))
    said = (": ", element("span", shorten(cause, LONGEST_CAUSE), class_="cause")) if cause else ()
    return element("li", link, " on ", row.server.name, *said)


def _error(server: ServerView) -> Markup:
    cause = element("span", shorten(server.last_error or "", LONGEST_CAUSE), class_="cause")
    return element("li", element("strong", server.name), ": ", cause)


def _breaking(overview: Overview, lens: Lens) -> Part:
    """Return what the watchdogs have told of servers and what belongs to them; without any, an empty place for it."""
    alarms = breaking(overview.status.alarms)
    if not alarms:
        return Part("breaking", element("div", id="breaking"))
    rows = [_alarm(one, lens) for one in alarms[:ALARMS]]
    more = len(alarms) - len(rows)
    rest = element("p", f"and {number(more)} more: watcher status", class_="empty") if more > 0 else ""
    head, listed = element("h2", "What is about to break"), element("ul", *rows, class_="log")
    return Part("breaking", element("section", head, listed, rest, id="breaking", class_="card"))


def _alarm(alarm: AlarmView, lens: Lens) -> Markup:
    sign = signs.of_alarm(alarm.event)
    about = alarm.name if alarm.name == alarm.server else f"{alarm.name} on {alarm.server}"
    said = (element("strong", word(alarm.event)), f": {about} ", element("small", shorten(alarm.reason, LONGEST_CAUSE)))
    return element(
        "li",
        element("span", signs.mark(sign), *said),
        element("span", "since ", lens.time(alarm.since), class_="faint"),
    )


def _servers(overview: Overview, lens: Lens) -> Part:
    tallies = overview.choice.by_server
    ills: dict[str, list[AlarmView]] = {}
    for alarm in breaking(overview.status.alarms):
        ills.setdefault(alarm.server, []).append(alarm)

    def worst_first(server: ServerView) -> tuple[bool, int, bool, str]:
        tally = tallies.get(server.name, Tally())
        bad = sum(tally.of(standing) for standing in Standing if standing.is_bad)
        return server.reachable is not False, -bad, server.name not in ills, server.name.casefold()

    ranked = sorted(overview.status.servers, key=worst_first)
    tiles = [_server(one, tallies.get(one.name, Tally()), ills.get(one.name, ()), lens) for one in ranked[:SERVERS]]
    more = len(ranked) - len(tiles)
    rest = element("p", f"and {number(more)} more that answer", class_="empty") if more > 0 else ""
    listed = element("ul", *tiles, class_="tiles") if tiles else element("p", "No server is watched.", class_="empty")
    return Part("servers", element("section", element("h2", "Servers"), listed, rest, id="servers", class_="card"))


def _server(server: ServerView, tally: Tally, alarms: Sequence[AlarmView], lens: Lens) -> Markup:
    sign, answers = signs.of_server(server)
    name = element("p", signs.mark(sign), element("strong", server.name), " ", element("small", server.url))
    state: list[str] = [answers]
    if server.reachable is False and server.failing_since:
        state += [" since ", lens.time(server.failing_since)]
    elif server.api_version:
        state.append(f", {server.api_version}")
    looked = (", looked at ", lens.clock(server.last_poll)) if server.last_poll else ()
    look = element("p", *state, *looked, class_="faint")
    error = element("p", server.last_error, class_="cause") if server.last_error else ""
    remark = element("p", server.remark, class_="faint") if server.remark else ""
    ills = [signs.badge(signs.of_alarm(kind), word(kind)) for kind in dict.fromkeys(one.event for one in alarms)]
    ill = element("p", *ills, class_="ills") if ills else ""
    return element("li", name, element("p", *_counts(tally)), ill, look, error, remark, class_=f"tile {sign.css}")


def _counts(tally: Tally) -> Iterator[Markup]:
    yield join(f"{number(tally.jobs)} {'job' if tally.jobs == 1 else 'jobs'}")
    for standing, words in (
        *WORDS.items(),
        (Standing.RETRYING, "retrying"),
        (Standing.WARNING, "with warnings"),
    ):
        if count := tally.of(standing):
            yield join(", ", element("span", f"{number(count)} {words}", class_=signs.of_standing(standing).css))
    if tally.running:
        yield join(f", {number(tally.running)} running")
