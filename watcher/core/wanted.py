"""The words of `notify_on`, and the events that each stands for."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

_JOB = ("overdue", "stale", "slow", "stalled", "short", "disabled")


def _with_recovery(*names: str) -> frozenset[str]:
    return frozenset(names) | {f"{name}.recovered" for name in names}


WORDS: Mapping[str, frozenset[str]] = {
    "failed": frozenset({"session.failed"}),
    "warning": frozenset({"session.warning"}),
    "stopped": frozenset({"session.stopped"}),
    "success": frozenset({"session.success", "job.recovered"}),
    "recovered": frozenset({"job.recovered"}),
    "started": frozenset({"session.started"}),
    "disconnected": frozenset({"session.disconnected"}),
    "unrecognized": frozenset({"session.unrecognized"}),
    "vanished": frozenset({"session.vanished"}),
    "job": _with_recovery(*(f"job.{name}" for name in _JOB)),
    "server": frozenset(
        {
            "server.unreachable",
            "server.unauthorized",
            "server.unhealthy",
            "server.replaced",
            "server.recovered",
        }
    ),
    "proxy": _with_recovery("proxy.offline"),
    "repository": _with_recovery("repository.low", "repository.invalid"),
    "license": _with_recovery("license.expiring"),
    "channel": frozenset({"channel.failing", "channel.recovered"}),
    "digest": frozenset({"watcher.digest"}),
    "heartbeat": frozenset({"watcher.heartbeat"}),
}
"""Every word of `notify_on` but `all`, and the events it stands for (contract, section 4)."""

EVENTS = frozenset().union(*WORDS.values())
DEFAULT_NOTIFY_ON: tuple[str, ...] = tuple(word for word in WORDS if word not in {"success", "started"})


class UnknownWordError(ValueError):
    """A word of `notify_on` that names no event; its text names the nearest one that does."""


def events_named(words: Iterable[str]) -> frozenset[str]:
    """Return the events that a list of words names: words of the table, single event names, or `all`."""
    named: set[str] = set()
    for word in words:
        named |= _events_of(word.strip().lower())
    return frozenset(named)


def _events_of(word: str) -> frozenset[str]:
    if word == "all":
        return EVENTS
    if word in WORDS:
        return WORDS[word]
    if word in EVENTS:
        return frozenset({word})
    near = get_close_matches(word, ["all", *WORDS, *EVENTS], n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"known are all, {', '.join(WORDS)}, and single event names"
    raise UnknownWordError(f"`{word}` is no event: {hint}")
