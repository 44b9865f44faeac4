"""Whole messages: read with one's own eyes in the golden files, and never longer than they may be."""

import re
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stories import END, ERRORS, JOB, STORIES, an_event
from watcher.core.event import Event, JobRef, ServerRef, Story
from watcher.core.model import LogLine, Statistics
from watcher.core.render import Details, Format, Message, Severity, Style, render

GOLDEN = Path(__file__).parent / "golden"
BERLIN = ZoneInfo("Europe/Berlin")
ROOMY = {
    Format.TEXT: Style(Format.TEXT, 8000, 200),
    Format.MARKDOWN: Style(Format.MARKDOWN, 8000, 0),
    Format.HTML: Style(Format.HTML, 8000, 200),
}
GROUP = (
    an_event("session.success"),
    an_event("session.warning", job=JobRef("2", "Fabrikam - Sites"), log=ERRORS[:1], happened=END - timedelta(hours=1)),
    an_event(job=JobRef("3", "Tailspin - Teams"), log=ERRORS[1:]),
)


def written(message: Message) -> str:
    """Return a message as the golden files show it."""
    return f"severity: {message.severity.name.lower()}\ntitle: {message.title}\n\n{message.body}\n"


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("name", [*STORIES, "group"])
def test_messages_read_as_agreed(name: str, form: Format) -> None:
    """Each kind of event in each markup is what somebody has read and found good."""
    events = GROUP if name == "group" else (STORIES[name],)
    golden = GOLDEN / f"{name}.{form}.txt"
    assert written(render(events, ROOMY[form], BERLIN)) == golden.read_text(encoding="utf-8")


def test_no_golden_message_is_left_over() -> None:
    """Every golden file belongs to a case."""
    named = {f"{name}.{form}.txt" for name in [*STORIES, "group"] for form in Format}
    assert {path.name for path in GOLDEN.glob("*.txt")} == named


words = st.text(max_size=60) | st.sampled_from(["**", "<b>", "@all", "long " * 200, "x" * 700, "\n\n# h", "&" * 50])
lines = st.builds(LogLine, st.sampled_from(["error", "warning", "success", ""]), words)
styles = st.builds(Style, st.sampled_from(Format), st.integers(60, 1500), st.just(0) | st.integers(10, 250))


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    """Draw an event whose foreign words may be anything."""
    base = draw(st.sampled_from(list(STORIES.values())))
    return replace(
        base,
        server=ServerRef(draw(words)),
        job=draw(st.none() | st.builds(JobRef, st.text(max_size=5), words, st.none(), st.none() | words)),
        log=tuple(draw(st.lists(lines, max_size=20))),
        reason=draw(st.none() | words),
        went_to=draw(st.none() | words),
        late=draw(st.booleans()),
    )


@given(st.lists(any_event(), min_size=1, max_size=5), styles, st.sampled_from(Details))
def test_a_message_fits_its_channel(events: list[Event], style: Style, details: Details) -> None:
    """Title and body keep their limits whatever they are made of, are never empty, and can be encoded."""
    message = render(tuple(events), style, BERLIN, details=details)
    assert 0 < len(message.body) <= style.body_limit
    assert len(message.title) <= style.title_limit
    assert bool(message.title) == bool(style.title_limit)
    assert "\n" not in message.title
    (message.title + message.body).encode()


@given(st.lists(any_event(), min_size=1, max_size=3), styles)
def test_markup_is_never_cut_in_two(events: list[Event], style: Style) -> None:
    """However short, HTML has only our tags and closes them, and Markdown ends in no lone backslash."""
    body = render(tuple(events), style, BERLIN).body
    if style.format == Format.HTML:
        assert body.count("<") == len(re.findall(r"</?b>|<br/>", body))
        assert body.count("<b>") == body.count("</b>")
        assert not re.search(r"&(?!(amp|lt|gt|quot|#x27);)", body)
    if style.format == Format.MARKDOWN:
        assert not re.search(r"(?<!\\)(\\\\)*\\$", body)
        assert len(re.findall(r"(?<!\\)\*\*", body)) in {0, 2}


@pytest.mark.parametrize("limit", [40, 60, 100, 160, 300])
def test_a_short_body_starts_with_the_reason(limit: int) -> None:
    """Where there is room for little, the first error is what is left."""
    body = render((STORIES["failed"],), Style(Format.TEXT, limit, 60), BERLIN).body
    assert body.startswith("Error: Failed to process site"[: limit - 2])


def test_a_long_name_leaves_room_for_the_server() -> None:
    """A title that is too long loses the end of the job's name, never the outcome or the server."""
    event = an_event(job=replace(JOB, name="Contoso " * 30))
    message = render((event,), Style(Format.TEXT, 2000, 60), BERLIN)
    assert message.title.startswith("Failed: Contoso Contoso")
    assert message.title.endswith("… on HQ")
    assert len(message.title) > 50
    assert f"Job: {('Contoso ' * 30).strip()}\n" in message.body


def test_log_lines_that_find_no_room_are_counted() -> None:
    """Ten lines of a log are shown, one of them as the reason; the rest is a number."""
    log = tuple(LogLine("error", f"line {n}") for n in range(24))
    body = render((an_event(log=log),), ROOMY[Format.TEXT], BERLIN).body
    assert body.startswith("Error: line 0\n")
    assert body.endswith("Error: line 9\nand 14 more log lines")
    short = render((an_event(log=log),), Style(Format.TEXT, 300, 60), BERLIN).body
    shown = len(re.findall(r"line \d", short))
    assert short.endswith(f"and {24 - shown} more log lines")


