"""`watcher retry`: puts dead deliveries back, beside a daemon that takes them up within two seconds."""

import argparse
import sys

from watcher.cli.ending import Ending
from watcher.cli.given import quiet_log, settings_of, store_errors
from watcher.cli.screen import say
from watcher.clock import now
from watcher.core.views import Revived
from watcher.store import open_store


def execute(args: argparse.Namespace) -> int:
    """Put back what was named; 1 if any of it could not be."""
    if bool(args.ids) == args.dead:
        raise Ending("name the ids of deliveries, or --dead for all dead ones (see `watcher retry --help`)", code=2)
    settings = settings_of(args, need_secrets=False)
    quiet_log(settings)
    with store_errors():
        # Looked at first, so that naming the wrong database makes none.
        open_store(settings.database_url.reveal(), read_only=True).close()
        store = open_store(settings.database_url.reveal())
        try:
            revived = store.revive(None if args.dead else args.ids, to=args.to, now=now())
        finally:
            store.close()
    return _told(revived)


def _told(revived: Revived) -> int:
    number = len(revived.ids)
    say(f"{number} {'delivery' if number == 1 else 'deliveries'} put back")
    for one, why in revived.refused:
        print(f"watcher: {one} {why}", file=sys.stderr)  # noqa: T201 - the user's line
    return 1 if revived.refused else 0
