"""Small pictures of a job's last runs, as SVG without a word of style: strips of signs, trends, bars with a limit."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from watcher.core.board import STRIP, length
from watcher.core.model import Session, Status
from watcher.core.render.units import duration, number, size
from watcher.web import signs
from watcher.web.lens import Lens
from watcher.web.markup import Markup, element, join

_CELL = 12
_PLURALS = {Status.SUCCESS: "good", Status.WARNING: "with warnings", Status.FAILED: "failed", Status.STOPPED: "stopped"}


def strip(runs: Sequence[Session], lens: Lens) -> Markup:
    """Draw one sign for each of the last runs, the latest at the right."""
    runs = runs[-STRIP:]
    missing = STRIP - len(runs)
    blanks = (_at(place, signs.NONE, "") for place in range(missing))
    drawn = (_at(missing + place, signs.of_status(run.status), _title(run, lens)) for place, run in enumerate(runs))
    centred = element("g", *blanks, *drawn, transform=f"translate(-{_CELL // 2} 0)")
    return element("svg", centred, class_="strip", role="img", aria_label=summary(runs))


def summary(runs: Sequence[Session]) -> str:
    """Say in words what a strip shows."""
    if not runs:
        return "No run is known yet"
    counted = Counter(_PLURALS.get(Status(run.status), run.status) if run.is_ended else "running" for run in runs)
    said = ", ".join(f"{number(count)} {word}" for word, count in counted.most_common())
    return f"The last {number(len(runs))} runs: {said}. The latest: {signs.word_of(runs[-1])}"


def _at(place: int, sign: signs.Sign, title: str) -> Markup:
    use = element("use", href=sign.use, x=f"{(place + 0.5) * 100 / STRIP:.4g}%", width=str(_CELL), height="20")
    return element("g", element("title", title) if title else "", use, class_=sign.css)


def _title(run: Session, lens: Lens) -> str:
    when = lens.time(run.created)
    took = length(run)
    after = f", {rough(took)}" if took is not None else ""
    return f"{signs.word_of(run)}, {_text_of(when)}{after}"


def _text_of(markup: Markup) -> str:
    return markup.partition(">")[2].partition("<")[0]


def trend(values: Sequence[float], label: str) -> Markup:
    """Draw how a figure went as a line over the last runs; without two of them there is nothing to draw."""
    if len(values) < 2 or not max(values):
        return Markup("")
    top, step = max(values), 96 / (len(values) - 1)
    points = [f"{2 + place * step:.1f},{22 - 19 * value / top:.1f}" for place, value in enumerate(values)]
    line = element("polyline", points=" ".join(points), fill="none", vector_effect="non-scaling-stroke")
    area = element("polygon", points=" ".join(("2,24", *points, "98,24")), class_="area")
    return element("svg", area, line, class_="trend", viewBox="0 0 100 24", role="img", aria_label=label)


def rough(span: timedelta) -> str:
    """Write a length of time no finer than a person cares: minutes, but seconds for less than one."""
    seconds = span.total_seconds()
    return duration(timedelta(minutes=round(seconds / 60)) if seconds >= 59.5 else span)


def lengths(runs: Sequence[Session]) -> list[float]:
    """Return how long the runs with a backup took, in seconds."""
    return [took.total_seconds() for run in runs if _has_backup(run) and (took := length(run)) is not None]


def volumes(runs: Sequence[Session]) -> list[float]:
    """Return how many bytes the runs with a backup moved."""
    moved = (run.statistics.transferred for run in runs if _has_backup(run))
    return [float(one) for one in moved if one is not None]


def _has_backup(run: Session) -> bool:
    return run.status in {Status.SUCCESS, Status.WARNING}


def length_bars(runs: Sequence[Session], slow: timedelta | None, lens: Lens) -> Markup:
    """Draw how long each run took, with the line above which a run is slow."""
    limit = slow.total_seconds() if slow else None

    def seconds(run: Session) -> float | None:
        took = length(run)
        return took.total_seconds() if took is not None else None

    return _bars(runs, seconds, lambda value: rough(timedelta(seconds=value)), limit, lens, "Duration")


def volume_bars(runs: Sequence[Session], lens: Lens) -> Markup:
    """Draw how much data each run moved."""

    def moved(run: Session) -> float | None:
        found = run.statistics.transferred
        return float(found) if found is not None else None

    return _bars(runs, moved, lambda value: size(round(value)), None, lens, "Data moved")


def _bars(
    runs: Sequence[Session],
    figure: Callable[[Session], float | None],
    write: Callable[[float], str],
    limit: float | None,
    lens: Lens,
    what: str,
) -> Markup:
    found = [(run, value) for run in runs[-STRIP:] if (value := figure(run)) is not None]
    if not found:
        return element("p", "Nothing to draw yet.", class_="faint")
    highest = max(value for _, value in found)
    # A limit far above all bars would flatten them; then only its words are shown.
    top = max(highest, limit if limit is not None and limit <= 3 * highest else 0) or 1
    said = f"{what} of the last {len(found)} runs: {write(min(v for _, v in found))} to {write(highest)}"
    wide = 100 / STRIP
    first = STRIP - len(found)
    drawn = (
        _bar(run, value, (first + place) * wide, wide, top, write, lens) for place, (run, value) in enumerate(found)
    )
    lines = [_line(highest, top, write(highest), "grid", x="0")]
    if limit is not None and limit <= top:
        lines.append(_line(limit, top, f"slow after {duration(timedelta(seconds=limit))}", "limit", x="100%"))
    ground = element("line", x1="0", x2="100%", y1="100%", y2="100%", class_="grid")
    return element("svg", ground, *lines, *drawn, class_="bars", role="img", aria_label=said)


def _bar(
    run: Session, value: float, at: float, wide: float, top: float, write: Callable[[float], str], lens: Lens
) -> Markup:
    tall = max(84 * value / top, 1)
    sign = signs.of_status(run.status)
    title = f"{signs.word_of(run)}, {_text_of(lens.time(run.created))}: {write(value)}"
    rect = element(
        "rect", x=f"{at + wide * 0.15:.2f}%", y=f"{100 - tall:.2f}%", width=f"{wide * 0.7:.2f}%", height=f"{tall:.2f}%"
    )
    return element("g", element("title", title), rect, class_=sign.css)


def _line(value: float, top: float, words: str, css: str, *, x: str) -> Markup:
    at = f"{100 - 84 * value / top:.2f}%"
    line = element("line", x1="0", x2="100%", y1=at, y2=at)
    return element("g", line, element("text", words, x=x, y=at, dy="-5"), class_=css)


def under(runs: Sequence[Session], lens: Lens) -> Markup:
    """Say from when to when a chart goes."""
    shown = runs[-STRIP:]
    if not shown:
        return Markup("")
    return element("p", lens.time(shown[0].created), join(lens.time(shown[-1].created)), class_="span")
