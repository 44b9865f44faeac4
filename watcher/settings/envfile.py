"""The env file: one `NAME=value` a line, the value taken word for word to the end of the line.

No escapes and no `$`, so that `DOMAIN\\name` and a password with a `$` stay as they are. One pair of quotes around a
value is taken off, which is how to write a value that begins or ends with a quote or shows its blanks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from watcher.settings.notes import Notes

_QUOTES = ("'", '"')


@dataclass(frozen=True, slots=True)
class Line:
    """One setting of an env file, with the number of its line."""

    number: int
    name: str
    value: str


def lines(text: str, where: str, notes: Notes) -> Iterator[Line]:
    """Read the settings of an env file; a line that is none is noted. Blank lines and `#` lines are left out."""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r").lstrip()
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if equals and name.isidentifier():
            yield Line(number, name, unquoted(value))
        else:
            notes.problem(f"{where}:{number}", _mend(name, has_equals=bool(equals)))


def unquoted(value: str) -> str:
    """Take one pair of equal quotes off a value."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in _QUOTES:
        return value[1:-1]
    return value


def _mend(name: str, *, has_equals: bool) -> str:
    """Say what is wrong with a line without repeating it: it may be the rest of a password."""
    if not has_equals:
        return "is no setting: write NAME=value, all on one line"
    if name.startswith("export "):
        return "begins with `export`: leave that out"
    if name != name.strip():
        return "has a blank before the `=`: write NAME=value"
    return "is no setting: a name is letters, digits and `_`"
