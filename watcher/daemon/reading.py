"""How far a long first reading is: a bar on a terminal, else a line now and then in the log."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from watcher.core.model import Reading

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def sentence(reading: Reading) -> str:
    """Say how far a reading is."""
    return f"reading its history: job {reading.done + 1} of {reading.jobs}, {reading.sessions:,} sessions so far"


class Bars:
    """Progress bars on standard error, one a server, where that is a terminal; elsewhere nothing."""

    def __init__(self, is_terminal: Callable[[], bool] = sys.stderr.isatty) -> None:
        """Draw nothing yet."""
        self._is_terminal = is_terminal
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def show(self, server: str, reading: Reading) -> None:
        """Draw or move a server's bar."""
        if not self._is_terminal():
            return
        progress = self._progress or self._begin()
        if server not in self._tasks:
            self._tasks[server] = progress.add_task(server, total=reading.jobs)
        words = f"{server}: {reading.sessions:,} sessions"
        progress.update(self._tasks[server], completed=reading.done, total=reading.jobs, description=words)

    def done(self, server: str) -> None:
        """Take a server's bar away; with the last of them the line is the log's again."""
        if self._progress is None or server not in self._tasks:
            return
        self._progress.remove_task(self._tasks.pop(server))
        if not self._tasks:
            self._progress.stop()
            self._progress = None

    def _begin(self) -> "Progress":
        from rich.console import Console  # noqa: PLC0415 - rich is imported where there is a bar to draw
        from rich.progress import Progress  # noqa: PLC0415

        self._progress = Progress(console=Console(stderr=True, force_terminal=True), transient=True)
        self._progress.start()
        return self._progress
