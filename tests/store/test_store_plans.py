"""How SQLite answers: what the loops and the page ask each time never goes through a history.

SQLite plans without knowing how long a table is, so an empty one shows it.
"""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.store_values import LEASE, NOW, explain, failed, meet, owe, page_of, running, sent_statements, write
from tests.store.test_store_trouble import CALLS
from watcher.core.delivery import Settlement, State
from watcher.core.parcels import Batches, Joined
from watcher.core.record import Page
from watcher.store import open_store

_HISTORY = re.compile(
    r"'(SCAN (?:sessions|events|chains|deliveries)\b(?! USING INDEX ix_sessions_created)"  # from one end to the other
    r"|SEARCH (?:sessions|chains) USING (?:COVERING )?INDEX (?!ix_\w+_open\b)\w+ \(server_id=\?\)"  # all of a server
    r"|SEARCH (?:sessions|chains) USING [^']*\(settled[<>][^']*\))"
)
DAY = timedelta(days=1)
_SMALL = re.compile(r"SCAN \w+ USING INDEX ix_(?:deliveries_(?:pending|dead)|chains_open)\b")
_MAY = {
    "replace": "a server is replaced once in years",
    "prune": "what goes is what is old, a thousand at a time",
    "digest": "sessions of its days alone, by their index",
    "keep_kinds": "another watcher has begun to watch less; then what was over since",
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


def test_a_claim_goes_through_nothing_that_it_does_not_claim() -> None:
    """A receiver that was down for a day is owed a great deal: of that each claim reads a page, and what joins it."""
    store = open_store("sqlite://")
    server = meet(store)
    page = page_of(failed("s1"), failed("s2"), channels=["ops", "hook"])
    write(store, server.id, replace(page, owed=tuple(replace(one, group="night") for one in page.owed)))
    with sent_statements(store) as sent:
        claimed = store.claim("ops", now=NOW, owner="me", lease=LEASE, limit=9, binder=Joined(DAY))
        for _ in range(2):
            posts = store.claim("hook", now=NOW, owner="me", lease=LEASE, limit=9, binder=Batches(1))
            store.settle({row.id: Settlement(State.PENDING, "503", NOW) for row in posts}, owner="me", now=NOW)
    plans = [explain(store, *one) for one in sent]
    store.close()
    assert len(claimed) == len(posts) == 2
    assert len([plan for plan in plans if "ix_deliveries_grouping (channel=? AND grouping=?)" in plan]) == 1
    assert len([plan for plan in plans if "ix_deliveries_subject (channel=? AND subject=?)" in plan]) == 1
    assert not [plan for plan in plans if "(channel=?)" in plan]
