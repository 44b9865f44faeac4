"""How many messages a receiver can take: a token bucket for each channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages in a time; as many may leave at once after a quiet while. No tokens: no limit."""

    tokens: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a rate: `level` tokens at a time."""

    level: float
    at: datetime


def full(rate: Rate, now: datetime) -> Bucket:
    """Return the bucket of a channel that has sent nothing for long."""
    return Bucket(float(rate.tokens), now)


def refill(bucket: Bucket, rate: Rate, now: datetime) -> Bucket:
    """Return the bucket as it is now; a clock that went back fills nothing, and does not stop the filling."""
    gone = max(now - bucket.at, timedelta(0))
    return Bucket(min(bucket.level + rate.tokens * (gone / rate.per), float(rate.tokens)), now)


def wait_for_token(bucket: Bucket, rate: Rate) -> timedelta:
    """Return how long it is until a message may leave; zero if one may now."""
    missing = 1.0 - bucket.level
    return rate.per * (missing / rate.tokens) if rate.tokens and missing > 0 else timedelta(0)


def take(bucket: Bucket) -> Bucket:
    """Return the bucket after a message has left."""
    return Bucket(bucket.level - 1.0, bucket.at)
