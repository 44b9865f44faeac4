"""Who is told: channels, what was given up, the latest messages, and silences."""

from collections.abc import Iterator
from itertools import groupby

from watcher.core.board import Overview, Telling
from watcher.core.delivery import State
from watcher.core.render.link import job_path
from watcher.core.render.units import duration, number
from watcher.core.render.words import headline
from watcher.core.silence import Silence
from watcher.core.views import ChannelView, DeliveryView
from watcher.web import signs
from watcher.web.frame import Part
from watcher.web.lens import Lens, hidden
from watcher.web.markup import Markup, element, join


def messages(overview: Overview, lens: Lens) -> Part:
    """Return how the channels do, what was given up with its reason, and what was told last."""
    status = overview.status
    channels = [_channel(one, lens) for one in status.channels]
    listed = (
        element("ul", *channels, class_="tiles")
        if channels
        else _empty("No channel is set: nobody is told of anything.")
    )
    events = groupby(overview.latest, key=lambda one: one.event.id)
    latest = [_telling(list(same), lens) for _, same in events]
    section = element(
        "section",
        element("h2", "Messages"),
        listed,
        *_given_up(overview, lens),
        element("h3", "The latest"),
        element("ul", *latest, class_="log") if latest else _empty("Nothing had to be told yet."),
        id="messages",
        class_="card",
    )
    return Part("messages", section)


def silences(shown: tuple[Silence, ...], lens: Lens) -> Part:
    """Return the silences that are in force; without any, an empty place for them."""
    active = [one for one in shown if one.over(lens.now)]
    if not active:
        return Part("silences", element("div", id="silences"))
    rows = (_silence(one, lens) for one in active)
    section = element(
        "section", element("h2", "Silences"), element("ul", *rows, class_="log"), id="silences", class_="card"
    )
    return Part("silences", section)


def _silence(silence: Silence, lens: Lens) -> Markup:
    said = [element("strong", str(silence.match).replace("`", "")), " until ", lens.time(silence.over(lens.now))]
    by = f"by {silence.author}" if silence.author else ""
    kept = f"{number(silence.muted)} kept back" if silence.muted else ""
    about = ", ".join(part for part in (by, silence.reason, kept) if part)
    end = lens.form("end-silence", hidden("id", str(silence.id)), element("button", "End it")) if silence.id else ""
    return element("li", element("span", signs.mark(signs.IDLE), *said, " ", element("small", about)), end)


def _channel(channel: ChannelView, lens: Lens) -> Markup:
    sign, word = signs.of_channel(channel)
    name = element("p", signs.mark(sign), element("strong", channel.name), " ", element("small", channel.address))
    lines = [element("p", part, class_="faint") for part in _channel_words(channel, word)]
    since = element("p", "since ", lens.time(channel.sick_since), class_="faint") if channel.sick_since else ""
    test = lens.form("test-channel", hidden("name", channel.name), element("button", "Send a test"))
    return element("li", name, *lines, since, test if not channel.gone else "", class_=f"tile {sign.css}")


def _channel_words(channel: ChannelView, word: str) -> Iterator[str]:
    owed = [f"{number(channel.pending)} pending"] if channel.pending else []
    dead = [f"{number(channel.dead)} given up"] if channel.dead else []
    yield ", ".join(part for part in (word, *owed, *dead) if part)
    if channel.sick_reason:
        yield channel.sick_reason


def _given_up(overview: Overview, lens: Lens) -> Iterator[Markup]:
    if not overview.dead:
        return
    more = overview.status.outbox.dead - len(overview.dead)
    yield element("h3", "Given up")
    yield element("ul", *(_dead(one, lens) for one in overview.dead), class_="log")
    if more > 0:
        yield _empty(f"and {number(more)} more: watcher deliveries --state dead")


def _dead(told: Telling, lens: Lens) -> Markup:
    one = told.delivery
    why = element("small", f"{one.last_error or 'no reason is known'}, {_attempts(one.attempts)}")
    again = lens.form("retry", hidden("id", str(one.id)), element("button", "Try again"))
    said = element(
        "span", signs.mark(signs.BAD), _about(told, lens), f" → {one.channel} ", lens.time(one.created), " ", why
    )
    return element("li", said, again)


def _telling(told: list[Telling], lens: Lens) -> Markup:
    """Say of one event to whom it went."""
    to = "; ".join(f"{one.delivery.channel}, {delivery_words(one.delivery, lens)}" for one in reversed(told))
    said = (signs.mark(signs.of_event(told[0].event)), _about(told[0], lens), " → ", element("small", to))
    return element("li", element("span", *said), lens.time(told[0].delivery.created))


def delivery_words(one: DeliveryView, lens: Lens) -> str:
    """Say how far a delivery is."""
    if one.state is State.DELIVERED:
        return "delivered" if one.attempts <= 1 else f"delivered after {_attempts(one.attempts)}"
    if one.state is State.DEAD:
        return f"given up: {one.last_error or 'no reason is known'}"
    if one.attempts and one.last_error:
        return f"tried {_attempts(one.attempts)}: {one.last_error}"
    wait = one.next_attempt - lens.now if one.next_attempt and one.next_attempt > lens.now else None
    held = f"waits: {one.held}" if one.held else "on its way"
    return f"{held}, in {duration(wait)}" if wait else held


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{number(count)} attempts"


def _about(told: Telling, lens: Lens) -> Markup:
    """Say what a message is about, as a link where that is a job."""
    event, said = told.event, str(headline(told.event))
    if event.job is None:
        return join(said)
    return element("a", said, href=lens.root + job_path(event.server.name, event.job.id))


def _empty(words: str) -> Markup:
    return element("p", words, class_="empty")
