"""Printing for people: lines, and tables that a terminal cuts to its width and a pipe gets whole."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_WIDE = 100_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def plain(text: str) -> str:
    """Return a text that moves no cursor and starts no line: names come from servers, and end up on a terminal."""
    return _CONTROL.sub(" ", text)


def say(line: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{plain(line)}\n")


def show_json(text: str) -> None:
    """Print a JSON document, which has no control characters in it."""
    sys.stdout.write(f"{text}\n")


@dataclass(frozen=True, slots=True)
class Signs:
    """A cell of signs that have colours, where the terminal has some."""

    signs: tuple[tuple[str, str], ...]


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
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    lines = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        # as Text, so that `[red]` in a job's name stays what it is
        lines.add_row(*(Text(cell) if isinstance(cell, str) else Text.assemble(*cell.signs) for cell in row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    with console.capture() as shown:
        console.print(lines)
    for line in shown.get().splitlines():
        sys.stdout.write(f"{line.rstrip()}\n")
