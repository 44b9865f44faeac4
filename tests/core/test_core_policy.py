"""Who is told, when, and why."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.factories import HQ, T0, at
from watcher.core.event import Event, JobRef, Story
from watcher.core.match import Match, pattern
from watcher.core.policy import Case, Policy, Quiet, Route, rule, rule_again, rule_reminder
from watcher.core.render.style import Severity
from watcher.core.ruling import Decision, Told
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS
from watcher.core.window import Window

PLACES = {"ops": ("a",), "hr": ("b",), "hook": ("c",)}
WAIT = timedelta(seconds=10)
NIGHT = Quiet((Window(time(22), time(7), UTC),))


def event(kind: str = "session.failed", job: str = "HR - Mail") -> Event:
    return Event("e", kind, HQ, T0, T0, job=JobRef("j", job, organization="Contoso"), story=Story(1))


def route(name: str = "r", **fields: object) -> Route:
    return Route(name, EVENTS, **fields)  # type: ignore[arg-type]


def about(**terms: str | tuple[str, ...]) -> Match:
    return Match(tuple((term, pattern((word,) if isinstance(word, str) else word)) for term, word in terms.items()))


def case(*routes: Route, now: datetime = T0, **fields: object) -> Case:
    policy = Policy(routes, PLACES, programs=frozenset({"hook"}))
    return Case(replace(policy, silences=tuple(fields.pop("weekly", ()))), now, **fields)  # type: ignore[arg-type]


def told(asked: Case, one: Event | None = None) -> dict[str, str]:
    """Return the channels that are told, and by which route."""
    return {row.channel: row.route for row in rule(one or event(), asked).decisions if row.tell}


def test_routes_are_gone_through_in_their_order() -> None:
    """The first that leads to a channel counts, and one that stops ends it for what it is meant for."""
    hr = route("hr", match=about(job="HR*"), channels=("hr",))
    assert told(case(hr, route("all"))) == {"hr": "hr", "ops": "all", "hook": "all"}
    assert told(case(replace(hr, stops=True), route("all"))) == {"hr": "hr"}
    assert told(case(replace(hr, stops=True), route("all")), event(job="Finance")) == dict.fromkeys(PLACES, "all")


def test_a_route_that_is_meant_but_does_not_want_the_event_still_stops_it() -> None:
    """Who takes a job's failures only has said all that there is to say of that job."""
    hr = replace(route("hr", match=about(job="HR*"), channels=("hr",), stops=True), notify_on=frozenset())
    ruling = rule(event(), case(hr, route("all")))
    assert ruling.decisions == ()
    assert [(step.route, step.takes, step.reason) for step in ruling.steps] == [
        ("hr", False, "notify_on does not name session.failed")
    ]


def test_where_no_route_leads_nobody_is_told_and_it_is_known_why() -> None:
    """Each route has its reason."""
    ruling = rule(event(), case(route("x", match=about(job="X*")), route("y", match=about(severity="success"))))
    assert ruling.decisions == ()
    assert [step.reason for step in ruling.steps] == [
        "job is `HR - Mail`, not `X*`",
        "severity is `failure`, not `success`",
    ]


def test_people_wait_for_each_other_and_programs_never_do() -> None:
    """Messages of one server join for a while; a webhook gets each event at once."""
    decisions = {row.channel: row for row in rule(event(), case(route(group_wait=WAIT))).decisions}
    assert (decisions["ops"].due, bool(decisions["ops"].group)) == (T0 + WAIT, True)
    assert (decisions["hook"].due, decisions["hook"].group) == (None, "")


@pytest.mark.parametrize(
    ("by", "same"),
    [(("server",), True), (("job",), False), ((), True), (("server", "organization"), True), (("event", "job"), False)],
)
def test_groups_are_those_that_share_the_traits(by: tuple[str, ...], same: bool) -> None:
    """Two jobs of one server join or do not, as the route says."""
    asked = case(route(group_wait=WAIT, group_by=by))
    groups = {rule(one, asked).decisions[0].group for one in (event(job="a"), event(job="b"))}
    assert (len(groups) == 1) is same


def test_a_hasty_round_groups_without_waiting() -> None:
    """`run --once` ends at once, and still sends one message and not seven."""
    asked = case(route(group_wait=WAIT))
    row = rule(event(), replace(asked, policy=replace(asked.policy, is_hasty=True))).decisions[0]
    assert (row.due, bool(row.group)) == (None, True)


def test_quiet_hours_keep_what_does_not_pierce_them() -> None:
    """It is told in the morning, in one group whatever it is about; or never, where the route drops it."""
    night = T0 + timedelta(hours=1)
    morning = datetime(2026, 3, 2, 7, tzinfo=UTC)
    one, two = (rule(event(job=job), case(route(quiet=NIGHT), now=night)).decisions[0] for job in ("a", "b"))
    assert (one.tell, one.due, one.held, one.group) == (True, morning, "quiet hours", two.group)
    pierced = replace(NIGHT, pierced_by=frozenset({Severity.FAILURE}))
    assert rule(event(), case(route(quiet=pierced), now=night)).decisions[0].due is None
    assert rule(event("session.warning"), case(route(quiet=pierced), now=night)).decisions[0].due == morning
    dropped = rule(event(), case(route(quiet=replace(NIGHT, drops=True)), now=night)).decisions[0]
    assert (dropped.tell, dropped.reason) == (False, "quiet hours, which drop it")
    assert rule(event(), case(route(quiet=NIGHT), now=T0 + timedelta(hours=10))).decisions[0].due is None


