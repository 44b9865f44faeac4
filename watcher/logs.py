"""The log: one line a record on standard error, as text or JSON, without tracebacks and without secrets.

What is secret is known by value: `Redactor` takes every form of every secret out of whatever any library says.
"""

import base64
import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

_SHORTEST = 5  # a shorter value would stand in every second line by chance
_SHORTEST_BASE64 = 8
_HIDDEN = "***"
_FOREIGN = ("httpx", "httpcore", "aiohttp", "urllib3", "requests", "apprise", "uvicorn", "alembic", "sqlalchemy")
_EVERYDAY = frozenset({"hooks", "markdown", "message", "messages", "notify", "services", "webhook", "webhooks"})
_PLAIN_HOST = re.compile(r"\[.*|.*\..*|localhost|(?=.{1,20}$)[a-z]+(?:-[a-z]+)*-?[0-9]{0,3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class Redactor:
    """Takes secrets out of texts: each value itself, percent-encoded, escaped, and within base64 (basic auth)."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare for these values; those shorter than 5 characters are not searched for."""
        values = {secret for secret in secrets if len(secret) >= _SHORTEST}
        encoded = {form for value in values for form in _base64_forms(value)}
        self._plain = _any_of({form for value in values for form in _forms(value)})
        self._encoded = _any_of(encoded)
        self._around_encoded = _any_of(encoded, around=r"[A-Za-z0-9+/=_-]*")

    def clean(self, text: str) -> str:
        """Return the text with `***` for every secret in it."""
        if self._encoded.search(text):  # the wide pattern is slow on long words, and rarely needed
            text = self._around_encoded.sub(_HIDDEN, text)
        return self._plain.sub(_HIDDEN, text)


def secret_parts(url: str) -> frozenset[str]:
    """Return what is telling in a URL: all of it, login, path segments and query values, as written and decoded.

    Its host is not, unless it is a token: many chat services are addressed as `scheme://TOKEN/TOKEN`. Nor are a few
    words that stand in many URLs and in many lines of a log.
    """
    parts = {url, *_pieces(url)} - _EVERYDAY
    return frozenset(form for part in parts for form in (part, unquote(part)) if len(form) >= _SHORTEST)


def secret_login(url: str) -> frozenset[str]:
    """Return what is secret in a URL whose path is not: all of it if it has a login, and the password in it."""
    login, at, _ = url.partition("://")[2].rpartition("@")
    if not at:
        return frozenset()
    password = login.partition(":")[2]
    return frozenset(
        form for part in (url, login, password) for form in (part, unquote(part)) if len(form) >= _SHORTEST
    )


def configure(format: Literal["text", "json"], level: str, secrets: Iterable[str]) -> None:  # noqa: A002 - the setting's name
    """Send the log to standard error in this form, from this level on, and keep these secrets out of it.

    May be called again, for settings that were read anew.
    """
    redactor = Redactor(secrets)
    handler = _Stderr()
    handler.setFormatter(_JsonLine(redactor) if format == "json" else _TextLine(redactor))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Stderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_thread_error


def in_one_line(error: BaseException) -> str:
    """Return an exception's type and text in one line; of a group, those of all that are in it."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(in_one_line(inner) for inner in error.exceptions)
    text = _fold(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _Stderr(logging.Handler):
    """Writes lines to whatever standard error is now; a record that cannot be written is no reason for a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - a library's format string and its arguments do not fit
            line = f"log line of {record.name} could not be written: {type(error).__name__}"
        with suppress(OSError, ValueError, AttributeError):  # nobody reads standard error any more
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


class _Line(logging.Formatter):
    """What both forms share: the cleaned message in one line, and the extra fields."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def _clean(self, text: str) -> str:
        return _fold(self._redactor.clean(text))

    def _said(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message}: {in_one_line(record.exc_info[1])}"
        return self._clean(message)

    def _extra(self, record: logging.LogRecord) -> dict[str, str | int | float | bool | None]:
        fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        return {
            key: value if isinstance(value, int | float | None) else self._clean(str(value))
            for key, value in fields.items()
        }


class _TextLine(_Line):
    """`2026-03-02T06:00:00+01:00 INFO    poll HQ: …`."""

    def format(self, record: logging.LogRecord) -> str:
        extra, said = self._extra(record), self._said(record)
        about = extra.get("server") or extra.get("channel")
        is_said = about is None or said.startswith(f"{about}:")
        source = _short(record.name) if is_said else f"{_short(record.name)} {about}"
        return f"{_time(record, 'seconds')} {record.levelname:<7} {source}: {said}"


class _JsonLine(_Line):
    """One JSON object: time, level, logger, message, and the extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record, "milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._said(record),
        }
        return json.dumps(self._extra(record) | line, ensure_ascii=False)


def _short(name: str) -> str:
    return name.removeprefix("watcher.")


def _time(record: logging.LogRecord, precision: str) -> str:
    return datetime.fromtimestamp(record.created, UTC).astimezone().isoformat(timespec=precision)


def _fold(text: str) -> str:
    """Put a text on one line, so that no part of it can pass for a line of its own."""
    return _CONTROL.sub(" ", text).strip()


def _log_thread_error(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit:
        return
    error = args.exc_value or args.exc_type()
    logging.getLogger("watcher").error("a thread ended by %s", in_one_line(error))


def _any_of(forms: Iterable[str], around: str = "") -> re.Pattern[str]:
    """Make a pattern of these texts, longest first; of none it matches nothing."""
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    any_form = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(f"{around}(?:{any_form}){around}")


def _forms(value: str) -> Iterator[str]:
    """The ways in which libraries write a value: as it is, in a URL, in a form, in JSON, as a Python literal."""
    yield value
    for encoded in (_quoted(value, "/"), _quoted(value, ""), _quoted(value, " ").replace(" ", "+")):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]


def _quoted(value: str, safe: str) -> str:
    return quote(value, safe=safe, errors="replace")  # a variable that was not UTF-8 has half characters in it


def _base64_forms(value: str) -> Iterator[str]:
    """How a value shows in base64: a login by itself, and any value within a longer text, by its place there."""
    raw = value.encode(errors="replace")
    if ":" in value:
        yield base64.b64encode(raw).decode()
    for before in range(3):
        padded = b"\0" * before + raw
        first = -(-before * 8 // 6)  # characters that hold bits of what stands before it
        last = len(padded) * 8 // 6  # characters that hold bits of it alone
        inner = base64.b64encode(padded).decode()[first:last]
        if len(inner) >= _SHORTEST_BASE64:
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))


def _pieces(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        yield from re.split(r"[/?&#=@:,;]+", url)
        return
    login, _, place = parts.netloc.rpartition("@")
    yield login
    yield from login.split(":", 1)
    if not _PLAIN_HOST.fullmatch(place.partition(":")[0]):
        yield place
        yield from place.split(":")
    yield from parts.path.strip("/").split("/")
    for field in re.split(r"[&;]", parts.query):
        value = field.partition("=")[2]
        yield value
        yield from value.split(",")
    yield parts.fragment
