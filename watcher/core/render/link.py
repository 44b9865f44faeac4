"""Addresses of the status page, for links in messages and in the page itself."""

from collections.abc import Sequence
from urllib.parse import quote

from watcher.core.event import Event
from watcher.core.model import JOB_KINDS
from watcher.core.render.escape import escape
from watcher.core.render.style import Format, Message, Style

_MARKS = {"_": "%5F", "~": "%7E"}  # what chats may take for emphasis inside an address
_ROOM = 4  # a link takes a fourth of a message at the most; where it is longer, the words count more


def job_path(server: str, job: str) -> str:
    """Return the address of a job's page, from that of the first page on; percent-encoded, so it is no markup."""
    return f"jobs/{quoted(server)}/{quoted(job)}"


def link(events: Sequence[Event], page: str) -> str:
    """Return where events can be looked at: the page of their job if all are about one, else the first page."""
    jobs = {_job_of(event) for event in events}
    job = jobs.pop()
    return f"{page}/" if job is None or jobs else f"{page}/{job_path(*job)}"


def _job_of(event: Event) -> tuple[str, str] | None:
    """Return the server and the id of an event's job; None where there is none behind it, as behind a restore."""
    job = event.job
    if job is None or (job.type is not None and job.type not in JOB_KINDS):
        return None
    return event.server.name, job.id


def room_for(events: Sequence[Event], page: str | None, style: Style) -> str:
    """Return the end of a message that holds the link, in the style's markup; "" without a page, or without room."""
    if not page:
        return ""
    address = link(events, page)
    if style.format == Format.HTML:
        text = escape(address, Format.HTML)
        end = f'<br/>\n<br/>\n<a href="{text}">See it on the page</a>'
    else:
        end = f"\n\n{address}"
    return end if len(end) * _ROOM <= style.body_limit else ""


def with_link(message: Message, end: str) -> Message:
    """Return a message with the link at its end."""
    return Message(message.title, message.body + end, message.severity) if end else message


def quoted(text: str) -> str:
    """Return a text as a part of an address, without what could be taken for markup."""
    safe = quote(text, safe="", errors="replace")
    for mark, code in _MARKS.items():
        safe = safe.replace(mark, code)
    return safe
