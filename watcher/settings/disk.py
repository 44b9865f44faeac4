"""What the disk says of a file of settings: what it holds, why it cannot be read, and who may read it."""

from pathlib import Path

_OTHERS = 0o077


def content(path: Path) -> str:
    """Return what a secret's file holds, word for word but for its last newline. OSError, ValueError."""
    return path.read_text(encoding="utf-8-sig").removesuffix("\n").removesuffix("\r")


def why(error: Exception) -> str:
    """Say in a few words why a file could not be read as text."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        return f"it is not UTF-8 text (line {line}): save it as UTF-8"
    return "its name is none"  # a NUL in it


def is_open_to_others(path: Path) -> bool:
    """Whether others than its owner may read or write a file."""
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False
