"""The commands. Each is a module of its own, imported when it is called; here is what all have in common."""

import logging
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from watcher.cli import streams
from watcher.cli.ending import Ending

_log = logging.getLogger(__name__)

_MODULES = {
    "demo": "watcher.cli.demo",
    "run": "watcher.cli.run",
    "check": "watcher.cli.check",
    "test-channel": "watcher.cli.trial",
    "status": "watcher.cli.show",
    "sessions": "watcher.cli.show",
    "deliveries": "watcher.cli.show",
    "retry": "watcher.cli.retry",
    "silence": "watcher.cli.silence",
    "explain": "watcher.cli.explain",
}
_INTERRUPTED = 130
_PACKAGE = Path(__file__).parent.parent


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; whatever happens, the user sees sentences and no traceback."""
    try:
        return _run(argv)
    except Ending as ending:
        for line in ending.lines:
            streams.complain(line)
        return ending.code
    except SystemExit as done:  # argparse, after --help and --version
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # `watcher sessions | head` has all that it wanted
        streams.let_go()
        return 0
    except Exception as error:  # noqa: BLE001 - the last net: no traceback for anybody
        return _internal_error(error)


def _run(argv: Sequence[str] | None) -> int:
    from watcher.cli.parser import parse  # noqa: PLC0415 - an error of the parser is caught as all others

    streams.prepare()
    args = parse(argv)
    code = import_module(_MODULES[args.command]).execute(args)
    streams.flush()
    return int(code)


def _internal_error(error: Exception) -> int:
    """Say where it broke, but not the error's text, which may hold anything; the log's redactor sees that."""
    while isinstance(error, ExceptionGroup):  # a loop's error comes wrapped in those of the groups around it
        error = error.exceptions[0]
    _log.debug("internal error", exc_info=error)
    place = _place(error)
    streams.complain(f"internal error: {type(error).__name__} at {place}; please report")
    return 1


def _place(error: BaseException) -> str:
    """Return file and line of the last step that was ours."""
    place = "an unknown place"
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            place = f"{path.relative_to(_PACKAGE.parent)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
