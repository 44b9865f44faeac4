"""How SQLite answers: what the loops and the page ask each time never goes through a history.

SQLite plans without knowing how long a table is, so an empty one shows it.
"""

import re

import pytest

from tests.store.store_values import explain, failed, meet, owe, running, sent_statements, write
from tests.store.test_store_trouble import CALLS
from watcher.core.record import Page
from watcher.store import open_store

_HISTORY = re.compile(
    r"'(SCAN (?:sessions|events|chains|deliveries)\b(?! USING INDEX ix_sessions_created)"  # from one end to the other
    r"|SEARCH (?:sessions|chains) USING (?:COVERING )?INDEX (?!ix_\w+_open\b)\w+ \(server_id=\?\)"  # all of a server
    r"|SEARCH (?:sessions|chains) USING [^']*\(settled[<>][^']*\))"
)
_SMALL = re.compile(r"SCAN \w+ USING INDEX ix_(?:deliveries_(?:pending|dead)|chains_open)\b")
_MAY = {
    "replace": "a server is replaced once in years",
    "prune": "what goes is what is old, a thousand at a time",
    "digest": "sessions of its days alone, by their index",
    "trails": "a person asks what became of one session",
}
_NEWEST = re.compile(
    r"FROM deliveries JOIN events ON events\.id = deliveries\.event_id\s+ORDER BY deliveries\.id DESC\s+LIMIT"
)


@pytest.mark.parametrize("name", CALLS)
def test_nothing_that_is_asked_often_goes_through_a_history(name: str) -> None:
    """Four hundred days of sessions, runs and deliveries must not slow a look, a send or the page."""
    store = open_store("sqlite://")
    server = meet(store)
    owe(store)
    write(store, server.id, Page((running("s1"), failed("s2"))))
    with sent_statements(store) as sent:
        CALLS[name](store)
    asked = [one for one in sent if not _NEWEST.search(one[0])]
    steps = {step for one in asked for step in re.findall(r"'(?:SCAN|SEARCH)[^']*'", explain(store, *one))}
    found = {step for step in steps if _HISTORY.match(step) and not _SMALL.match(step.strip("'"))}
    store.close()
    assert not found or name in _MAY, found
