"""What the loops did, as log lines and metrics: one place, so that both use the same words."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from watcher.core.delivery import Sent, State
from watcher.core.event import Event
from watcher.core.followup import FollowUp
from watcher.core.watchdog.alarm import Review
from watcher.desk import Handled
from watcher.watch import Report
from watcher.web.metrics import Metrics

log = logging.getLogger("watcher")

SAY_AGAIN_EVERY = 20


@dataclass(slots=True)
class Telling:
    """Says what happened; a failure that only repeats is said again now and then, not every time."""

    metrics: Metrics
    _failures: dict[str, tuple[str, int]] = field(default_factory=dict)
    _feeds: dict[str, str] = field(default_factory=dict)
    _refusals: dict[str, tuple[str, int]] = field(default_factory=dict)

    def look(self, report: Report, seconds: float, next_look: float | None) -> None:
        """Tell of one look: its failure and what will happen next, or the transitions it brought."""
        self.metrics.look(report.server, report.failure or "success", seconds)
        if report.unreadable:
            self.metrics.bad_rows(report.server, report.unreadable)
        if report.failure is not None:
            self._failed(report, next_look)
            return
        _, failures = self._failures.pop(report.server, ("", 0))
        if failures:
            log.info("%s: answers again, after %s", report.server, _looks(failures), extra={"server": report.server})
        if report.mute:
            log.warning("%s: its event feed has missed an end; listening anew", report.server)
        if report.forgotten:
            text = "%s: another watcher on this database does not watch %s, and had it forgotten; it is put back: %s"
            kinds = ", ".join(sorted(report.forgotten))
            log.warning(text, report.server, kinds, "give both the same WATCHER_WATCH", extra={"server": report.server})
        for chain in report.waiting:
            if chain.last is not None:
                text = "%s: session %s ended as %s and will be retried, so it waits for that"
                log.info(text, report.server, chain.last.id, chain.last.status, extra={"server": report.server})
        if report.silenced:
            self.metrics.silenced(report.server, report.silenced)
            log.info("%s: %s kept back by a silence", report.server, _events(report.silenced))
        for event in report.events:
            self.metrics.transition(report.server, event.type)
            name = event.job.name if event.job else (event.session.id if event.session else "")
            log.info("%s: %s: %s (%s)", report.server, event.type, name, event.reason, extra={"server": report.server})

    def followed_up(self, said: FollowUp) -> None:
        """Tell what was said by the clock."""
        for _, event in said.events:
            self.metrics.transition(event.server.name, event.type)
            log.info("%s: %s%s", event.server.name, event.type, _about(event))
        for event_id in said.let_go:
            ruling = said.rulings.get(event_id)
            told = [one.channel for one in ruling.decisions if one.tell] if ruling else []
            log.info("a silence is over: event %s is told to %s", event_id, ", ".join(told) or "nobody any more")

    def guarded(self, server: str, said: Review) -> None:
        """Tell what the watchdogs have said."""
        silenced = sum(ruling.muted_by is not None for ruling in said.rulings.values())
        if silenced:
            self.metrics.silenced(server, silenced)
            log.info("%s: %s kept back by a silence", server, _events(silenced))
        for event in said.events:
            self.metrics.transition(server, event.type)
            log.info("%s: %s%s (%s)", server, event.type, _about(event), event.reason, extra={"server": server})

    def reading(self, server: str, words: str) -> None:
        """Tell how far a long first reading is."""
        log.info("%s: %s", server, words, extra={"server": server})

    def swept(self, server: str, missed: Sequence[str]) -> None:
        """Tell what a sweep has found that the looks had missed, which should be nothing."""
        if not missed:
            log.debug("%s: swept; the looks had missed nothing", server)
            return
        shown = ", ".join(missed[:5]) + (", ..." if len(missed) > 5 else "")
        sessions = "a session" if len(missed) == 1 else f"{len(missed)} sessions"
        log.warning("%s: the sweep has found %s that the looks had missed: %s", server, sessions, shown)

    def sweep_failed(self, server: str, failure: Exception) -> None:
        """Tell that a sweep was given up; it is nothing to wake anybody for."""
        log.info("%s: the sweep was given up, and comes again: %s", server, failure, extra={"server": server})

    def feed(self, server: str, failure: str | None, pause: float) -> None:
        """Tell how listening to a server's events goes, when that changes; looks go on whatever it is."""
        says = failure or ("" if not pause else "none")
        if self._feeds.get(server) == says or (failure and self._feeds.get(server)):
            return
        self._feeds[server] = says
        if failure:
            log.info(
                "%s: its event feed fails: %s; looks go on by the clock", server, failure, extra={"server": server}
            )
        elif pause:
            log.debug("%s: has no event feed; looks go on by the clock", server, extra={"server": server})
        else:
            log.info("%s: its events are heard, so its news comes at once", server, extra={"server": server})

    def _failed(self, report: Report, next_look: float | None) -> None:
        text, failures = self._failures.get(report.server, ("", 0))
        failures = failures + 1 if text == report.failure else 1
        self._failures[report.server] = (str(report.failure), failures)
        level = logging.WARNING if failures % SAY_AGAIN_EVERY == 1 else logging.DEBUG
        then = "" if next_look is None else f"; the next look is in {next_look:.3g} s"
        count = f" ({failures} in a row)" if failures > 1 else ""
        log.log(
            level, "%s: look failed%s: %s%s", report.server, count, report.text, then, extra={"server": report.server}
        )

    def deliveries(self, handled: Iterable[Handled]) -> None:
        """Tell of deliveries: what arrived quietly, what did not aloud, with what becomes of it."""
        for one in handled:
            name = one.delivery.channel
            dead = one.settlement.state == State.DEAD
            self.metrics.delivery(name, "dead" if dead else one.verdict.sent)
            what = f"{one.delivery.event.type} {one.delivery.event.id}"
            extra = {"channel": name, "delivery": one.delivery.id}
            if one.verdict.sent == Sent.DELIVERED:
                log.info("%s: delivered %s", name, what, extra=extra)
            elif dead:
                log.error("%s: gave up %s: %s", name, what, one.settlement.reason, extra=extra)
            else:
                log.warning("%s: not delivered yet: %s: %s", name, what, one.verdict.reason, extra=extra)

    def twins(self, first: str, second: str) -> None:
        """Tell that two servers of the settings are one installation."""
        log.warning("%s and %s are the same installation; watch it under one name", first, second)

    def store_failed(self, loop: str, error: Exception) -> None:
        """Tell that the database refused; nothing is lost by it, since nothing moves on."""
        text, failures = self._refusals.get(loop, ("", 0))
        failures = failures + 1 if text == str(error) else 1
        self._refusals[loop] = (str(error), failures)
        level = logging.ERROR if failures % SAY_AGAIN_EVERY == 1 else logging.DEBUG
        log.log(level, "%s: %s; nothing moves on until this is over", loop, error)

    def store_worked(self, loop: str) -> None:
        """Tell that the database takes again what it refused."""
        if self._refusals.pop(loop, None):
            log.info("%s: the database works again", loop)


def _about(event: Event) -> str:
    name = event.job.name if event.job else (event.thing.name if event.thing else "")
    return f": {name}" if name else ""


def _looks(number: int) -> str:
    return "one failed look" if number == 1 else f"{number} failed looks"


def _events(number: int) -> str:
    return "1 event is" if number == 1 else f"{number} events are"
