"""One line of a message in each markup, and how lines are joined and cut."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from watcher.core.render.escape import escape, fold
from watcher.core.render.style import Format

ELLIPSIS = "…"
_WORD_SEARCH = 24  # a cut goes back this far for the end of a word


class Kind(Enum):
    """What a line is; lines of one kind stand together."""

    HEADLINE = "headline"
    SENTENCE = "sentence"
    FACT = "fact"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message, not yet escaped. `is_prose`: its beginning alone is worth reading."""

    kind: Kind
    text: str
    label: str = ""
    is_prose: bool = False


_HEADLINES: Mapping[Format, str] = {Format.TEXT: "{}", Format.MARKDOWN: "**{}**", Format.HTML: "<b>{}</b>"}
_BREAKS: Mapping[Format, str] = {Format.TEXT: "\n", Format.MARKDOWN: "\n", Format.HTML: "<br/>\n"}
_LISTED = frozenset({Kind.FACT, Kind.LOG})


def dress(line: Line, form: Format) -> str:
    """Return a line in its markup, everything foreign in it escaped."""
    said = escape(f"{line.label}: {line.text}" if line.label else line.text, form)
    if line.kind == Kind.HEADLINE:
        return _HEADLINES[form].format(said)
    return f"- {said}" if line.kind in _LISTED and form == Format.MARKDOWN else said


def gap(before: Line | None, after: Line, form: Format) -> str:
    """Return what stands between two lines: an empty line between kinds, and in Markdown between paragraphs."""
    if before is None:
        return ""
    apart = before.kind != after.kind or (form == Format.MARKDOWN and after.kind not in _LISTED)
    return _BREAKS[form] * (2 if apart else 1)


def cut(line: Line, room: int, form: Format) -> str:
    """Return the longest beginning of a line whose markup fits, ended at a word where one ends near; "" for none."""
    whole = dress(line, form)
    if len(whole) <= room:
        return whole
    text = fold(line.text)
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(_shortened(line, text, middle, form)) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return _shortened(line, text, low, form) if low > 0 else ""


def _shortened(line: Line, text: str, length: int, form: Format) -> str:
    return dress(replace(line, text=shorten(text, length)), form)


def shorten(text: str, length: int) -> str:
    """Return so many characters of a text, or less to end at a word, and an ellipsis for what is missing."""
    if len(text) <= length:
        return text
    kept = text[:length]
    space = kept.rfind(" ")
    if not text[length].isspace() and space >= max(length - _WORD_SEARCH, 1):
        kept = kept[:space]
    return kept.rstrip(" ,;:.-") + ELLIPSIS
