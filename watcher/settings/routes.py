"""`[[routes]]` and `[[silences]]` of watcher.toml: who is told of what, and when nobody is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from difflib import get_close_matches

from watcher.core.event import JOB_FAILING
from watcher.core.match import LABEL, TERMS, Match, Pattern, pattern
from watcher.core.model import JobType
from watcher.core.policy import GROUP_BY, REMIND_AT_MOST, Quiet, Route
from watcher.core.render.style import Severity
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS, WORDS
from watcher.core.window import EVERY_DAY, Window, never_ends
from watcher.settings import hours, parse
from watcher.settings.notes import Notes
from watcher.settings.tabled import Tabled, of_text, text, texts, yes
from watcher.settings.zone import zone as read_zone

ROUTE_KEYS = (
    "name",
    "match",
    "channels",
    "notify_on",
    "attempts",
    "group_wait",
    "group_by",
    "quiet",
    "remind_every",
    "remind_at_most",
    "stop",
)
SILENCE_KEYS = ("match", "weekly", "zone", "author", "reason")
_QUIET_KEYS = ("hours", "days", "zone", "mode", "pierce")
_SEVERITIES = {one.name.lower(): one for one in Severity}
_SHORTEST_REMINDER = timedelta(minutes=1)
_MOST_REMINDERS = 1000


@dataclass(frozen=True, slots=True)
class Inherited:
    """What counts for a route that does not say otherwise."""

    notify_on: frozenset[str]
    is_final: bool
    group_wait: timedelta
    zone: tzinfo

    def route(self) -> Route:
        """Return the route that stands for all of them where there is none."""
        return Route("all", self.notify_on, is_final=self.is_final, group_wait=self.group_wait)


def table_route(
    table: Mapping[str, object], place: int, where: str, inherited: Inherited, channels: Iterable[str], notes: Notes
) -> Route:
    """Return the route that one `[[routes]]` table describes; `channels` are the names that there are."""
    tabled = Tabled(table, where, notes)
    tabled.known(ROUTE_KEYS)
    return Route(
        name=tabled.get("name", of_text(parse.name), f"route {place}"),
        notify_on=tabled.get("notify_on", of_text(parse.notify_on), inherited.notify_on),
        match=match_of(tabled.inner("match")),
        channels=tabled.get("channels", known_channels(channels), None),
        is_final=tabled.get("attempts", of_text(parse.choice("final", "each")), _word(inherited)) == "final",
        group_wait=tabled.get("group_wait", of_text(parse.duration), inherited.group_wait),
        group_by=tabled.get("group_by", _traits, GROUP_BY),
        quiet=_quiet(tabled, inherited.zone),
        remind_every=tabled.get("remind_every", of_text(parse.duration_from(_SHORTEST_REMINDER)), None),
        remind_at_most=tabled.get("remind_at_most", _count, REMIND_AT_MOST),
        stops=tabled.get("stop", yes, False),
    )


def table_silence(table: Mapping[str, object], where: str, zone: tzinfo, notes: Notes) -> Silence | None:
    """Return the weekly silence that one `[[silences]]` table describes."""
    tabled = Tabled(table, where, notes)
    tabled.known(SILENCE_KEYS)
    own = tabled.get("zone", of_text(read_zone), zone)
    windows = tabled.get("weekly", lambda value: tuple(hours.weekly(one, own) for one in texts(value)), ())
    if "weekly" not in table:
        notes.problem(f"{where}: weekly", "missing: write when it is, as `sun 02:00-06:00`")
    elif never_ends(windows):
        notes.problem(f"{where}: weekly", "never ends, so nothing would ever be told: leave a time out")
    author, reason = tabled.get("author", text, ""), tabled.get("reason", text, "")
    return Silence(match_of(tabled.inner("match")), author=author, reason=reason, windows=windows) if windows else None


def check_routes(placed: Iterable[tuple[str, Route]], channels: Iterable[str], notes: Notes) -> None:
    """Note two routes of one name, and warn of routes and channels that nothing leads to; each comes with its place."""
    routes: list[Route] = []
    for where, route in placed:
        if any(one.name == route.name for one in routes):
            notes.problem(f"{where}: name", f"another route is called `{route.name}`, too: rename one of them")
        elif any(_leaves_nothing(one, route) for one in routes):
            notes.warn(where, "has no effect: a route before it decides all of it; put it first")
        routes.append(route)
    if not routes or any(route.channels is None for route in routes):
        return
    reached = {channel for route in routes for channel in route.channels or ()}
    for channel in channels:
        if channel not in reached:
            notes.warn(f"channel {channel}", "no route leads to it, so it is told of nothing")


def _leaves_nothing(first: Route, later: Route) -> bool:
    """Whether no event is left for a later route: the one before takes all, and stops or decides for its channels."""
    if first.match.terms:
        return False
    if first.stops:
        return True
    takes_less = later.notify_on <= first.notify_on and (later.is_final or not first.is_final) and not later.stops
    is_for_less = first.channels is None or (later.channels is not None and set(later.channels) <= set(first.channels))
    return takes_less and is_for_less


def warn_of_strangers(match: Match, where: str, servers: Iterable[str], notes: Notes) -> None:
    """Warn of a server that there is not: what is meant for it would never fit, and nobody would know."""
    names = tuple(servers)
    for term, wanted in match.terms:
        if term == "server" and names and not any(wanted.fits(name) for name in names):
            notes.warn(f"{where}: match: server", f"fits no server: they are {', '.join(names)}")


def match_of(tabled: Tabled) -> Match:
    """Read what an event has to be, one term a key, the labels of its server in a table of their own."""
    tabled.known((*TERMS, "labels"))
    labels = tabled.inner("labels")
    terms = [(term, found) for term in TERMS if (found := tabled.get(term, _READERS.get(term, pattern_of), None))]
    terms += [(f"{LABEL}{name}", found) for name in labels.table if (found := labels.get(name, pattern_of, None))]
    return Match(tuple(terms))


def pattern_of(value: object) -> Pattern:
    """Read a pattern: a word, or several of which one has to fit."""
    words = tuple(one for one in texts(value) if one)
    if not words:
        raise ValueError("is empty: name something, or leave the key out")
    return pattern(words)


def words_of(
    what: str, known: Iterable[str], also: Mapping[str, Iterable[str]] | None = None
) -> Callable[[object], Pattern]:
    """Make a reader of patterns that names a word which can never fit; words of `also` stand for several."""
    known, also = tuple(known), also or {}

    def read(value: object) -> Pattern:
        words: list[str] = []
        for word in texts(value):
            sign, plain = ("!", word[1:].strip()) if word.startswith("!") else ("", word)
            if plain not in also and plain not in known and not set(plain) & set("*?"):
                raise ValueError(f"`{plain}` is no {what}{_near(plain, (*also, *known), tuple(also))}")
            words += [f"{sign}{one}" for one in sorted(also.get(plain, (plain,)))]
        return pattern_of(words)

    return read


_READERS: Mapping[str, Callable[[object], Pattern]] = {
    "job_type": words_of("kind of work", (one.value for one in JobType)),
    "severity": words_of("severity", _SEVERITIES),
    "event": words_of("event", (*sorted(EVENTS), JOB_FAILING), WORDS),
}


def _near(word: str, known: tuple[str, ...], short: tuple[str, ...] = ()) -> str:
    """Name the nearest word, or all there are; `short`: those to name of a long list."""
    near = get_close_matches(word.lower(), known, n=1)
    if near:
        return f": did you mean `{near[0]}`?"
    return f": they are {', '.join(short or known)}{', and single ones as `session.failed`' if short else ''}"


def known_channels(channels: Iterable[str]) -> Callable[[object], tuple[str, ...]]:
    """Make a reader of names of channels."""
    known = tuple(channels)

    def read(value: object) -> tuple[str, ...]:
        for name in texts(value):
            if name not in known:
                raise ValueError(f"no channel is called `{name}`{_near(name, known) if known else ''}")
        return texts(value)

    return read


def _traits(value: object) -> tuple[str, ...]:
    traits = tuple(one for one in texts(value) if one)
    for one in traits:
        if one not in TERMS and not one.startswith(LABEL):
            raise ValueError(f"`{one}` is no trait of an event{_near(one, (*TERMS, 'labels.NAME'))}")
    return traits


def _quiet(tabled: Tabled, zone: tzinfo) -> Quiet:
    value = tabled.table.get("quiet", [])
    entries = [
        _quiet_entry(entry, f"{tabled.where}: quiet", zone, tabled.notes)
        for entry in (value if isinstance(value, list) else [value])
    ]
    windows = tuple(window for entry in entries for window in entry.windows)
    if never_ends(windows):
        tabled.notes.problem(f"{tabled.where}: quiet", "never ends, so nothing would ever be told: leave a time out")
    if len({(entry.drops, entry.pierced_by) for entry in entries}) > 1:
        tabled.notes.problem(f"{tabled.where}: quiet", "`mode` and `pierce` have to be the same in all its parts")
    return Quiet(windows, entries[0].drops, entries[0].pierced_by) if entries else Quiet()


def _quiet_entry(value: object, where: str, zone: tzinfo, notes: Notes) -> Quiet:
    tabled = Tabled(value if isinstance(value, dict) else {"hours": value}, where, notes)
    tabled.known(_QUIET_KEYS)
    if "hours" not in tabled.table:
        notes.problem(f"{where}: hours", "missing: write `22:00-07:00`")
    own = tabled.get("zone", of_text(read_zone), zone)
    on = tabled.get("days", of_text(hours.days), EVERY_DAY)
    spans = tabled.get("hours", lambda value: tuple(hours.hours(one) for one in texts(value)), ())
    mode = tabled.get("mode", of_text(parse.choice("hold", "drop")), "hold")
    pierced = tabled.get("pierce", _severities, frozenset[Severity]())
    return Quiet(tuple(Window(begin, end, own, on) for begin, end in spans), mode == "drop", pierced)


def _severities(value: object) -> frozenset[Severity]:
    read = parse.choice(*_SEVERITIES)
    return frozenset(_SEVERITIES[read(word)] for one in texts(value) for word in parse.words(one))


def _count(value: object) -> int:
    word = text(value).strip()
    if word.isascii() and word.isdigit() and 1 <= int(word) <= _MOST_REMINDERS:
        return int(word)
    raise ValueError(f"`{word}` is no number: write 1 to {_MOST_REMINDERS}")


def _word(inherited: Inherited) -> str:
    return "final" if inherited.is_final else "each"
