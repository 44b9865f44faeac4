"""Other words for messages: foreign words stay harmless, and whatever is wrong, the message goes out."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.receivers import receiving
from tests.core.stories import STORIES
from watcher.channels import open_channel
from watcher.channels.templates import Request, problems, reword
from watcher.core.delivery import Parcel, Sent
from watcher.core.event import REMINDERS, Event, JobRef
from watcher.core.examples import examples
from watcher.core.match import Pattern
from watcher.core.render import Details, Format, Message, Style, render
from watcher.core.render.escape import escape
from watcher.core.template import GROUP, Template
from watcher.core.wanted import EVENTS

ZONE = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)
ALL = {event.type: event for event in examples(NOW)}
STYLES = {form: Style(form, 8000, 200) for form in Format}
TEXT = STYLES[Format.TEXT]


def request(*events: Event, style: Style = TEXT, details: Details = Details.FULL) -> Request:
    return Request("ops", events, render(events, style, ZONE, details=details), style, ZONE, details)


def said(body: str, *events: Event, style: Style = TEXT, **fields: object) -> Message:
    asked = request(*(events or (ALL["session.failed"],)), style=style, **fields)  # type: ignore[arg-type]
    return reword([Template(body=body, event=Pattern(("*", GROUP)))], asked)


def test_there_is_an_example_of_every_event() -> None:
    """`check` tries templates on them, so that none fails at three in the morning."""
    assert ALL.keys() == EVENTS | REMINDERS
    assert len({event.id for event in ALL.values()}) == len(ALL)


def test_the_words_are_the_templates() -> None:
    """Title and body; without one of them ours stay."""
    failed = request(ALL["session.failed"])
    body = "{{ server }}\n{% for l in log %}\n- {{ l }}\n{% endfor %}"
    both = reword([Template(title="{{ word }}: {{ job }}", body=body)], failed)
    assert both.title == "Failed: Contoso - Mail"
    assert both.body.startswith("HQ\n- Failed to process site")
    assert both.severity == failed.built_in.severity
    assert reword([Template(title="x")], failed).body == failed.built_in.body
    assert reword([], failed) == failed.built_in


def test_the_first_that_fits_counts() -> None:
    """By channel and by event; joined messages have to be named."""
    asked = request(ALL["session.failed"])
    mine = Template(Pattern(("ops",)), Pattern(("session.*",)), body="mine")
    assert reword([replace(mine, channel=Pattern(("hr",))), replace(mine, body="second")], asked).body == "second"
    assert reword([mine], request(ALL["server.replaced"])).body == request(ALL["server.replaced"]).built_in.body
    pair = request(ALL["session.failed"], replace(ALL["session.warning"], job=JobRef("2", "Sites")))
    assert reword([Template(body="mine")], pair) == pair.built_in
    joined = Template(event=Pattern((GROUP,)), body="{% for one in events %}{{ one.job }};{% endfor %}")
    assert reword([joined], pair).body == "Contoso - Mail;Sites;"


@given(st.text(min_size=1, max_size=80), st.sampled_from(Format))
def test_names_are_escaped_like_everywhere(name: str, form: Format) -> None:
    """A job called `@channel <script>` calls nobody and runs nowhere, whatever filters it went through."""
    event = replace(ALL["session.failed"], job=JobRef("1", name))
    shown = escape(name, form)
    said_plain = said("[{{ job }}]", event, style=STYLES[form]).body
    assert said_plain == f"[{shown}]"
    assert said("[{{ job | safe }}{{ job ~ '' }}]", event, style=STYLES[form]).body == f"[{shown}{shown}]"


def test_our_own_words_can_stand_in_a_template() -> None:
    """As they are, since they are escaped already."""
    asked = request(ALL["session.failed"], style=STYLES[Format.HTML])
    assert asked.built_in.body in reword([Template(body="{{ body }}<hr/>")], asked).body


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{{ jbo }}", "'jbo' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "it does what is not allowed"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% for a in range(99999) %}{{ body }}{% endfor %}", "it makes more than 200000 characters"),
        ("{{ range(10 ** 9) }}", ""),
        ("{% if false %}x{% endif %}", "its body is empty"),
        ("{{ log.append('x') }}", ""),
        ("{{ job.upper.__globals__ }}", ""),
    ],
)
@pytest.mark.parametrize("form", list(Format))
def test_one_that_fails_is_replaced_by_our_words_with_a_note(body: str, why: str, form: Format) -> None:
    """The message goes out, and says what is wrong with the template."""
    asked = request(ALL["session.failed"], style=STYLES[form])
    message = reword([Template(title="t", body=body)], asked)
    assert message.body.startswith(asked.built_in.body)
    assert message.title == asked.built_in.title
    note = message.body[len(asked.built_in.body) :]
    assert "The template of this message failed" in note
    assert escape(why, form) in note


@pytest.mark.parametrize("limit", [60, 160, 500, 2000])
@pytest.mark.parametrize("form", list(Format))
def test_the_limit_holds_also_for_templates(limit: int, form: Format) -> None:
    """What is too long is cut; half of some HTML is none, so there ours goes out."""
    style = Style(form, limit, 0)
    for body in ("{% for n in range(300) %}word {% endfor %}", "{{ nothing }}"):
        message = said(body, style=style)
        assert 0 < len(message.body) <= limit
        assert message.title == ""


def test_a_channel_without_titles_gets_them_as_its_first_line() -> None:
    """Where the service has none."""
    asked = request(ALL["session.failed"], style=Style(Format.TEXT, 500, 0))
    message = reword([Template(title="{{ word }}!", body="why")], asked)
    assert message == Message("", "Failed!\nwhy", message.severity)


def test_a_discreet_channel_stays_discreet() -> None:
    """A template gets no log lines that the channel is not to see."""
    assert said("x{{ log }}{{ reason }}", details=Details.NONE).body == "x[]"
    assert said("x{{ log | length }}", details=Details.SHORT).body == "x0"


@pytest.mark.parametrize("details", [Details.SHORT, Details.NONE])
def test_a_template_of_a_discreet_channel_names_nobody_who_restored(details: Details) -> None:
    """Whatever it asks for, alone or among others, and where a title has to be made up."""
    body = "{{ title }} {{ job }} {{ facts }} {{ log }} {{ events }} {{ reason }}"
    style = Style(Format.TEXT, 8000, 0)
    for events in ((STORIES["restore-done"],), (STORIES["restore-done"], STORIES["restore-started"])):
        written = said(body, *events, style=style, details=details).body
        assert "Exchange restore" in written
        assert not [word for word in ("Ann", "ann@", "operator", "10.0.0.7", "4711") if word in written]


def test_each_kind_of_event_is_tried() -> None:
    """`check` names every event for which a template fails."""
    asked = [request(event) for event in ALL.values()]
    assert problems(Template(body="{{ server }} {{ facts[0][0] }}"), asked).keys() >= {"server.replaced"}
    assert problems(Template(body="{{ word }} {{ job }} {{ sentences | join(' ') }}"), asked) == {}


_PIECES = "{{ ; }};{% ; %};for x in log;endfor;if late;endif;job;server;x;|upper;();[0];a\n;7 ;**;range(9);';events;~"


@given(
    st.lists(st.sampled_from(_PIECES.split(";")), max_size=12).map("".join),
    st.sampled_from(Format),
    st.sampled_from([80, 400, 8000]),
)
def test_whatever_a_template_is_a_message_goes_out(body: str, form: Format, limit: int) -> None:
    """It fails in its words or not, never with an exception and never beyond the limit."""
    message = said(body, style=Style(form, limit, 60))
    assert 0 < len(message.body) <= limit
    assert 0 < len(message.title) <= 60


async def test_a_template_reaches_the_receiver() -> None:
    """From the channel's settings to what the service gets."""
    with receiving() as receiver:
        words = (Template(title="{{ word }}", body="{{ job }} of {{ organization }}"),)
        channel = open_channel("ops", f"json://127.0.0.1:{receiver.port}/", zone=UTC, templates=words)
        verdict = await channel.send(Parcel("m", channel.destinations[0], (ALL["session.failed"],)))
        await channel.aclose()
    assert verdict.sent == Sent.DELIVERED
    (got,) = (json.loads(one.body) for one in receiver.requests)
    assert (got["title"], got["message"]) == ("Failed", "Contoso - Mail of contoso.onmicrosoft.com")
