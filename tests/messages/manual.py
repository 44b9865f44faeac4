"""Writes docs/messages.md: every message as a person gets it, made by the program itself."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import anyio
from trio.testing import MockClock

from tests.core.stories import END, ERRORS, STORIES, an_event
from tests.core.test_core_render_digest import DIGESTS, shown
from tests.messages import chapters
from tests.messages.life import PLAIN, ZURICH, Life
from watcher.channels.templates import Request, reword
from watcher.core.event import JobRef
from watcher.core.render import Details, Format, Message, Style, render
from watcher.core.template import Template

_HEAD = """\
# The messages

What people get to read, made by the program itself: `python -m tests.messages.manual` writes this page, and a test
holds it to that. The first line of each box is the message's title; where a service has no titles, it is its first line
all the same. The times are those of `WATCHER_TIMEZONE`. Which settings lead to what is shown here stands in
[watcher.toml](watcher.toml).
"""
_TELLS: tuple[tuple[str, str, Callable[[], Awaitable[Life]]], ...] = (
    (
        "A night",
        "Quiet hours from 22:00 to 07:00 for the chat. In the night four jobs have trouble, two of them are good again "
        "before the morning. Another route wakes a pager for the board's mail whatever the hour, and tells it of the "
        "recovery.",
        chapters.a_night,
    ),
    (
        "A storm",
        "The repository is gone, and 500 jobs end badly within five seconds. `group_wait` makes one message of it: the "
        "worst first, as many as fit, the rest counted. (Shortened here.)",
        chapters.a_storm,
    ),
    (
        "A week of reminders",
        '`remind_every = "1d"` and `remind_at_most = 3`. The archive runs once a week and fails. The mail of HR fails '
        "each night, and each time that is told, so that there is nothing to remind of.",
        chapters.a_week,
    ),
    (
        "A patch day",
        '`watcher silence add --server HQ --until 14:00 --reason "patch day"`. Four jobs fail meanwhile, two are good '
        "again before it ends. HR's job failed before and is good again: whoever knew of that hears it.",
        chapters.a_patch_day,
    ),
    (
        "A server that does not answer",
        "For an hour, while forty jobs run and two of them fail. One message says so after five minutes, and explains "
        "the silence of all its jobs; what ended meanwhile is told when it answers again.",
        chapters.an_outage,
    ),
)
_LENGTH = 12
HOUR = timedelta(hours=1)


def pages() -> str:
    """Return the whole of docs/messages.md."""
    clock = MockClock(autojump_threshold=0)
    parts: list[str] = anyio.run(_parts, backend="trio", backend_options={"clock": clock})
    return "\n".join(parts)


async def _parts() -> list[str]:
    parts = [_HEAD, *_single(), *_forms(), *_joined()]
    for title, about, tell in _TELLS:
        life = await tell()
        parts += [f"## {title}\n", f"{about}\n"]
        parts += [_box(f"{when}, {room}", message) for room in life.rooms for when, message in life.whole(room)]
    return [*parts, *_digests(), *_words()]


def _single() -> Iterator[str]:
    yield "## One event\n"
    for name, event in STORIES.items():
        if name not in {"nasty-names", "unknown-to-these-words"}:
            yield _box(event.type, render((event,), PLAIN, ZURICH))


def _forms() -> Iterator[str]:
    event = STORIES["failed"]
    yield "## In each markup\n"
    yield "Names and log lines come from tenants: they are escaped, and `@channel` calls nobody.\n"
    for form in (Format.MARKDOWN, Format.HTML):
        yield _box(form.value, render((STORIES["nasty-names"],), Style(form, 8000, 200), ZURICH))
    yield "## Where there is little room\n"
    yield "The reason comes first, log lines last; what does not fit is cut at a word and counted.\n"
    for limit in (160, 400):
        yield _box(f"{limit} characters", render((event,), Style(Format.TEXT, limit, 0), ZURICH))
    yield "## What names people\n"
    yield 'The key `details` of a channel: `"full"` as above, `"short"`, `"none"`.\n'
    for details in (Details.SHORT, Details.NONE):
        yield _box(details.value, render((event,), PLAIN, ZURICH, details=details))


def _joined() -> Iterator[str]:
    yield "## Messages that join\n"
    others = (
        an_event(
            "session.warning", job=JobRef("2", "Fabrikam - Sites"), log=ERRORS[:1], happened=END - timedelta(hours=1)
        ),
        an_event(job=JobRef("3", "Tailspin - Teams"), log=ERRORS[1:]),
    )
    yield _box("of several jobs", render((STORIES["failed"], *others), PLAIN, ZURICH))
    later = an_event("job.recovered", happened=END + timedelta(minutes=30))
    yield _box("of one job, overtaken", render((STORIES["failed"], later), PLAIN, ZURICH))


def _digests() -> Iterator[str]:
    yield "## The digest\n"
    yield "`[digest]`; as mail it is a table.\n"
    for name in ("some", "well"):
        yield _box(name, shown(DIGESTS[name], PLAIN))
    yield shown(DIGESTS["some"], Style(Format.HTML, 30_000, 200, has_tables=True)).body + "\n"


def _words() -> Iterator[str]:
    yield "## A template, and one that fails\n"
    yield "A template that fails never costs a message.\n"
    event = STORIES["failed"]
    request = Request("ops", (event,), render((event,), PLAIN, ZURICH), PLAIN, ZURICH)
    for body in ("{{ job }} of {{ organization }}: {{ reason }}", "{{ jbo }}"):
        yield f"```jinja\n{body}\n```\n"
        yield _box("so", reword([Template(body=body)], request))


def _box(name: str, message: Message) -> str:
    lines = message.body.splitlines()
    if len(lines) > 2 * _LENGTH:
        lines = [*lines[:_LENGTH], "[…]", lines[-1]]
    body = "\n".join(lines)
    title = f"{message.title}\n\n" if message.title else ""
    return f"**{name}** ({message.severity.name.lower()})\n\n```text\n{title}{body}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(pages())
