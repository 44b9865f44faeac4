"""Where messages go: webhooks for programs, and everything that Apprise knows for people.

Nothing heavy is imported until a channel is opened.
"""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Protocol

from watcher.channels.errors import BadChannel
from watcher.core.delivery import Parcel, Verdict
from watcher.core.event import Event
from watcher.core.render.style import Details
from watcher.core.template import Template

__all__ = ["BadChannel", "Channel", "open_channel"]

_WEBHOOKS = ("webhook+http://", "webhook+https://")


class Channel(Protocol):
    """A way to tell somebody.

    `address` is all of the URL that may be shown: scheme, host and port, or the scheme alone where the host is part
    of the secret. `destinations` are stable labels without a secret, one for each target that gets its own delivery.
    `concurrency` is how many sends at once do good.
    """

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def destinations(self) -> tuple[str, ...]: ...
    @property
    def concurrency(self) -> int: ...

    async def send(self, parcel: Parcel) -> Verdict:
        """Send a parcel once and say how it went; nothing that the world does raises."""

    def mistakes(self, examples: Iterable[tuple[Event, ...]]) -> Mapping[str, str]:
        """Try the channel's templates on some messages; return, for each kind of event that fails, why."""

    async def aclose(self) -> None:
        """Give back what the channel holds; nothing is sent after this."""


def open_channel(  # noqa: PLR0913 - each says one thing of how a channel tells
    name: str,
    url: str,
    *,
    zone: tzinfo,
    secret: str | None = None,
    is_fresh: bool = False,
    details: Details = Details.FULL,
    templates: tuple[Template, ...] = (),
    page: str | None = None,
) -> Channel:
    """Make the channel that a URL describes: `webhook+http(s)://…`, or any Apprise URL. Nothing is sent.

    `secret` (`whsec_…`) signs webhooks and means nothing to the others. `zone` is that of the times in messages.
    `is_fresh`: each message gets a connection of its own, since a receiver may hang up on a kept one in the very moment
    of the next message, and nobody knows then whether that arrived. `details`: how much is told of logs and details.
    `templates`: whose words stand in for ours. `page`: the address of the status page, for links.

    Raises:
        BadChannel: the URL, its scheme or the secret does not hold; the text says what does, and shows no secret.
    """
    if url.strip().lower().startswith(_WEBHOOKS):
        from watcher.channels.webhook import WebhookChannel  # noqa: PLC0415 - not needed without webhooks

        return WebhookChannel.open(name, url.strip(), secret=secret, is_fresh=is_fresh, details=details, page=page)
    from watcher.channels.apprise import AppriseChannel  # noqa: PLC0415 - half a second and 17 MB

    return AppriseChannel.open(
        name, url.strip(), zone=zone, is_fresh=is_fresh, details=details, templates=templates, page=page
    )
