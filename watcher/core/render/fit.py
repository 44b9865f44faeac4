"""Fitting: the most telling words into the room that a channel has."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from watcher.core.render.markup import ELLIPSIS, Kind, Line, cut, dress, gap
from watcher.core.render.style import Style
from watcher.core.render.words import Headline

_SHORTEST_SUBJECT = 12
_SHORTEST_CUT = 24  # less of a line than this says nothing


def squeeze(headline: Headline, room: int, measure: Callable[[str], int]) -> str:
    """Return a headline whose measure fits the room if its job's name can give way; the server is kept to the last."""
    subject = headline.subject
    while (over := measure(str(replace(headline, subject=subject))) - room) > 0 and len(subject) > _SHORTEST_SUBJECT:
        subject = subject[: max(len(subject) - over, _SHORTEST_SUBJECT) - 1].rstrip() + ELLIPSIS
    return str(replace(headline, subject=subject))


def compose(lines: Sequence[Line], style: Style, *, hidden: int = 0, noun: str) -> str:
    """Join lines to a body within its limit.

    Listed lines that find no room, and those `hidden` before, are counted at the end: "and 14 more log lines".
    """
    whole = _joined(lines, style)
    if not hidden and len(whole) <= style.body_limit:
        return whole
    body, last = "", None
    left = hidden + sum(line.kind == Kind.LOG for line in lines)
    for line in lines:
        reserve = len(_note(line, left - 1, noun, style)) if line.kind == Kind.LOG else 0
        between = gap(last, line, style.format)
        piece = _fitted(line, style.body_limit - len(body) - len(between), reserve, style, is_first=last is None)
        if piece:
            body, last = f"{body}{between}{piece}", line
            left -= line.kind == Kind.LOG
        if piece != dress(line, style.format):
            break
    note = _note(last, left, noun, style)
    return f"{body}{note}" if len(body) + len(note) <= style.body_limit else body


def _joined(lines: Sequence[Line], style: Style) -> str:
    before = (None, *lines)
    return "".join(gap(before[n], line, style.format) + dress(line, style.format) for n, line in enumerate(lines))


def _fitted(line: Line, room: int, reserve: int, style: Style, *, is_first: bool) -> str:
    """Return a line, or its beginning where half of it still says something (half a time or number does not).

    The first line is worth more than the closing note, for which the others leave room.
    """
    whole = dress(line, style.format)
    if len(whole) <= room - reserve:
        return whole
    if line.is_prose and room - reserve >= _SHORTEST_CUT:
        return cut(line, room - reserve, style.format)
    return cut(line, room, style.format) if is_first else ""


def _note(before: Line | None, left: int, noun: str, style: Style) -> str:
    if left <= 0:
        return ""
    note = Line(Kind.LOG, f"and {left} {noun if left > 1 else noun.removesuffix('s')}")
    return gap(before, note, style.format) + dress(note, style.format)