def test_a_silence_keeps_back_and_says_who_wanted_it() -> None:
    """One that was set for some hours, and one that comes every week."""
    patches = Silence(about(job="HR*"), T0, at(60), "ann", "patch day", 3)
    ruling = rule(event(), case(route(), silences=(patches,)))
    assert ruling.muted_by == 3
    assert {(row.tell, row.muted, row.reason) for row in ruling.decisions} == {
        (False, True, "silence 3 by ann (patch day)")
    }
    assert rule(event(), case(route(), silences=(patches,), now=at(60))).muted_by is None
    assert rule(event(job="Finance"), case(route(), silences=(patches,))).muted_by is None
    weekly = Silence(Match(), windows=(Window(time(22), time(23), UTC),), reason="maintenance")
    assert rule(event(), case(route(), weekly=(weekly,))).muted_by == 0
    assert rule(event(), case(route(), weekly=(weekly,), now=at(60))).muted_by is None


def test_what_a_silence_kept_back_is_decided_anew_for_those_who_would_have_been_told() -> None:
    """After it, quiet hours still count; a channel that is gone is passed over."""
    patches = Silence(Match(), T0, at(60), "ann", "", 3)
    before = rule(event(), case(route(quiet=NIGHT), silences=(patches,), now=at(1)))
    again = rule_again(event(), before, case(route(quiet=NIGHT), now=at(60)))
    assert {(row.channel, row.held, row.reason) for row in again.decisions} == {
        (name, "quiet hours", "silence 3 by ann is over") for name in PLACES
    }
    gone = replace(before, decisions=(replace(before.decisions[0], channel="gone"),))
    assert [row.tell for row in rule_again(event(), gone, case(route(), now=at(60))).decisions] == [False]


def test_after_a_silence_a_recovery_is_news_only_for_who_knew_of_the_failure() -> None:
    """The others would ask: recovered from what?"""
    patches = Silence(Match(), T0, at(60), "ann", "", 3)
    before = rule(event("job.recovered"), case(route(), silences=(patches,), told=(Told("hr", "r", T0),)))
    again = rule_again(event("job.recovered"), before, case(route(), now=at(60)))
    assert {row.channel for row in again.decisions if row.tell} == {"hr"}


def test_a_recovery_goes_to_whoever_was_told_of_the_failure() -> None:
    """Also where the route is meant for failures; but not to who never wanted a recovery."""
    bad = route("bad", match=about(severity="failure"), channels=("hr",))
    knows = (Told("hr", "bad", T0),)
    good = event("job.recovered")
    assert told(case(bad), good) == {}
    assert told(case(bad, told=knows), good) == {"hr": "bad"}
    assert rule(good, case(bad, told=knows)).decisions[0].reason == "was told of the failure"
    assert told(case(replace(bad, notify_on=frozenset({"session.failed"})), told=knows), good) == {}
    assert told(case(bad, told=(Told("gone", "bad", T0), Told("hr", "no such route", T0))), good) == {}
    assert told(case(bad, told=knows), event("session.success")) == {}


def test_a_reminder_goes_by_the_way_of_the_failure() -> None:
    """Through quiet hours and silences like everything else."""
    knows = (Told("ops", "r", T0),)
    assert rule_reminder(event("job.failing"), case(route(), told=knows)).decisions == (
        Decision("ops", tell=True, reason="remind_every", route="r"),
    )
    held = rule_reminder(event("job.failing"), case(route(quiet=NIGHT), told=knows, now=at(60)))
    assert held.decisions[0].held == "quiet hours"


def test_attempts_speak_only_where_each_does() -> None:
    """The others wait for the end of the run."""
    each, final = route("each", is_final=False, channels=("ops",)), route("final", channels=("hr",))
    assert told(case(each, final, is_attempt=True)) == {"ops": "each"}
    assert told(case(each, final)) == {"ops": "each", "hr": "final"}


routes = st.builds(
    Route,
    st.text("abc", min_size=1, max_size=2),
    st.sampled_from([EVENTS, frozenset(), frozenset({"session.failed"})]),
    match=st.sampled_from([Match(), about(job="HR*"), about(job="!HR*"), about(severity=("failure", "warning"))]),
    channels=st.sampled_from([None, (), ("ops",), ("hr", "hook"), ("gone",)]),
    quiet=st.sampled_from([Quiet(), NIGHT, replace(NIGHT, drops=True)]),
    group_wait=st.sampled_from([timedelta(0), WAIT]),
    stops=st.booleans(),
)


@given(st.lists(routes, max_size=5), st.sampled_from(sorted(EVENTS)), st.integers(0, 1440), st.booleans())
def test_every_ruling_is_whole(some: list[Route], kind: str, minute: int, silenced: bool) -> None:
    """Each channel once, with a reason; nothing is due before now; a silence tells nobody; each step is a route."""
    now = at(minute)
    silences = (Silence(Match(), T0, at(2000), id=1),) if silenced else ()
    ruling = rule(event(kind), case(*some, now=now, silences=silences))
    names = [row.channel for row in ruling.decisions]
    assert len(names) == len(set(names))
    assert set(names) <= PLACES.keys()
    assert all(row.reason and row.route for row in ruling.decisions)
    assert all(row.due is None or row.due > now for row in ruling.decisions)
    is_sign_of_life = kind.startswith("watcher.")  # no silence keeps those back
    assert is_sign_of_life or not (silenced and any(row.tell for row in ruling.decisions))
    assert [step.route for step in ruling.steps] == [one.name for one in some][: len(ruling.steps)]
    assert all(step.reason for step in ruling.steps)
