"""The status page: plain HTML that needs no script, for a browser, a phone, a screen reader or a text browser."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watcher import __version__
from watcher.core.jsonview import timestamp
from watcher.core.views import ChannelView, DeliveryView, OutboxView, ServerView, SessionView, StatusView
from watcher.web import badge
from watcher.web.markup import Markup, element, join
from watcher.web.sick import sick

REFRESH_SECONDS = 15
_NOTHING = "-"
_DOCTYPE = Markup("<!doctype html>\n")


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page shows. `stuck`: sentences on loops that make no progress."""

    now: datetime
    status: StatusView
    sessions: Sequence[SessionView]
    deliveries: Sequence[DeliveryView]
    stuck: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    """A section of the page: its heading, its columns, its rows, and what stands there without any row."""

    heading: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]
    empty: str


def render(overview: Overview) -> str:
    """Return the page as HTML."""
    troubles = [*overview.stuck, *sick(overview.status).sentences()]
    return _document(
        f"{len(troubles)} in trouble" if troubles else "All is well",
        _summary(overview.status, troubles),
        _section(_servers(overview)),
        _section(_channels(overview)),
        _section(_sessions(overview)),
        _section(_deliveries(overview)),
        element("p", f"As of {_clock(overview.now)}. All times are UTC.", class_="asof"),
    )


def render_failure(sentence: str) -> str:
    """Return the page that stands in while there is nothing to show, with the reason."""
    summary = element("p", badge.badge(badge.BAD, "Trouble"), " ", sentence)
    return _document("Trouble", element("section", summary, class_="summary", aria_label="Summary"))


def _summary(status: StatusView, troubles: Sequence[str]) -> Markup:
    if troubles:
        head, lines = (
            badge.badge(badge.BAD, "Trouble"),
            element("ul", *(element("li", trouble) for trouble in troubles)),
        )
    elif any(server.reachable is None for server in status.servers):
        head, lines = badge.badge(badge.IDLE, "Starting: not every server was tried yet"), join()
    else:
        head, lines = badge.badge(badge.GOOD, "All is well"), join()
    return element("section", element("p", head), lines, class_="summary", aria_label="Summary")


def _document(title: str, *content: Markup) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="refresh", content=str(REFRESH_SECONDS)),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · vb365-watcher"),
        element("link", rel="stylesheet", href=f"style.css?v={__version__}"),
    )
    header = element("header", element("h1", "vb365-watcher"), element("span", __version__, class_="version"))
    body = element("body", header, element("main", *content), _footer())
    return join(_DOCTYPE, element("html", head, body, lang="en"), "\n")


def _footer() -> Markup:
    links = ("healthz", "readyz", "metrics", "api/status", "api/sessions", "api/deliveries")
    return element(
        "footer", element("nav", *(element("a", link, href=link) for link in links), aria_label="For programs")
    )


def _section(table: _Table) -> Markup:
    heading = element("h2", table.heading)
    rows = [element("tr", *map(_cell, table.columns, row)) for row in table.rows]
    if not rows:
        return element("section", heading, element("p", table.empty, class_="empty"))
    head = element("thead", element("tr", *(element("th", column, scope="col") for column in table.columns)))
    return element("section", heading, element("table", head, element("tbody", *rows)))


def _cell(column: str, content: str) -> Markup:
    return element("td", content or _NOTHING, data_label=column)


def _servers(overview: Overview) -> _Table:
    columns = ("Server", "State", "Last look", "Last good look", "Open sessions", "Version", "Last error")
    return _Table(
        "Servers", columns, (_server(row, overview.now) for row in overview.status.servers), "None is watched."
    )


def _server(server: ServerView, now: datetime) -> tuple[str, ...]:
    return (
        join(element("strong", server.name), " ", element("small", server.url)),
        join(badge.of_server(server), element("small", f" {server.remark}") if server.remark else ""),
        _ago(server.last_poll, now),
        _ago(server.last_success, now),
        str(server.open_sessions),
        server.api_version or "",
        server.last_error or "",
    )


def _channels(overview: Overview) -> _Table:
    rows = (_channel(channel, overview.status.outbox) for channel in overview.status.channels)
    return _Table("Channels", ("Channel", "State", "Pending", "Dead"), rows, "None: nobody is told of anything.")


def _channel(channel: ChannelView, outbox: OutboxView) -> tuple[str, ...]:
    name = join(element("strong", channel.name), " ", element("small", channel.address))
    return name, badge.of_channel(channel), str(channel.pending), str(channel.dead)


def _sessions(overview: Overview) -> _Table:
    columns = ("Job", "Status", "Server", "Start", "End", "Duration")
    return _Table("Latest sessions", columns, map(_session, overview.sessions), "None was seen yet.")


def _session(session: SessionView) -> tuple[str, ...]:
    return (
        element("strong", session.job or session.id),
        badge.of_session(session.status),
        session.server,
        _time(session.creation_time),
        _time(session.end_time),
        _duration(session),
    )


def _deliveries(overview: Overview) -> _Table:
    columns = ("Event", "State", "Channel", "Decided", "Attempts", "Next attempt", "Reason")
    return _Table("Latest deliveries", columns, map(_delivery, overview.deliveries), "Nothing had to be told yet.")


def _delivery(delivery: DeliveryView) -> tuple[str, ...]:
    return (
        join(element("strong", delivery.event), " ", element("small", f"#{delivery.id}")),
        badge.of_delivery(delivery.state),
        delivery.channel,
        _time(delivery.created),
        str(delivery.attempts),
        _time(delivery.next_attempt),
        delivery.last_error or "",
    )


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _time(moment: datetime | None) -> str:
    return element("time", _clock(moment), datetime=timestamp(moment)) if moment else ""


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    return element("time", f"{_span(now - moment)} ago", datetime=timestamp(moment), title=f"{_clock(moment)} UTC")


def _duration(session: SessionView) -> str:
    if session.creation_time is None or session.end_time is None:
        return ""
    return element("span", _span(session.end_time - session.creation_time), class_="span")


def _span(span: timedelta) -> str:
    """Write a span with its two greatest units, `3 h 20 min`; one that clocks made negative is 0 s."""
    seconds = max(int(span.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
