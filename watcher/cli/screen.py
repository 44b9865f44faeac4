"""Printing for people: lines, and tables that fit a terminal's width and go to a pipe whole.

Where a terminal is too narrow for a table, each row becomes a few lines of its own: nothing is cut off.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from watcher.cli.streams import put, writing

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_WIDE = 100_000
_LONG_WORD = 40  # an id is shorter; what is longer may be broken
_FEW_SIGNS = 10
_BETWEEN = 2
_NOTHING = ("", "-")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def plain(text: str) -> str:
    """Return a text that moves no cursor and starts no line: names come from servers, and end up on a terminal."""
    return _CONTROL.sub(" ", text)


def say(line: str) -> None:
    """Print one line."""
    put(f"{plain(line)}\n")


def show_json(text: str) -> None:
    """Print a JSON document, which has no control characters in it."""
    put(f"{text}\n")


@dataclass(frozen=True, slots=True)
class Signs:
    """A cell of signs that have colours, where the terminal has some; the oldest first, which may be left out."""

    signs: tuple[tuple[str, str], ...]

    def latest(self) -> "Signs":
        """Return the last few."""
        return Signs(self.signs[-_FEW_SIGNS:])


Cell: TypeAlias = "str | Signs"


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell]], *, nothing: str) -> None:
    """Print a table, or the sentence `nothing` if there are no rows."""
    cells = [[plain(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    if cells:
        _print(headings, cells)
    else:
        say(nothing)


def _print(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - late: only a table with rows needs rich

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    if _total(_widths(headings, rows, _width)) > console.width:
        rows = [[cell.latest() if isinstance(cell, Signs) else cell for cell in row] for row in rows]
    least = _widths(headings, rows, _word_width)
    if _total(least) > console.width:
        for record in _as_records(headings, rows):
            _put(console, record)
    else:
        widths = _shrunk(_widths(headings, rows, _width), least, console.width)
        _put(console, _as_table(headings, rows, widths))


def _widths(headings: Sequence[str], rows: Sequence[Sequence[Cell]], measure: Callable[[Cell], int]) -> list[int]:
    """Return how wide each column is; `measure`: of one cell."""
    return [max(map(measure, column)) for column in zip(headings, *rows, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _BETWEEN * len(widths)  # the last one is given its space, too


def _shrunk(widths: Sequence[int], least: Sequence[int], across: int) -> list[int]:
    """Take columns away from the widest that can still be broken between words, until all fit."""
    shrunk = list(widths)
    for _ in range(_total(widths) - across):
        broken = [place for place, width in enumerate(shrunk) if width > least[place]]
        shrunk[max(broken, key=lambda place: shrunk[place])] -= 1
    return shrunk


def _width(cell: Cell) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - as above

    return cell_len(cell) if isinstance(cell, str) else len(cell.signs)


def _word_width(cell: Cell) -> int:
    if isinstance(cell, Signs):
        return len(cell.signs)
    return min(max(map(_width, cell.split()), default=0), _LONG_WORD)


def _as_table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int]) -> "RenderableType":
    from rich.table import Table  # noqa: PLC0415 - as above

    lines = Table(box=None, pad_edge=False, header_style="bold")
    for heading, width in zip(headings, widths, strict=True):
        lines.add_column(heading, width=width, overflow="fold")
    for row in rows:
        lines.add_row(*map(_text, row))
    return lines


def _as_records(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator["RenderableType"]:
    """Yield for each row its cells below each other, without those that say nothing, and a blank line between two."""
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

    for number, row in enumerate(rows):
        if number:
            yield ""
        lines = Table.grid(padding=(0, _BETWEEN, 0, 0))
        lines.add_column(min_width=max(map(_width, headings)), no_wrap=True)
        lines.add_column(overflow="fold")
        for heading, cell in zip(headings, row, strict=True):
            if cell not in _NOTHING:
                lines.add_row(Text(heading, style="bold"), _text(cell))
        yield lines


def _text(cell: Cell) -> "Text":
    from rich.text import Text  # noqa: PLC0415 - as above

    # as Text, so that `[red]` in a job's name stays what it is
    return Text(cell) if isinstance(cell, str) else Text.assemble(*cell.signs)


def _put(console: "Console", shown: "RenderableType") -> None:
    with writing(), console.capture() as captured:  # which hands over what was written before
        console.print(shown)
    for line in captured.get().splitlines():
        put(f"{line.rstrip()}\n")
