"""`python -m watcher` is the same as the command `watcher`."""

import logging
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from watcher.cli import main


def start() -> NoReturn:
    """Run a command and end the process with its exit code.

    Python waits for all threads first, and one that sends may wait for a receiver that says nothing, or never comes to
    an end. What has left cannot be called back, and its outcome would not be written down any more: so it is let go.
    """
    code = main()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or none at all
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    start()
