"""Tells systemd how the daemon is: the datagrams of sd_notify(3), and the watchdog of sd_watchdog_enabled(3).

Outside systemd there is no socket and every call does nothing. A socket that is dead or full is no reason to end or to
complain either: the worst that follows is what systemd does with a service that it does not hear.
"""

import os
import socket
import time
from collections.abc import Mapping

_SEND_WITHIN = 1.0
_LONGEST_STATUS = 500


class Notifier:
    """Speaks to the service manager that `environ` names by NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the address and the watchdog's time; what is missing or makes no sense counts as not there."""
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog_interval = _watchdog_interval(environ)

    @property
    def is_heard(self) -> bool:
        """Whether there is a service manager at all."""
        return self._address is not None

    def ready(self) -> None:
        """Say that the start is over, or a reload; `reloading` goes before the latter."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that the settings are being read anew; `ready` has to follow, also if the old ones stay."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the daemon is on its way out."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`; a longer text is cut, line breaks become spaces."""
        self._send("STATUS=" + " ".join(text.split())[:_LONGEST_STATUS])

    def watchdog(self) -> None:
        """Say that all is well; to be called every `watchdog_interval()` seconds while it is."""
        self._send("WATCHDOG=1")

    def watchdog_interval(self) -> float | None:
        """Return how often systemd wants to hear of us, in seconds: half of its patience; None if it does not."""
        return self._watchdog_interval

    def _send(self, *assignments: str) -> None:
        if self._address is None:
            return
        datagram = "\n".join(assignments).encode(errors="replace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.settimeout(_SEND_WITHIN)
                manager.connect(self._address)
                manager.sendall(datagram)
        except OSError:
            return


def _address(named: str) -> bytes | None:
    """Return what to connect to: a path, or an abstract name, which systemd writes with `@` in place of its NUL."""
    if not named.startswith(("/", "@")):
        return None
    address = os.fsencode(named)
    return b"\0" + address[1:] if named.startswith("@") else address


def _watchdog_interval(environ: Mapping[str, str]) -> float | None:
    pid = environ.get("WATCHDOG_PID")
    if pid is not None and pid != str(os.getpid()):
        return None  # meant for the process that started us
    patience = environ.get("WATCHDOG_USEC", "")
    if not (patience.isascii() and patience.isdigit()) or int(patience) == 0:
        return None
    return int(patience) / 2 / 1_000_000
