"""`watcher retry`: dead deliveries put back, by hand."""

import json
from datetime import timedelta

from tests.cli.cli_world import NOW, Shell
from watcher.core.delivery import Settlement, State
from watcher.core.record import Owed, Page
from watcher.store import open_store


def kill_one(shell: Shell) -> int:
    """Let the delivery of the channel `ops` die, and return its id."""
    shell.fill()
    store = open_store(f"sqlite:///{shell.database}")
    (row,) = store.claim("ops", now=NOW, owner="me", lease=timedelta(seconds=15), limit=9)
    store.settle({row.id: Settlement(State.DEAD, "answered 404")}, owner="me", now=NOW)
    store.announce([], [("mail", "mailto://x")], now=NOW, destinations={"mail": ["mailto://x"]})
    store.close()
    return row.id


def pending(shell: Shell) -> set[str]:
    """Return the channels that are owed something."""
    rows = json.loads(shell.watcher("deliveries", "--state", "pending", "--json").out)
    return {row["channel"] for row in rows}


def test_one_by_its_id(shell: Shell) -> None:
    """It is pending again, and a second time there is nothing to put back."""
    number = kill_one(shell)
    dead = shell.watcher("deliveries", "--state", "dead")
    assert "answered 404" in dead.out
    first, second = shell.watcher("retry", str(number)), shell.watcher("retry", str(number))
    assert (first.code, first.out, first.err) == (0, "1 delivery put back\n", "")
    assert (second.code, second.out) == (1, "0 deliveries put back\n")
    assert second.err == f"watcher: {number} is pending already\n"
    assert pending(shell) == {"ops", "old"}


def test_all_dead_ones_through_another_channel(shell: Shell) -> None:
    """Their old channel may be gone for good."""
    kill_one(shell)
    done = shell.watcher("retry", "--dead", "--to", "mail")
    assert (done.code, done.out) == (0, "1 delivery put back\n")
    assert pending(shell) == {"mail", "old"}
    assert shell.watcher("retry", "--dead").code == 0


def test_what_the_other_channel_has_already_is_said(shell: Shell) -> None:
    """It is owed there once, and nobody should wait for a message."""
    number = kill_one(shell)
    store = open_store(f"sqlite:///{shell.database}")
    (row,) = [one for one in store.deliveries(state=None, limit=9) if one.id == number]
    store.record(1, [], [], lambda _: Page(owed=(Owed(row.event_id, "mail", "mailto://x"),)), now=NOW)
    store.close()
    done = shell.watcher("retry", str(number), "--to", "mail")
    assert (done.code, done.out) == (0, "1 delivery put back; mail has got or is owed 1 of them already\n")


def test_an_unknown_channel_is_wrong_usage_and_an_unknown_id_is_not(shell: Shell) -> None:
    """Each with one line; a name that nothing has ends with 2, as for `test-channel` and `explain`."""
    kill_one(shell)
    to_nobody, nothing = shell.watcher("retry", "--dead", "--to", "male"), shell.watcher("retry", "4711")
    assert (to_nobody.code, to_nobody.out) == (2, "")
    assert to_nobody.err == "watcher: no channel is called `male`: did you mean `mail`?\n"
    assert shell.watcher("retry", "--dead", "--to", "").mistakes == [
        "watcher: no channel is called ``: the channels are mail"
    ]
    assert (nothing.code, nothing.err) == (1, "watcher: 4711 is no delivery\n")


def test_a_channel_that_no_daemon_has_used_yet_is_no_unknown_one(shell: Shell) -> None:
    """Its destinations are not known before; the row stays as it is."""
    kill_one(shell)
    ended = shell.watcher("retry", "--dead", "--to", "new", CHANNELS="new=json://h")
    assert (ended.code, ended.out) == (1, "")
    assert ended.mistakes == ["watcher: no `watcher run` has used the channel `new` yet: start it, or reload it, first"]


def test_without_a_database_there_is_nothing_to_put_back(shell: Shell) -> None:
    """And none is made by asking."""
    done = shell.watcher("retry", "--dead")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert not shell.database.exists()
