"""Standard output and standard error as a command finds them: closed, full, or of an encoding without our signs."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from watcher.cli.ending import Ending

_PLAIN = {"…": "...", "·": "-", "■": "*"}
"""Signs of ours, and what stands for each where the encoding of a terminal has none."""


def prepare() -> None:
    """Make both streams take every text: what they cannot show is written in plain signs, or escaped."""
    codecs.register_error("watcher.plain", _plainly)
    _occupy()
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:  # it was closed, and leads to nowhere now
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - for good
        with suppress(AttributeError):  # not a terminal's or a file's stream
            getattr(sys, name).reconfigure(errors="watcher.plain")


@contextmanager
def writing() -> Iterator[None]:
    """Write to standard output: Ending with 1 if it cannot take that; BrokenPipeError if nobody reads it any more."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        let_go()
        raise Ending(f"standard output cannot be written: {error.strerror}", code=1) from None


def put(text: str) -> None:
    """Write a text. Errors as of `writing`."""
    with writing():
        sys.stdout.write(text)


def flush() -> None:
    """Hand over what was written. Errors as of `writing`."""
    with writing():
        sys.stdout.flush()


def complain(line: str) -> None:
    """Write the user's line to standard error, if that takes it: there is no other place to say so."""
    with suppress(OSError):
        print(f"watcher: {line}", file=sys.stderr)  # noqa: T201


def let_go() -> None:
    """Send to nowhere what is still to be written, so that nothing complains of it at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _occupy() -> None:
    """Take the three lowest descriptors where they are closed: the next file, a database say, would be given one."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs), error.end
