"""A template: whose words stand in for ours, and for which messages."""

from collections.abc import Iterable
from dataclasses import dataclass

from watcher.core.match import ANYTHING, Pattern

GROUP = "group"
"""What a template for joined messages names as its event; no event is called so."""


@dataclass(frozen=True, slots=True)
class Template:
    """Other words for the title or body of some messages, in Jinja2's language; None keeps ours."""

    channel: Pattern = ANYTHING
    event: Pattern = ANYTHING
    title: str | None = None
    body: str | None = None

    def fits(self, channel: str, kind: str) -> bool:
        """Whether it is for messages of a channel about such an event; joined ones have to be named."""
        if kind == GROUP and GROUP not in self.event.wanted:
            return False
        return self.channel.fits(channel) and self.event.fits(kind)


def for_channel(templates: Iterable[Template], channel: str) -> tuple[Template, ...]:
    """Return those that a channel may use, in their order."""
    return tuple(template for template in templates if template.channel.fits(channel))
