"""The end of the process: nobody who keeps it waiting keeps it for longer than it may take."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.processes.household import Household, Inbox, eventually, server_settings
from watcher.clock import now
from watcher.core.model import Status
from watcher.demo.faults import Faults
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

IN_A_HURRY = "import watcher.daemon.shift as shift; shift.GRACE = 1.0; from watcher.__main__ import start; start()"
"""The process itself, but what is in flight has one second to finish instead of ten."""

WITHOUT_A_NAME_SERVER = f"""
import socket, time
real = socket.getaddrinfo
def lookup(host, *rest, **others):
    if "silent" not in str(host):
        return real(host, *rest, **others)
    time.sleep(30)
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
socket.getaddrinfo = lookup
{IN_A_HURRY}
"""
"""Names with `silent` in them are asked of a name server that is down, which takes half a minute to find out."""

ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@contextmanager
def endless(head: bytes) -> Iterator[tuple[str, threading.Event]]:
    """Take requests, answer with this and then one byte after the other, for ever; the event: somebody has asked."""
    asked, over = threading.Event(), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip(line: socket.socket) -> None:
        with line, suppress(OSError):
            line.recv(65536)
            asked.set()
            line.sendall(head)
            while not over.wait(0.1):
                line.sendall(b"x" if head else b"")

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                threading.Thread(target=drip, args=(line,)).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextmanager
def watching(household: Household, channels: str, program: str) -> Iterator[World]:
    """Run a watcher that has met its server."""
    world = World("v8")
    world.add_job("Mail", "Contoso")
    with serving(create_app(world, now=now, versions=["v8"]), date_header=False) as url:
        household.environ |= server_settings(url, world) | {"WATCHER_CHANNELS": channels}
        household.start(program=("-c", program))
        eventually(lambda: '"reachable": true' in household.command("status", "--json").stdout, what=household.log)
        yield world


def end_one(world: World) -> None:
    """Let a session begin and end badly."""
    job = next(iter(world.jobs))
    world.end(world.start(job, now()), Status.FAILED, now())


@pytest.mark.parametrize("head", [b"", ENDLESS], ids=["silent", "endless"])
@pytest.mark.parametrize("scheme", ["json", "webhook+http"])
def test_no_receiver_holds_up_the_end(household: Household, scheme: str, head: bytes) -> None:
    """One that never answers, or never comes to an end, is let go when its time is over."""
    with endless(head) as (place, asked), watching(household, f"hook={scheme}://{place}/", IN_A_HURRY) as world:
        end_one(world)
        assert asked.wait(10), household.log()
        began = time.monotonic()
        assert household.end() == 0
        assert time.monotonic() - began < 5
    assert "Traceback" not in household.log()


def test_a_silent_name_server_delays_nobody_else(household: Household, inbox: Inbox) -> None:
    """Neither the channels whose receivers have other names, nor the end."""
    place = inbox.url.replace("127.0.0.1", "localhost")
    channels = f"sick=webhook+http://silent.example/ well=webhook+{place}/"
    with watching(household, channels, WITHOUT_A_NAME_SERVER) as world:
        for number in range(1, 21):  # more than Python has threads for lookups, each in a request of its own
            end_one(world)
            eventually(lambda number=number: len(inbox.got) >= number, within=5, what=household.log)  # type: ignore[misc]
            inbox.headers["Connection"] = "close"  # so that each needs the name anew
        began = time.monotonic()
        assert household.end() == 0
        assert time.monotonic() - began < 5
    assert "Traceback" not in household.log()


def test_silent_servers_do_not_hold_up_the_end(household: Household, inbox: Inbox) -> None:
    """Logging out is tried everywhere at once, however many servers there are."""
    tables, all_faults, world = [], [], World("v8")
    with ExitStack() as stack:
        for number in range(5):
            faults = Faults()
            app = create_app(world, now=now, versions=["v8"], faults=faults)
            url = stack.enter_context(serving(app, date_header=False))
            login = f"username = '{world.account.username}'\npassword = '{world.account.password}'\n"
            tables.append(f"[[servers]]\nname = 's{number}'\nurl = '{url}'\n{login}")
            all_faults.append(faults)
        config = household.folder / "watcher.toml"
        config.write_text("\n".join(tables))
        config.chmod(0o600)
        household.environ |= {"WATCHER_CHANNELS": f"hook=webhook+{inbox.url}/", "WATCHER_CONFIG": str(config)}
        household.start()
        eventually(lambda: household.log().count("its events are heard") == len(tables), what=household.log)
        for faults in all_faults:
            faults.hang(5.0, path="logout")
        began = time.monotonic()
        assert household.end() == 0
        assert time.monotonic() - began < 5
    assert "Traceback" not in household.log()
