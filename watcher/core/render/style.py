"""What a channel can show, and what it gets to show."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Format(StrEnum):
    """The markup that a channel renders."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


class Severity(IntEnum):
    """How bad a message is; the greater, the worse."""

    INFO = 0
    SUCCESS = 1
    WARNING = 2
    FAILURE = 3


class Details(StrEnum):
    """How much is told of logs and details, which name people: all, only why it ended so, or nothing."""

    FULL = "full"
    SHORT = "short"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Style:
    """The form that one channel wants. Limits count characters of the finished markup.

    A `title_limit` of 0 says that the channel has no titles: the title becomes the first line of the body.
    `has_tables`: it is mail, which shows all of HTML.
    """

    format: Format
    body_limit: int
    title_limit: int
    has_tables: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What a person reads. `body` is markup in the style's format and never empty; `title` is always plain text."""

    title: str
    body: str
    severity: Severity
