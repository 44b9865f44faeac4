"""A digest in words: a table as mail, a short text in chat."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from watcher.core.digest import Digest, JobDigest
from watcher.core.model import Status
from watcher.core.render.escape import escape
from watcher.core.render.fit import compose
from watcher.core.render.markup import Kind, Line, cut, shorten
from watcher.core.render.style import Format, Message, Severity, Style
from watcher.core.render.units import moment, number, size

_NAME_LENGTH = 80
_COLOURS = ("#fbd9d7", "#fdeae8", "#fff3dc", "#eeeeee", "#ffffff")
# Outlook draws with Word: attributes count more than styles, and tables are all that lines up.
_TABLE = (
    '<table border="0" cellpadding="6" cellspacing="0" width="100%" '
    'style="border-collapse:collapse;max-width:640px;font-family:Segoe UI,Arial,sans-serif;font-size:15px">'
)
_HEAD = (
    '<tr bgcolor="#e5e5e5"><th align="left">Job</th><th align="left">Runs</th><th align="left">Last good</th>'
    '<th align="right">Data (before)</th></tr>'
)
_END = "</table>"


def render_digest(digest: Digest, style: Style, zone: tzinfo) -> Message:
    """Write a digest within the limits of a style; jobs that find no room are counted."""
    severity = Severity.SUCCESS if digest.is_all_well else Severity.WARNING
    title = overview(digest)
    if style.has_tables:
        body = _html(digest, style.body_limit - (0 if style.title_limit else len(title) + 32), zone)
        whole = body if style.title_limit else f"<b>{escape(title, Format.HTML)}</b><br/>\n{body}"
        return Message(cut(Line(Kind.HEADLINE, title), style.title_limit, Format.TEXT), whole, severity)
    lines = [*_lines(digest, zone)]
    if not style.title_limit:
        return Message("", compose([Line(Kind.HEADLINE, title), *lines], style, noun="more"), severity)
    short = cut(Line(Kind.HEADLINE, title), style.title_limit, Format.TEXT)
    return Message(short, compose(lines, style, noun="more"), severity)


def overview(digest: Digest) -> str:
    """Say it in one line: "Daily digest: all 12 jobs are well, 84 runs"."""
    name = "Weekly digest" if digest.is_weekly else "Daily digest"
    runs = sum(job.runs for job in digest.jobs)
    if digest.is_all_well:
        return f"{name}: all is well, {_count(len(digest.jobs), 'job')}, {_count(runs, 'run')}"
    return f"{name}: {'; '.join(_not_well(digest))}"


def _not_well(digest: Digest) -> Iterator[str]:
    words = ("failed", "failed and good again", "with warnings", "without a run")
    counted = Counter(job.rank for job in digest.jobs if not job.is_well)
    bad = ", ".join(f"{number(counted[rank])} {words[rank]}" for rank in sorted(counted))
    if bad:
        yield f"of {_count(len(digest.jobs), 'job')} {bad}"
    if digest.unreachable:
        yield f"{_count(len(digest.unreachable), 'server')} not reachable"


def _lines(digest: Digest, zone: tzinfo) -> Iterator[Line]:
    yield Line(Kind.SENTENCE, _summary(digest, zone))
    for server in digest.unreachable:
        since = f" since {moment(server.last_success, zone, beside=digest.ends)}" if server.last_success else ""
        yield Line(Kind.SENTENCE, f"{server.name} does not answer{since}.")
    many = len({job.server for job in digest.jobs}) > 1
    for job in digest.jobs:
        if not job.is_well:
            yield Line(Kind.LOG, f"{_name(job, many=many)}: {_said(job, zone, digest.ends)}", is_prose=True)


def _summary(digest: Digest, zone: tzinfo) -> str:
    runs = sum(job.runs for job in digest.jobs)
    moved, before = _moved(digest.jobs)
    data = f", {_data(moved, before)} moved" if moved is not None else ""
    well = sum(job.is_well for job in digest.jobs)
    since = moment(digest.begins, zone, beside=digest.ends)
    others = f" {_count(well, 'job')} well." if well and well < len(digest.jobs) else ""
    return f"Since {since}: {_count(runs, 'run')} of {_count(len(digest.jobs), 'job')}{data}.{others}"


def _moved(jobs: Sequence[JobDigest]) -> tuple[int | None, int | None]:
    moved = [job.moved for job in jobs if job.moved is not None]
    before = [job.moved_before for job in jobs if job.moved_before is not None]
    return (sum(moved) if moved else None), (sum(before) if before else None)


def _said(job: JobDigest, zone: tzinfo, at: datetime) -> str:
    good = f", last good run {moment(job.last_good, zone, beside=at)}" if job.last_good else ""
    return f"{_runs(job)}{'' if job.rank else good}"


def _runs(job: JobDigest) -> str:
    if not job.runs:
        return "no run"
    parts = ((job.failures, "failed"), (job.warnings, "with warnings"), (job.stopped, "stopped"))
    bad = "".join(f", {number(count)} {word}" for count, word in parts if count)
    now = ", now good" if job.failures and job.status == Status.SUCCESS else ""
    return f"{_count(job.runs, 'run')}{bad}{now}"


def _data(moved: int, before: int | None) -> str:
    return f"{size(moved)} ({size(before)} before)" if before is not None else size(moved)


def _name(job: JobDigest, *, many: bool) -> str:
    name = shorten(job.job, _NAME_LENGTH)
    return f"{name} on {job.server}" if many else name


def _count(count: int, noun: str) -> str:
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def _html(digest: Digest, room: int, zone: tzinfo) -> str:
    """Return the table, with as many whole rows as find room."""
    sentences = "".join(
        f"{escape(line.text, Format.HTML)}<br/>\n" for line in _lines(digest, zone) if line.kind == Kind.SENTENCE
    )
    start = f"<p>{sentences}</p>\n{_TABLE}\n{_HEAD}\n"
    many = len({job.server for job in digest.jobs}) > 1
    rows: list[str] = []
    left = room - len(start) - len(_END) - len(_rest(len(digest.jobs)))
    for job in digest.jobs:
        row = _row(job, zone, digest.ends, many=many)
        if len(row) > left:
            break
        rows.append(row)
        left -= len(row)
    hidden = len(digest.jobs) - len(rows)
    whole = f"{start}{''.join(rows)}{_rest(hidden) if hidden else ''}{_END}"
    if len(whole) <= room:
        return whole
    return cut(Line(Kind.SENTENCE, _summary(digest, zone)), room, Format.HTML)


def _rest(hidden: int) -> str:
    return f'<tr><td colspan="4">and {number(hidden)} more</td></tr>\n'


def _row(job: JobDigest, zone: tzinfo, at: datetime, *, many: bool) -> str:
    good = moment(job.last_good, zone, beside=at) if job.last_good else "-"
    before = f" ({size(job.moved_before)})" if job.moved_before is not None else ""
    data = f"{size(job.moved)}{before}" if job.moved is not None else "-"
    cells = (("left", _name(job, many=many)), ("left", _runs(job)), ("left", good), ("right", data))
    line = "border-bottom:1px solid #dddddd"
    said = "".join(
        f'<td align="{side}" valign="top" style="{line}">{escape(text, Format.HTML)}</td>' for side, text in cells
    )
    return f'<tr bgcolor="{_COLOURS[job.rank]}">{said}</tr>\n'
