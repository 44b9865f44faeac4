"""From settings to parts: the servers, the channels and the rules of one configuration."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Protocol, TypedDict, TypeVar

import anyio
import anyio.to_thread

from watcher.clock import Clock
from watcher.core.backoff import OnUnknown, Patience
from watcher.core.model import JOB_KINDS, JobType
from watcher.core.page import Rules
from watcher.core.policy import Policy
from watcher.core.render.style import Details
from watcher.core.template import Template, for_channel
from watcher.core.watchdog.limits import Rulebook
from watcher.daemon.policy import policy_of
from watcher.desk import Channel, Desk
from watcher.guard import Guard
from watcher.logs import Redactor
from watcher.settings import ChannelSettings, ServerSettings, Settings
from watcher.store import Store
from watcher.vb365.access import Access
from watcher.vb365.server import Server
from watcher.watch import Watch, Watched

LOGOUT_WITHIN = 2.0
_T = TypeVar("_T")


class OpenChannel(Channel, Protocol):
    """A channel as its room gives it: what sending needs, where it leads, and a way to close it."""

    @property
    def address(self) -> str: ...
    @property
    def destinations(self) -> tuple[str, ...]: ...
    async def aclose(self) -> None: ...


class UnusableChannels(Exception):  # noqa: N818 - it is said as a sentence
    """Channels whose URLs hold no water: one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep a line for each of them."""
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Threaded:
    """Calls to the store, made one at a time in a worker thread.

    A call that writes is waited for even when its caller is cancelled; one that only reads may be given up, and so may
    any that begins when the process `is_ending`, which a database that is locked must not hold up.
    """

    only_reads: bool = False
    is_ending: bool = False
    limiter: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))
    turn: anyio.Lock = field(default_factory=lambda: anyio.Lock(fast_acquire=True))

    async def __call__(self, work: Callable[[], _T]) -> _T:
        """Run one call and return what it returns."""
        async with self.turn:
            may_be_left = self.only_reads or self.is_ending
            return await anyio.to_thread.run_sync(work, limiter=self.limiter, abandon_on_cancel=may_be_left)


class Channels:
    """The channels of one configuration; they may be opened late, since Apprise takes half a second to import."""

    def __init__(self, settings: Settings, opened: tuple[OpenChannel, ...] | None = None) -> None:
        """Take channels that are open already, or open them when asked."""
        self._settings = settings
        self._ready = anyio.Event()
        self._opened: tuple[OpenChannel, ...] = opened or ()
        if opened is not None:
            self._ready.set()

    async def open(self) -> tuple[OpenChannel, ...]:
        """Open them, if they are not; UnusableChannels if any of them cannot be understood."""
        if not self._ready.is_set():
            self._opened = await open_channels(self._settings)
            self._ready.set()
        return self._opened

    async def ready(self) -> tuple[OpenChannel, ...]:
        """Wait until they are open, and return them."""
        await self._ready.wait()
        return self._opened

    async def aclose(self) -> None:
        """Close what was opened."""
        for channel in self._opened:
            await channel.aclose()


async def open_channels(settings: Settings) -> tuple[OpenChannel, ...]:
    """Build all channels, off the event loop: the first of them brings in Apprise. UnusableChannels names the bad."""
    return await anyio.to_thread.run_sync(_open_channels, settings)


def _open_channels(settings: Settings) -> tuple[OpenChannel, ...]:
    from watcher.channels import BadChannel, open_channel  # noqa: PLC0415 - not before the first look

    opened: list[OpenChannel] = []
    problems: list[str] = []
    for channel in settings.channels:
        try:
            opened.append(open_channel(channel.name, channel.url.reveal(), **manner(channel, settings)))
        except BadChannel as error:
            problems.append(str(error))
    if problems:
        raise UnusableChannels(tuple(problems))
    return tuple(opened)


class Manner(TypedDict):
    """How a channel tells: what its settings come to for `open_channel`."""

    zone: tzinfo
    secret: str | None
    is_fresh: bool
    details: Details
    templates: tuple[Template, ...]
    page: str | None


def manner(channel: ChannelSettings, settings: Settings) -> Manner:
    """Return how one channel tells."""
    return {
        "zone": settings.timezone,
        "secret": channel.secret.reveal() if channel.secret else None,
        "is_fresh": channel.on_unknown is OnUnknown.DROP,
        "details": channel.details,
        "templates": for_channel(settings.templates, channel.name),
        "page": settings.public_url,
    }


def build_server(server: ServerSettings, clock: Clock, kinds: frozenset[JobType] = JOB_KINDS) -> Server:
    """Build the client of one watched server; `kinds` are the work that is watched."""
    access = Access(
        name=server.name,
        url=server.url,
        username=server.username,
        password=server.password.reveal(),
        api_version=server.api_version,
        ca_file=server.ca_file,
        fingerprints=server.tls_fingerprints,
        verify_tls=server.verify_tls,
        proxy=server.proxy.reveal() if server.proxy else None,
    )
    return Server(access, now=clock.now, kinds=kinds)


async def close_servers(servers: Iterable[Server]) -> None:
    """Log out everywhere at once, best effort and within two seconds, also when everything is being cancelled."""
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as closing:
            for server in servers:
                closing.start_soon(close_server, server)


async def close_server(server: Server) -> None:
    """Log out of one, in the same way."""
    with anyio.move_on_after(LOGOUT_WITHIN, shield=True):
        await server.aclose()


@dataclass(slots=True)
class Bench:
    """What all parts of one configuration share. `is_hasty`: no message waits for others to join.

    Rulebook and policy know the labels of all servers, so there is one of each: one for each server would grow with
    the square of their number.
    """

    settings: Settings
    store: Store
    run_db: Threaded
    clock: Clock
    channels: Channels
    owner: str
    is_hasty: bool = False
    _rulebook: Rulebook | None = field(default=None, init=False)
    _policy: Policy | None = field(default=None, init=False)

    def watch(self, server: ServerSettings, source: Server) -> Watch:
        """Put together what looks at one server need."""
        watched = Watched(server.name, server.url, self.settings.lookback, self.settings.keep, self.settings.watch)

        async def rules() -> Rules:
            return Rules(await self.policy(), server.poll_interval, self.settings.hold)

        return Watch(watched, source, self.store, self.run_db, rules)

    def guard(self, watch: Watch, source: Server, server: ServerSettings, *, may_doze: bool = True) -> Guard:
        """Put together what the watchdogs of one server need."""
        return Guard(watch, source, self.store, self.rulebook(), server.poll_interval, may_doze=may_doze)

    def rulebook(self) -> Rulebook:
        """Return from when on something is worth a word of the watchdogs."""
        if self._rulebook is None:
            labels = {one.name: dict(one.labels) for one in self.settings.servers}
            self._rulebook = replace(self.settings.watchdogs, labels=labels)
        return self._rulebook

    async def policy(self) -> Policy:
        """Put together who is told of what, once the channels are open."""
        if self._policy is None:
            return self._policy_with(await self.channels.ready())
        return self._policy

    def _policy_with(self, opened: tuple[OpenChannel, ...]) -> Policy:
        """Put it together, unless one of the many who wait for the channels at once has just done so."""
        if self._policy is None:
            claimant = "" if self.is_hasty else self.owner
            self._policy = policy_of(self.settings, opened, is_hasty=self.is_hasty, claimant=claimant)
        return self._policy

    async def desk(self, channel: Channel) -> Desk:
        """Put together what one channel's sending needs."""
        from watcher.channels.rates import is_for_programs, usual_rate  # noqa: PLC0415 - not before the first look

        chosen = next(one for one in self.settings.channels if one.name == channel.name)
        url = chosen.url.reveal()
        return Desk(
            channel,
            self.store,
            self.run_db,
            self.owner,
            Redactor(self.settings.secret_values()).clean,
            Patience(chosen.give_up_after, chosen.expires_after, chosen.on_unknown),
            batch=chosen.batch if is_for_programs(url) else None,
            rate=chosen.rate or usual_rate(url),
            policy=await self.policy(),
        )

    async def announce(self) -> None:
        """Note which servers and channels there are now, for `status` and `check` to know which are gone."""
        servers = [(server.name, server.url) for server in self.settings.servers if server.enabled]
        opened, now = await self.channels.ready(), self.clock.now()
        addresses = [(channel.name, channel.address) for channel in opened]
        places = {channel.name: channel.destinations for channel in opened}
        spans = {channel.name: channel.give_up_after for channel in self.settings.channels}
        await self.run_db(
            lambda: self.store.announce(servers, addresses, now=now, destinations=places, give_up_after=spans)
        )
