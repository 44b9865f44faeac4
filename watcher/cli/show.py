"""`watcher status`, `sessions` and `deliveries`: what the database knows, as a table or as JSON."""

import argparse
from datetime import datetime, tzinfo

from watcher.cli.board import show_alarms, show_headline, show_jobs
from watcher.cli.database import opened, store_errors
from watcher.cli.follow import follow
from watcher.cli.given import quiet_log, settings_of
from watcher.cli.parser import LIMIT
from watcher.cli.screen import say, show_json, table
from watcher.clock import now
from watcher.core.board import Asked
from watcher.core.delivery import State
from watcher.core.jsonview import dump
from watcher.core.views import ChannelView, DeliveryView, OutboxView, ServerView, SessionView
from watcher.settings import Settings
from watcher.store import Store

FIRST = 10


def execute(args: argparse.Namespace) -> int:
    """Show one of the three."""
    settings = settings_of(args, need_secrets=False)
    quiet_log(settings)
    with store_errors(), opened(settings) as store:
        if args.command == "status":
            _show_status(store, settings, as_json=args.json)
        elif args.command == "sessions" and args.follow:
            first = min(args.limit, FIRST) if args.limit == LIMIT else args.limit
            return follow(store, first, settings.timezone, as_json=args.json)
        elif args.command == "sessions":
            _show_sessions(store.sessions(limit=args.limit), settings.timezone, as_json=args.json)
        else:
            state = State(args.state) if args.state else None
            rows = store.deliveries(state=state, limit=args.limit)
            _show_deliveries(rows, settings.timezone, as_json=args.json)
    return 0


def _show_status(store: Store, settings: Settings, *, as_json: bool) -> None:
    if as_json:
        show_json(dump(store.status(now=now()), indent=2))
        return
    overview, zone = store.overview(Asked(), now=now()), settings.timezone
    status = overview.status
    show_headline(overview, zone)
    show_alarms(overview, zone)
    say("")
    table(
        ("server", "address", "API", "state", "last look", "last good look", "open", "last error"),
        (_server_row(server, zone) for server in status.servers),
        nothing="no server has been looked at yet",
    )
    say("")
    table(
        ("channel", "address", "pending", "dead", ""),
        (_channel_row(channel, zone) for channel in status.channels),
        nothing="no channel is known yet",
    )
    say("")
    show_jobs(overview, zone)
    say("")
    say(_owed(status.outbox))


def _server_row(server: ServerView, zone: tzinfo) -> tuple[str, ...]:
    state = {None: "not looked at yet", True: "reachable", False: "NOT REACHABLE"}[server.reachable]
    return (
        server.name,
        server.url,
        server.api_version or "-",
        f"{state}; {server.remark}" if server.remark else state,
        _time(server.last_poll, zone),
        _time(server.last_success, zone),
        str(server.open_sessions),
        server.last_error or "-",
    )


def _channel_row(channel: ChannelView, zone: tzinfo) -> tuple[str, ...]:
    remark = "in no settings any more: what is pending stays unsent" if channel.gone else ""
    if channel.sick_since is not None:
        remark = f"FAILING since {_time(channel.sick_since, zone)}: {channel.sick_reason}"
    return channel.name, channel.address, str(channel.pending), str(channel.dead), remark


def _owed(outbox: OutboxView) -> str:
    oldest = f", the oldest for {outbox.oldest_seconds:.0f} s" if outbox.pending else ""
    return f"{outbox.pending} pending{oldest}; {outbox.dead} dead"


def _show_sessions(sessions: list[SessionView], zone: tzinfo, *, as_json: bool) -> None:
    if as_json:
        show_json(dump(sessions, indent=2))
        return
    table(
        ("server", "job", "status", "started", "ended", "id"),
        ((one.server, one.job or "-", one.status or "?", *_span(one, zone), one.id) for one in sessions),
        nothing="no session is known yet",
    )


def _span(session: SessionView, zone: tzinfo) -> tuple[str, str]:
    return _time(session.creation_time, zone), _time(session.end_time, zone)


def _show_deliveries(deliveries: list[DeliveryView], zone: tzinfo, *, as_json: bool) -> None:
    if as_json:
        show_json(dump(deliveries, indent=2))
        return
    table(
        ("id", "event", "channel", "destination", "state", "attempts", "created", "next attempt", "last error"),
        (_delivery_row(one, zone) for one in deliveries),
        nothing="no delivery is known yet",
    )


def _delivery_row(delivery: DeliveryView, zone: tzinfo) -> tuple[str, ...]:
    return (
        str(delivery.id),
        delivery.event,
        delivery.channel,
        delivery.destination,
        delivery.state.value,
        str(delivery.attempts),
        _time(delivery.created, zone),
        _time(delivery.next_attempt, zone),
        delivery.last_error or _waits(delivery),
    )


def _waits(delivery: DeliveryView) -> str:
    is_held = delivery.held and delivery.state is State.PENDING and not delivery.attempts
    return f"waits: {delivery.held}" if is_held else "-"


def _time(moment: datetime | None, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds") if moment else "-"
