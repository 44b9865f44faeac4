"""The token bucket of a channel."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.core.factories import T0
from watcher.core.pace import Bucket, Rate, full, refill, take, wait_for_token

MINUTE = timedelta(minutes=1)


@given(st.integers(1, 60), st.lists(st.floats(0, 30), max_size=80))
def test_never_more_than_the_burst_and_the_rate(tokens: int, pauses: list[float]) -> None:
    """Whoever waits as he is told sends at most a burst more than the rate allows, in any stretch of time."""
    rate, now = Rate(tokens, MINUTE), T0
    bucket, sent = full(rate, now), []
    for pause in pauses:
        now += timedelta(seconds=pause)
        bucket = refill(bucket, rate, now)
        if not wait_for_token(bucket, rate):
            bucket = take(bucket)
            sent.append(now)
    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            allowed = tokens + tokens * ((sent[last] - start) / MINUTE)
            assert last - first + 1 <= allowed + 1e-6


@given(st.integers(1, 60), st.integers(1, 200))
def test_waiting_as_told_is_enough(tokens: int, messages: int) -> None:
    """After the wait there is a token, to the few microseconds that clocks know."""
    rate, now = Rate(tokens, MINUTE), T0
    bucket = full(rate, now)
    for _ in range(messages):
        now += wait_for_token(bucket, rate) + timedelta(microseconds=1)
        bucket = refill(bucket, rate, now)
        assert not wait_for_token(bucket, rate)
        bucket = take(bucket)
    assert now - T0 <= MINUTE * (messages / tokens) + timedelta(seconds=1)


def test_a_clock_set_back_does_not_stop_the_filling() -> None:
    """An hour back costs no hour of silence."""
    rate = Rate(6, MINUTE)
    bucket = refill(Bucket(0.0, T0), rate, T0 - timedelta(hours=1))
    assert wait_for_token(bucket, rate) == timedelta(seconds=10)
    assert not wait_for_token(refill(bucket, rate, T0 - timedelta(minutes=59, seconds=50)), rate)


def test_no_tokens_is_no_limit() -> None:
    """For programs nothing waits."""
    rate = Rate(0, timedelta(seconds=1))
    bucket = full(rate, T0)
    for _ in range(1000):
        assert not wait_for_token(refill(bucket, rate, T0), rate)
        bucket = take(bucket)
