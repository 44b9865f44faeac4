"""How everything stands in a few numbers, on every kind of database."""

from dataclasses import replace
from datetime import timedelta

from tests.store.store_values import GREETING, MINUTE, NOW, failed, meet, page_of, running, write
from watcher.core.model import Job
from watcher.core.record import Page
from watcher.core.ruling import Ruling
from watcher.core.watchdog.alarm import Alarm, Review
from watcher.store import Store


def test_what_stands_is_counted(store: Store) -> None:
    """Of the servers and channels in the settings only."""
    store.announce([("HQ", "https://hq:4443")], [("ops", "json://a")], now=NOW, destinations={"ops": ("",)})
    server = meet(store)
    write(store, server.id, Page((running("s1"), running("s2"))))
    write(store, server.id, page_of(failed("s3")))
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=NOW, jobs={"job-1": Job("job-1", "Mail")})
    standing = store.standing()
    assert [(one.name, one.reachable, one.last_success) for one in standing.servers] == [("HQ", True, NOW)]
    assert (standing.running, standing.pending, standing.dead, standing.sick) == (2, 1, 0, ())
    assert (standing.failing, standing.alarms) == ((("HQ", "job-1"),), 0)
    told, seen = Alarm("proxy.offline", "p1", NOW, raised=True), Alarm("proxy.offline", "p2", NOW)
    store.guard(server.id, [], lambda _: Review(kept=(told, seen)), now=NOW)
    assert store.standing().alarms == 1
    store.announce([], [], now=NOW + timedelta(days=4))
    store.bury(now=NOW + timedelta(days=9))
    standing = store.standing()
    assert (standing.servers, standing.running, standing.failing, standing.alarms) == ((), 0, (), 0)
    assert (standing.pending, standing.dead) == (0, 1)


def test_a_sign_of_life_is_given_once(store: Store) -> None:
    """Not before the first server was met, and not again once it is told."""
    assert store.heartbeat("h1", NOW) is None
    meet(store)
    assert store.heartbeat("h1", NOW) is None
    assert store.heartbeat("h1", NOW + MINUTE) is not None
    event = replace(page_of(failed("s1")).events[0], id="h1")
    store.tell(event, Ruling(), (), now=NOW)
    assert store.heartbeat("h1", NOW + MINUTE) is None
