"""Words for people: one message from one event or several, in the form and length that a channel can show."""

from watcher.core.render.message import render
from watcher.core.render.style import Details, Format, Message, Severity, Style

__all__ = ["Details", "Format", "Message", "Severity", "Style", "render"]
