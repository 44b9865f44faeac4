"""What a line of the log looks like, as text and as JSON."""

import json
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from typing import Literal

import pytest

from watcher import logs

HUSH = "hush-hush-4711"
FORMATS: list[Literal["text", "json"]] = ["text", "json"]


class HushError(Exception):
    """An error whose text holds a secret."""


def break_down(text: str) -> None:
    """Fail as a library would."""
    raise HushError(text)


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """Leave logging as it was."""
    logger = logging.getLogger()
    handlers, level, hook = logger.handlers[:], logger.level, threading.excepthook
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    threading.excepthook = hook
    logging.captureWarnings(capture=False)
    for name in ("httpx", "apprise", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_text_line_has_time_level_source_and_server(capsys: pytest.CaptureFixture[str]) -> None:
    """A person can read it, and standard output stays free."""
    logs.configure("text", "info", [])
    logging.getLogger("watcher.poll").info("looked in %d ms", 12, extra={"server": "HQ"})
    logging.getLogger("watcher").warning("careful")
    logging.getLogger("watcher").info("HQ: said already", extra={"server": "HQ"})
    out, err = capsys.readouterr()
    assert out == ""
    first, second, third = err.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d INFO    poll HQ: looked in 12 ms", first)
    assert second.endswith(" WARNING watcher: careful")
    assert third.endswith(" INFO    watcher: HQ: said already")


def test_a_json_line_is_one_object_with_the_extra_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs find server and whatever else was given."""
    logs.configure("json", "info", [])
    logging.getLogger("watcher.poll").info("looked", extra={"server": "HQ", "seconds": 0.5, "odd": {"a": 1}})
    line = json.loads(capsys.readouterr().err)
    moment = line.pop("time")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", moment)
    assert line == {
        "level": "info",
        "logger": "watcher.poll",
        "message": "looked",
        "server": "HQ",
        "seconds": 0.5,
        "odd": "{'a': 1}",
    }


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("level", ["debug", "error"])
def test_no_secret_and_no_traceback_at_any_level(
    form: Literal["text", "json"], level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the message, its arguments, extra fields and exceptions, from any library."""
    logs.configure(form, level, [HUSH])
    logger = logging.getLogger("somebody.else")
    logger.error("plain %s and %r", HUSH, {"Authorization": HUSH}, extra={"url": f"json://{HUSH}@h"})
    logger.error(f"in the format {HUSH}")  # noqa: G004 - others do this
    try:
        break_down(f"no way in with {HUSH}\nat all")
    except HushError:
        logger.exception("it broke")
        logger.debug("and again", exc_info=True, stack_info=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert HUSH not in err
    assert "Traceback" not in err
    assert 'File "' not in err
    assert "HushError: no way in with *** at all" in err
    assert len(err.splitlines()) == (4 if level == "debug" else 3)


def test_a_group_of_errors_is_told_by_what_is_in_it() -> None:
    """`unhandled errors in a TaskGroup` says nothing."""
    group = ExceptionGroup("unhandled", [ValueError("a"), ExceptionGroup("inner", [OSError("b"), KeyError()])])
    assert logs.in_one_line(group) == "ValueError: a; OSError: b; KeyError"


def test_a_message_cannot_pass_for_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Names come from servers, and a log is read by eye and by programs."""
    logs.configure("text", "info", [])
    logging.getLogger("watcher").info("job %s", "x\n2026-01-01 ERROR forged\x1b[31m\u2028\r")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_wrong_format_string_costs_its_line_only(capsys: pytest.CaptureFixture[str]) -> None:
    """Python's own handler would print a traceback."""
    logging.getLogger().handlers.clear()  # pytest's own would raise it
    logs.configure("text", "info", [])
    logging.getLogger("some.library").info("%d", HUSH)
    logging.getLogger("some.library").info("next")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "log line of some.library could not be written: TypeError"
    assert second.endswith("next")


def test_foreign_loggers_speak_from_warnings_on_unless_all_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A level that is set anew counts anew."""
    for level, shown in (("info", False), ("debug", True), ("info", False)):
        logs.configure("text", level, [])
        logging.getLogger("httpx").info("HTTP Request")
        logging.getLogger("httpx").warning("odd")
        err = capsys.readouterr().err
        assert ("HTTP Request" in err) is shown
        assert "odd" in err
    logs.configure("text", "error", [])
    logging.getLogger("apprise").warning("odd")
    assert capsys.readouterr().err == ""


def test_configuring_again_replaces_form_and_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """New settings bring new secrets, and no line comes twice."""
    logs.configure("text", "info", [])
    logs.configure("json", "info", [HUSH])
    logging.getLogger("watcher").info("with %s", HUSH)
    assert json.loads(capsys.readouterr().err)["message"] == "with ***"


def test_an_error_that_ends_a_thread_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Threads of libraries break too."""
    logs.configure("text", "info", [HUSH])

    thread = threading.Thread(target=break_down, args=(HUSH,))
    thread.start()
    thread.join()
    assert capsys.readouterr().err.endswith("ERROR   watcher: a thread ended by HushError: ***\n")


def test_a_warning_of_python_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It would be two, one of them code."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.configure("text", "info", [HUSH])
        warnings.warn(f"old {HUSH}", UserWarning, stacklevel=1)
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "UserWarning: old ***" in err


def test_a_standard_error_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon outlives the terminal that it was started from."""
    logs.configure("text", "info", [])
    monkeypatch.setattr("sys.stderr", None)
    logging.getLogger("watcher").info("nobody reads this")
