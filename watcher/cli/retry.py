"""`watcher retry`: puts dead deliveries back, beside a daemon that takes them up within two seconds."""

import argparse

from watcher.cli.database import opened, store_errors
from watcher.cli.ending import Ending
from watcher.cli.given import misused, quiet_log, settings_of, unknown_name
from watcher.cli.screen import say
from watcher.cli.streams import complain
from watcher.clock import now
from watcher.core.views import Revived
from watcher.settings import Settings
from watcher.store import Store


def execute(args: argparse.Namespace) -> int:
    """Put back what was named; 1 if any of it could not be."""
    if bool(args.ids) == args.dead:
        raise misused("retry", "name the ids of deliveries, or --dead for all dead ones")
    settings = settings_of(args, need_secrets=False)
    quiet_log(settings)
    with store_errors(), opened(settings, read_only=False) as store:
        if args.to is not None:
            _check_channel(args.to, store, settings)
        revived = store.revive(None if args.dead else args.ids, to=args.to, now=now())
    return _told(revived, args.to)


def _check_channel(name: str, store: Store, settings: Settings) -> None:
    """Refuse a name that no channel has: Ending 2, or 1 where only no `run` has used the channel yet.

    The names are those that `watcher run` has told the database: who types this may not be able to read the channels.
    """
    known = [channel.name for channel in store.status(now=now()).channels if not channel.gone]
    if name in known:
        return
    if name in {channel.name for channel in settings.channels}:
        raise Ending(f"no `watcher run` has used the channel `{name}` yet: start it, or reload it, first", code=1)
    raise Ending(unknown_name("channel", name, known), code=2)


def _told(revived: Revived, to: str | None) -> int:
    number, known = len(revived.ids), len(revived.known)
    there = f"; {to} has got or is owed {known} of them already" if known else ""
    say(f"{number} {'delivery' if number == 1 else 'deliveries'} put back{there}")
    for one, why in revived.refused:
        complain(f"{one} {why}")
    return 1 if revived.refused else 0
