"""What `watcher check` finds."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How good a finding is; only FAILED makes `check` end with 1."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, in words without a secret: `what` ("login"), how it stands, and what to do about it."""

    what: str
    grade: Grade
    text: str
