"""What systemd hears, over real sockets."""

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from watcher.sdnotify import Notifier

HEAR_WITHIN = 5.0


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Listen as systemd does, on both kinds of address; gives the socket and what NOTIFY_SOCKET would say."""
    name = f"/watcher-test-{os.getpid()}-{time.monotonic_ns()}"
    address = str(tmp_path / "notify") if request.param == "path" else "\0" + name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(HEAR_WITHIN)
        yield listener, address.replace("\0", "@")


@pytest.mark.parametrize(
    ("say", "heard"),
    [
        (Notifier.ready, b"READY=1"),
        (Notifier.stopping, b"STOPPING=1"),
        (Notifier.watchdog, b"WATCHDOG=1"),
        (lambda notifier: notifier.status("watching 3 servers"), b"STATUS=watching 3 servers"),
        (lambda notifier: notifier.status("Büro"), "STATUS=Büro".encode()),
    ],
)
def test_each_call_is_one_datagram(
    manager: tuple[socket.socket, str], say: Callable[[Notifier], None], heard: bytes
) -> None:
    """systemd gets exactly the words of sd_notify(3), at a path and at an abstract address."""
    listener, address = manager
    say(Notifier({"NOTIFY_SOCKET": address}))
    assert listener.recv(4096) == heard


def test_reloading_carries_the_monotonic_clock(manager: tuple[socket.socket, str]) -> None:
    """Type=notify-reload wants the moment at which the reload began, in microseconds of CLOCK_MONOTONIC."""
    listener, address = manager
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Notifier({"NOTIFY_SOCKET": address}).reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told = re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=(\d+)", listener.recv(4096))
    assert told
    assert before <= int(told[1]) <= after


def test_a_status_cannot_smuggle_in_another_word(manager: tuple[socket.socket, str]) -> None:
    """Line breaks in a status become spaces, since each line is an assignment; half a surrogate pair is harmless."""
    listener, address = manager
    Notifier({"NOTIFY_SOCKET": address}).status("down\nREADY=1\r\n\ud800")
    assert listener.recv(4096) == b"STATUS=down READY=1 ?"


def test_a_long_status_is_cut(manager: tuple[socket.socket, str]) -> None:
    """A status is one line for people."""
    listener, address = manager
    Notifier({"NOTIFY_SOCKET": address}).status("x" * 5000)
    assert listener.recv(65536) == b"STATUS=" + b"x" * 500


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "vsock:2:1234"},
        {"NOTIFY_SOCKET": "@nobody-listens-here"},
        {"NOTIFY_SOCKET": "/no/such/socket"},
        {"NOTIFY_SOCKET": "/" + "x" * 200},
        {"NOTIFY_SOCKET": "/a\0b"},
    ],
)
def test_nobody_to_speak_to_is_silent(environ: dict[str, str]) -> None:
    """Outside systemd, and with an address that is dead or makes no sense, every call does nothing."""
    notifier = Notifier(environ)
    notifier.ready()
    notifier.reloading()
    notifier.status("still here")
    notifier.watchdog()
    notifier.stopping()


def test_a_manager_that_went_away_is_silent(tmp_path: Path) -> None:
    """A socket whose reader is gone refuses; that is no error of ours."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
    Notifier({"NOTIFY_SOCKET": path}).ready()


def test_a_manager_that_reads_nothing_does_not_hold_us_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue costs a moment at most, never the event loop."""
    monkeypatch.setattr("watcher.sdnotify._SEND_WITHIN", 0.05)
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    filler.sendto(b"x", path)
            began = time.monotonic()
            Notifier({"NOTIFY_SOCKET": path}).watchdog()
            assert time.monotonic() - began < HEAR_WITHIN


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getppid())}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "x"}, None),
        ({"WATCHDOG_USEC": "500000"}, 0.25),
        ({}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_watchdog_interval_is_half_of_the_patience(environ: dict[str, str], seconds: float | None) -> None:
    """We beat twice in systemd's time, and only if the watchdog is meant for this process."""
    assert Notifier(environ).watchdog_interval() == seconds
