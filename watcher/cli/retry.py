"""`watcher retry`: puts dead deliveries back, beside a daemon that takes them up within two seconds."""

import argparse
import sys

from watcher.cli.ending import Ending
from watcher.cli.given import misused, quiet_log, settings_of, store_errors, unknown_name
from watcher.cli.screen import say
from watcher.clock import now
from watcher.core.views import Revived
from watcher.settings import Settings
from watcher.store import open_store


def execute(args: argparse.Namespace) -> int:
    """Put back what was named; 1 if any of it could not be."""
    if bool(args.ids) == args.dead:
        raise misused("retry", "name the ids of deliveries, or --dead for all dead ones")
    settings = settings_of(args, need_secrets=False)
    quiet_log(settings)
    with store_errors():
        # Looked at first, so that naming the wrong database makes none.
        _look_first(settings, args.to)
        store = open_store(settings.database_url.reveal())
        try:
            revived = store.revive(None if args.dead else args.ids, to=args.to, now=now())
        finally:
            store.close()
    return _told(revived)


def _look_first(settings: Settings, to: str | None) -> None:
    """See that the database is there, and the channel in it. Ending 2 for a name that no channel has.

    The names are those that `watcher run` has told the database: who types this may not be able to read the channels.
    """
    store = open_store(settings.database_url.reveal(), read_only=True)
    try:
        known = [channel.name for channel in store.status(now=now()).channels if not channel.gone]
    finally:
        store.close()
    if to is None or to in known:
        return
    if to in {channel.name for channel in settings.channels}:
        raise Ending(f"no `watcher run` has used the channel `{to}` yet: start it, or reload it, first", code=1)
    raise Ending(unknown_name("channel", to, known), code=2)


def _told(revived: Revived) -> int:
    number = len(revived.ids)
    say(f"{number} {'delivery' if number == 1 else 'deliveries'} put back")
    for one, why in revived.refused:
        print(f"watcher: {one} {why}", file=sys.stderr)  # noqa: T201 - the user's line
    return 1 if revived.refused else 0
