"""The column types: times, words and whole values, alike on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

T = TypeVar("T")


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, to the microsecond. A naive one is refused: nobody could say what it means.

    SQLite keeps it as text, as SQLAlchemy writes it, but read in one step: every row that is sent has three.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring a time to UTC on its way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give a time its zone on its way out: SQLite keeps none, PostgreSQL answers in the session's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return how a value is read."""
        return _time_of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


class Words(TypeDecorator[str]):
    """Text from outside, of which one odd character must not cost a page its transaction."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put the replacement character in the place of each NUL."""
        return storable(value) if value else value


class Packed(TypeDecorator[T], Generic[T]):
    r"""A value of the core as JSON text. Fields it does not know are skipped, missing ones get their defaults.

    It is text and not PostgreSQL's own JSON type, which would refuse `\u0000` inside a string.
    """

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[T]) -> None:
        """Keep the dataclass that the column holds."""
        super().__init__()
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encode a value on its way in."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> T | None:
        """Decode a value on its way out."""
        return None if value is None else self._decoder.decode(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], T | None]:
        """Return how a value is read: in one step, since it is text on both databases."""
        decode = self._decoder.decode
        return lambda value: None if value is None else decode(value)


def _time_of_text(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(f"{text}+00:00")
    except ValueError:
        raise msgspec.ValidationError("this is no time") from None  # as what is packed and cannot be read


def storable(words: str) -> str:
    """Put the replacement character in the place of each NUL, which PostgreSQL cannot keep."""
    return words.replace("\x00", "\N{REPLACEMENT CHARACTER}")