@pytest.mark.parametrize("limit", range(120, 700, 7))
def test_no_line_is_cut_to_nothing(limit: int) -> None:
    """A log line that has no room for a few words is left to the count."""
    log = tuple(LogLine("error", "word " * 12) for _ in range(9))
    _, *others = render((an_event(log=log),), Style(Format.TEXT, limit, 60), BERLIN).body.splitlines()
    assert all(len(line) >= 15 for line in others if line.endswith("…"))


def test_one_line_left_is_no_plural() -> None:
    """One line is counted as one."""
    log = tuple(LogLine("error", f"line {n}") for n in range(11))
    assert render((an_event(log=log),), ROOMY[Format.TEXT], BERLIN).body.endswith("\nand 1 more log line")


def test_a_late_reason_is_not_counted_twice() -> None:
    """An error after ten warnings is the reason, and what is counted is what is really missing."""
    log = (*(LogLine("warning", f"line {n}") for n in range(12)), LogLine("error", "the end"))
    body = render((an_event(log=log),), ROOMY[Format.TEXT], BERLIN).body
    assert body.startswith("Error: the end\n")
    assert len(re.findall(r"line \d", body)) + 3 == 12
    assert body.endswith("and 3 more log lines")


def test_without_details_nothing_personal_is_said() -> None:
    """Switched off, no word of the log or of the details is left, in single messages and in groups."""
    private = replace(STORIES["failed-first"], log=ERRORS)
    for events in [(private,), (private, private)]:
        said = render(events, ROOMY[Format.TEXT], BERLIN, details=Details.NONE).body
        assert not re.search("Failed to process|Mailbox|Cannot connect", said)
        assert "Duration: 1 h 12 min" in said or "Failed: Contoso - Mail on HQ" in said


def test_a_group_says_the_worst_first_and_counts_the_rest() -> None:
    """Of many events as many lines as fit are there, worst first, and the number of the others."""
    many = tuple(
        an_event("session.failed" if n % 5 == 0 else "session.success", job=JobRef(str(n), f"Job {n}"))
        for n in range(20)
    )
    message = render(many, Style(Format.TEXT, 300, 100), UTC)
    assert message.title == "20 jobs of HQ: 4 failed, 16 good"
    *shown, rest = message.body.splitlines()
    assert [line.partition(":")[0] for line in shown][:4] == ["Failed"] * 4
    assert rest == f"and {20 - len(shown)} more"
    assert message.severity == Severity.FAILURE


def test_a_group_of_several_servers_says_so() -> None:
    """Jobs are told apart by their server, and several messages of one job are its story."""
    there = an_event(server=ServerRef("Branch"))
    assert render((an_event(), there), ROOMY[Format.TEXT], UTC).title == "2 jobs of 2 servers ended badly: all failed"
    assert render((an_event(), an_event("job.recovered")), ROOMY[Format.TEXT], UTC).title == (
        "Contoso - Mail on HQ: failed, then recovered"
    )


def test_where_all_went_the_same_way_they_are_not_counted_twice() -> None:
    """Nor is one item a second called several."""
    others = (an_event("session.success"), an_event("session.success", job=JobRef("2", "Fabrikam - Sites")))
    assert render(others, ROOMY[Format.TEXT], UTC).title == "2 jobs of HQ: all good"
    assert "Speed: 1 item/s" in render((slow_event(1),), ROOMY[Format.TEXT], UTC).body
    assert "Speed: 2 items/s" in render((slow_event(2),), ROOMY[Format.TEXT], UTC).body


def slow_event(items: int) -> Event:
    event = an_event("session.success")
    assert event.session is not None
    return replace(event, session=replace(event.session, statistics=Statistics(processing_rate_items=items)))


def test_a_good_run_after_one_failure() -> None:
    """One failure has a day, not a beginning."""
    story = Story(1, END - timedelta(days=1), END - timedelta(days=2), was_bad=True)
    body = render((an_event("job.recovered", story=story),), ROOMY[Format.TEXT], UTC).body
    assert body.startswith(
        "First good run since Sun 1 Mar 01:10 +00:00.\nIt failed once on Mon 2 Mar 01:10 +00:00, for 1 d."
    )


def test_a_session_without_a_job_is_named_by_its_id() -> None:
    """Where no job is known, the session's first characters stand for it."""
    assert render((an_event(job=None),), ROOMY[Format.TEXT], UTC).title == "Failed: session 8f3a1c52 on HQ"


def test_nothing_is_no_message() -> None:
    """A message needs something to tell."""
    with pytest.raises(ValueError, match="needs an event"):
        render((), ROOMY[Format.TEXT], UTC)


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("details", [Details.SHORT, Details.NONE])
def test_who_restored_what_stays_out_where_no_details_are_wanted(form: Format, details: Details) -> None:
    """Neither alone nor among others does a message name whoever asked, for whom, from where, why and what."""
    restores = [STORIES[name] for name in STORIES if name.startswith("restore")]
    wordings = [render((event,), ROOMY[form], BERLIN, details=details) for event in restores]
    wordings.append(render((*restores, GROUP[0]), ROOMY[form], BERLIN, details=details))
    for message in wordings:
        said = f"{message.title}\n{message.body}"
        assert not [word for word in ("Ann", "ann@", "operator", "10.0.0.7", "4711") if word in said]
    assert "Exchange restore on HQ" in wordings[0].title + wordings[0].body


def test_restores_are_not_counted_as_jobs() -> None:
    """The overview of a message that joins both says what they are."""
    events = (STORIES["restore-failed"], *GROUP)
    title = render(events, ROOMY[Format.TEXT], BERLIN).title
    assert title == "4 messages of HQ: 2 failed, 1 with warnings, 1 good"
