"""The third loop's pass: hear from a server's event feed what is worth a look. What is heard is never told itself."""

from collections.abc import Mapping
from enum import Enum
from typing import Protocol

from watcher.core.model import Failure, Heard, LookFailed
from watcher.watch import Watch

MOST_HINTS = 200
KEEPS_ITS_TOKEN = frozenset({Failure.UNREACHABLE, Failure.TLS, Failure.TIMEOUT, Failure.BUSY, Failure.UNAUTHORIZED})
TRIES_WITH_A_TOKEN = 3


class Feed(Protocol):
    """A server's event feed: what comes after a token (None: after now), or None where there is none.

    Raises LookFailed.
    """

    async def listen(self, token: str | None) -> Heard | None: ...


class Outcome(Enum):
    """What came of listening once. IDLE: nothing at all had happened; QUIET: nothing that is news to us.

    STIR: restores have changed, and nobody knows how; whoever listens wakes the looks for that now and then.
    """

    IDLE = "idle"
    QUIET = "quiet"
    STIR = "stir"
    NEWS = "news"
    NO_FEED = "no feed"


async def listen_once(watch: Watch, feed: Feed) -> Outcome:
    """Wait for events once, note what they hint at, and wake the poll loop where that is news to us.

    Raises LookFailed; what the feed said while it failed is found by the look that follows its return.
    """
    ear = watch.ear
    began = ear.token
    try:
        heard = await feed.listen(began)
    except LookFailed as failure:
        ear.failures += 1
        if failure.kind not in KEEPS_ITS_TOKEN or ear.failures >= TRIES_WITH_A_TOKEN:
            ear.lose()
        raise
    if heard is None:
        return Outcome.NO_FEED
    if ear.token != began:  # it was found to be mute meanwhile
        return Outcome.QUIET
    news = _news(watch, heard.statuses)
    ear.take(heard, news)
    if began is None or news:
        watch.wake.set()
        return Outcome.NEWS
    if heard.restores - watch.seen.keys():
        return Outcome.STIR
    return Outcome.IDLE if heard.token == began else Outcome.QUIET


def _news(watch: Watch, statuses: Mapping[str, str]) -> dict[str, str]:
    """Leave out what we know: progress of what runs, and ends that the last look showed.

    Of a long backlog only the latest are taken: a look reaches back over the rest by itself.
    """
    fresh = {one: status for one, status in statuses.items() if not watch.knows(one, status)}
    return dict(list(fresh.items())[-MOST_HINTS:])
