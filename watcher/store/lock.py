"""One `watcher run` for one database file, by a lock that the kernel drops with the process."""

import fcntl
import os
from pathlib import Path

from watcher.store.errors import HeldByAnother, os_trouble


class FileLock:
    """A lock beside a database file, in `<file>.lock`, which holds the pid and the host of whoever has it.

    The file itself stays when the lock is let go: removing it would let two processes lock two files of one name.
    """

    def __init__(self, database: Path) -> None:
        """Name the lock after the file that is really meant, whatever links lead there."""
        self._database = database
        self._path = Path(f"{database.resolve()}.lock")
        self._file: int | None = None

    def take(self) -> None:
        """Take the lock, or raise HeldByAnother. Taking it again is nothing."""
        if self._file is not None:
            return
        try:
            self._file = self._open_and_lock()
        except OSError as error:
            raise os_trouble(str(self._path), error) from error

    def free(self) -> None:
        """Let the lock go, if it is held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open_and_lock(self) -> int:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()} {os.uname().nodename}\n".encode(), 0)
        except BlockingIOError:
            holder = _holder(os.pread(file, 300, 0).decode(errors="replace"))
            os.close(file)
            raise HeldByAnother(f"database {self._database}: held by {holder}") from None
        except OSError:
            os.close(file)
            raise
        return file


def _holder(text: str) -> str:
    pid, _, host = text.strip().partition(" ")
    return f"process {pid} on {host}" if pid and host else "another process"
