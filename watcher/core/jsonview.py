"""The public JSON (contract, section 3): one form for the command line, the HTTP side and whoever else shows views."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def document(value: object) -> Json:
    """Turn a view into what JSON knows: dataclasses by their field names, times as ISO 8601 in UTC with `Z`.

    Takes dataclasses, mappings with text keys, sequences, enums, aware datetimes and JSON's own kinds, in any nesting.
    Raises TypeError for anything else, and ValueError for a time without a zone.
    """
    if isinstance(value, Enum):
        return document(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return timestamp(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): document(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [document(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in the public JSON")


def timestamp(moment: datetime) -> str:
    """Write an aware time as ISO 8601 in UTC, `2026-03-01T02:10:00Z`; a fraction stands only where there is one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no zone, so it names no moment")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def dump(value: object, *, indent: int | None = None) -> str:
    """Write a view as JSON text without a newline at its end; `indent` in spaces, None for one line.

    The text is pure ASCII: it survives any terminal and locale, half a surrogate pair in a job's name does not break
    it, and no name can carry control codes to a screen. NaN and infinities, which JSON does not have, are a ValueError.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(document(value), ensure_ascii=True, allow_nan=False, indent=indent, separators=separators)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of the public JSON is text, not {type(key).__name__}")
    return str(key)
