"""`[[templates]]` of watcher.toml: other words, checked for what Jinja2 can read of them."""

from collections.abc import Mapping

from watcher.core.event import REMINDERS
from watcher.core.match import Pattern
from watcher.core.template import GROUP, Template
from watcher.core.wanted import EVENTS, WORDS
from watcher.settings.notes import Notes
from watcher.settings.routes import pattern_of, words_of
from watcher.settings.tabled import Tabled, text

KEYS = ("channel", "event", "title", "body")


def table_template(table: Mapping[str, object], where: str, notes: Notes) -> Template:
    """Return the template that one `[[templates]]` table describes."""
    tabled = Tabled(table, where, notes)
    tabled.known(KEYS)
    if not {"title", "body"} & table.keys():
        notes.problem(where, "changes nothing: write a `title` or a `body`")
    return Template(
        channel=tabled.get("channel", pattern_of, Pattern()),
        event=tabled.get("event", words_of("event", (*sorted(EVENTS | REMINDERS), GROUP), WORDS), Pattern()),
        title=tabled.get("title", _template, None),
        body=tabled.get("body", _template, None),
    )


def _template(value: object) -> str:
    """Take a text that Jinja2 can read; it is loaded for the first one only."""
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415 - late: most settings have no template
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    written = text(value)
    try:
        ImmutableSandboxedEnvironment().parse(written)
    except TemplateSyntaxError as error:
        raise ValueError(f"is no template: line {error.lineno}: {error.message}") from None
    return written
