"""The channels for people: everything that Apprise knows, one target and one verdict at a time."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo

import anyio
from anyio import CapacityLimiter, to_thread
from apprise import NotifyBase, NotifyType

from watcher.channels.judgement import judge
from watcher.channels.kept import Kept
from watcher.channels.plugin import Plan, native_format, plan, style_of
from watcher.channels.templates import Request, problems, reword
from watcher.channels.witness import Sight, watching
from watcher.clock import now
from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.event import Event
from watcher.core.render import Details, Message, Severity, Style, render
from watcher.core.template import Template

_TYPES = {
    Severity.INFO: NotifyType.INFO,
    Severity.SUCCESS: NotifyType.SUCCESS,
    Severity.WARNING: NotifyType.WARNING,
    Severity.FAILURE: NotifyType.FAILURE,
}


class AppriseChannel:
    """Sends with Apprise plugins in a worker thread of its own, so that a receiver that hangs holds nothing else."""

    concurrency = 1  # a receiver that hangs holds one thread

    def __init__(  # noqa: PLR0913 - each says one thing of how a channel tells
        self,
        name: str,
        found: Plan,
        *,
        zone: tzinfo,
        is_fresh: bool = False,
        details: Details = Details.FULL,
        templates: tuple[Template, ...] = (),
        page: str | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Take the plugins that a URL came to."""
        self.name = name
        self.address = found.address
        self.destinations = tuple(target.label for target in found.targets)
        self._plugins = {target.label: target.plugin for target in found.targets}
        self._styles = {plugin: style_of(plugin) for plugin in self._plugins.values()}
        self._zone = zone
        self._details = details
        self._templates = templates
        self._page = page
        self._clock = clock
        self._limiter: CapacityLimiter | None = None
        self._kept = Kept(is_fresh=is_fresh)

    @classmethod
    def open(
        cls,
        name: str,
        url: str,
        *,
        zone: tzinfo,
        is_fresh: bool = False,
        details: Details = Details.FULL,
        templates: tuple[Template, ...] = (),
        page: str | None = None,
    ) -> "AppriseChannel":
        """Read an Apprise URL. Raises BadChannel."""
        found = plan(name, url)
        return cls(name, found, zone=zone, is_fresh=is_fresh, details=details, templates=templates, page=page)

    async def send(self, parcel: Parcel) -> Verdict:
        """Send a parcel once. A cancelled send goes on in its thread: what has left cannot be called back."""
        plugin = self._plugin_for(parcel.destination)
        if plugin is None:
            return Verdict(Sent.REFUSED, "the channel has no such target any more")
        message = self._written(parcel, self._styles[plugin])
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self.concurrency)
        sent, seen = await to_thread.run_sync(
            _notify, plugin, message, self._kept, limiter=self._limiter, abandon_on_cancel=True
        )
        return Verdict(Sent.DELIVERED) if sent else judge(seen, now=self._clock())

    def _written(self, parcel: Parcel, style: Style) -> Message:
        ours = render(parcel.events, style, self._zone, details=self._details, held=parcel.held, page=self._page)
        if not self._templates:
            return ours
        asked = Request(self.name, parcel.events, ours, style, self._zone, self._details, self._page)
        return reword(self._templates, asked)

    def mistakes(self, examples: Iterable[tuple[Event, ...]]) -> Mapping[str, str]:
        """Try the templates on some messages; return, for each kind of event that fails, why."""
        style = next(iter(self._styles.values()))
        requests = [
            Request(self.name, events, render(events, style, self._zone), style, self._zone) for events in examples
        ]
        found: dict[str, str] = {}
        for template in self._templates:
            found |= problems(template, requests)
        return found

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        self._kept.hang_up()

    def _plugin_for(self, destination: str) -> NotifyBase | None:
        """Find a destination's plugin; the only one is right whatever it was called when the delivery was stored."""
        if len(self._plugins) == 1:
            return next(iter(self._plugins.values()))
        return self._plugins.get(destination)


def _notify(plugin: NotifyBase, message: Message, kept: Kept) -> tuple[bool, list[Sight]]:
    """Call the plugin itself, past Apprise's own retries, in the format that it hands on as it is.

    Our text fits already; `truncate` is for services whose dialect makes it longer again.
    """
    with watching(kept) as seen:
        try:
            sent = plugin.notify(
                body=message.body,
                title=message.title,
                notify_type=_TYPES[message.severity],
                body_format=native_format(plugin),
                overflow="truncate",
            )
        except Exception as problem:  # noqa: BLE001 - 180 plugins by many hands: none may end the loop
            seen.append(problem)
            sent = False
    return bool(sent), seen
