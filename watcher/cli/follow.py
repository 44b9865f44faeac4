"""`watcher sessions --follow`: new and changed sessions as they come, a line each."""

import signal
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from watcher.cli.screen import say, show_json
from watcher.cli.streams import flush
from watcher.core.jsonview import dump
from watcher.core.render.units import duration
from watcher.core.views import SessionView
from watcher.store import Store, StoreError

LOOK_EVERY = 1.0
_LATEST = 1000
_Seen = dict[tuple[str, str], tuple[str, datetime | None]]


def follow(store: Store, first: int, zone: tzinfo, *, as_json: bool) -> int:
    """Show the latest sessions, then each that is new or has changed, until Ctrl-C. Returns the exit code."""
    seen: _Seen = {}
    shown = first
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes its background deaf to it
    try:
        while True:
            for session in reversed(list(_news(_read(store), seen))[:shown]):
                _show(session, zone, as_json=as_json)
            flush()
            shown = _LATEST
            time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        return 0


def _read(store: Store) -> list[SessionView]:
    """Read the latest sessions; a database that is busy is read again at the next look."""
    try:
        return store.sessions(limit=_LATEST)
    except StoreError as error:
        if not error.passing:
            raise
        return []


def _news(sessions: Iterable[SessionView], seen: _Seen) -> Iterator[SessionView]:
    """Yield the sessions that are not as they were seen, and take down how they are."""
    for session in sessions:
        key, stands = (session.server, session.id), (session.status, session.end_time)
        if seen.get(key) != stands:
            seen[key] = stands
            yield session


def _show(session: SessionView, zone: tzinfo, *, as_json: bool) -> None:
    if as_json:
        show_json(dump(session))
        return
    when = session.end_time or session.creation_time
    took = session.end_time - session.creation_time if session.end_time and session.creation_time else None
    after = f" after {duration(took)}" if took is not None else ""
    moment = when.astimezone(zone).isoformat(sep=" ", timespec="seconds") if when else "-"
    say(f"{moment}  {session.status or '?'}{after}: {session.job or session.id} on {session.server}")
