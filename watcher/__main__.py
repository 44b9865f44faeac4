"""`python -m watcher`, which is the same as the command `watcher`: one command, and the end of the process."""

import logging
import os
import sys
import threading
import time
from typing import NoReturn

from watcher.cli import main

SOON = 0.5
"""Seconds for threads that are about to end; one that hangs in a service is not waited for."""


def start() -> NoReturn:
    """Run one command and end the process with its exit code.

    A message to a service that hangs is sent in a thread, which nothing can call back. It has had its time, and the
    store is closed; Python would wait for it, longer than systemd does.
    """
    code = main()
    until = time.monotonic() + SOON
    for thread in _others():
        thread.join(max(0.0, until - time.monotonic()))
    if _others():
        _end_at_once(code)
    sys.exit(code)


def _others() -> list[threading.Thread]:
    """Return the threads that Python would wait for."""
    return [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]


def _end_at_once(code: int) -> NoReturn:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # nobody reads it any more
            continue
    os._exit(code)


if __name__ == "__main__":
    start()
