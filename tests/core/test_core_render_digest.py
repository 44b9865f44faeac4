"""The digest as it is read: a table as mail, a short text in chat."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.digest import Digest, JobDigest, ServerDigest
from watcher.core.event import OURSELVES, WATCHER_DIGEST, Event
from watcher.core.examples import examples
from watcher.core.render import Format, Message, Style, render
from watcher.core.render.escape import escape

GOLDEN = Path(__file__).parent / "golden"
ZONE = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 3, 4, 7, tzinfo=UTC)
DAY = timedelta(days=1)
STYLES = {
    "text": Style(Format.TEXT, 8000, 200),
    "markdown": Style(Format.MARKDOWN, 2000, 0),
    "mail": Style(Format.HTML, 30_000, 200, has_tables=True),
}


def well(name: str) -> JobDigest:
    return JobDigest(
        "HQ", name, None, 7, status="Success", last_good=NOW, moved=5_000_000_000, moved_before=4_900_000_000
    )


SOME = next(event.digest for event in examples(NOW) if event.digest)
DIGESTS = {
    "some": SOME,
    "well": Digest(NOW - 7 * DAY, NOW, is_weekly=True, jobs=(well("Mail"), well("Sites"))),
    "storm": Digest(
        NOW - DAY,
        NOW,
        is_weekly=False,
        jobs=tuple(JobDigest("HQ", f"Tenant {n:03d}", None, 4, 4, status="Failed") for n in range(300)),
        servers=(ServerDigest("Branch", reachable=False, last_success=NOW - DAY),),
    ),
}


class Tags(HTMLParser):
    """Counts the tags that are open, and the cells of each row."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def shown(digest: Digest, style: Style) -> Message:
    return render((Event("d", WATCHER_DIGEST, OURSELVES, NOW, NOW, digest=digest),), style, ZONE)


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("name", list(DIGESTS))
def test_digests_read_as_agreed(name: str, style: str) -> None:
    """Somebody has read each of them and found it good."""
    message = shown(DIGESTS[name], STYLES[style])
    written = f"severity: {message.severity.name.lower()}\ntitle: {message.title}\n\n{message.body}\n"
    assert written == (GOLDEN / f"digest-{name}.{style}.golden").read_text(encoding="utf-8")


jobs = st.builds(
    JobDigest,
    st.sampled_from(["HQ", "<b>Lab</b>"]),
    st.text(min_size=1, max_size=60) | st.just("@channel <script>alert(1)</script> [x](y)"),
    st.none(),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(["", "Failed", "Success"]),
    st.none() | st.just(NOW),
    st.none() | st.integers(0, 10**15),
    st.none() | st.integers(0, 10**15),
)


@given(
    st.lists(jobs, max_size=30),
    st.integers(100, 5000),
    st.sampled_from([0, 40, 200]),
    st.sampled_from([*Format, "mail"]),
    st.booleans(),
)
def test_a_digest_fits_and_breaks_nothing(some: list[JobDigest], limit: int, title: int, form: str, down: bool) -> None:
    """Within every limit, with whole tags, and no foreign markup in it."""
    style = Style(Format(form if form != "mail" else "html"), limit, title, has_tables=form == "mail")
    servers = (ServerDigest("HQ", reachable=not down),)
    message = shown(replace(SOME, jobs=tuple(some), servers=servers), style)
    assert 0 < len(message.body) <= limit
    assert len(message.title) <= title
    if style.format == Format.HTML:
        tags = Tags()
        tags.feed(message.body)
        assert tags.open == []
        assert not {"script", "img", "a"} & set(tags.seen)
    if style.format != Format.TEXT:
        assert "@channel" not in message.body


def test_every_job_has_its_row_in_a_mail() -> None:
    """As long as there is room; the rest is counted."""
    tags = Tags()
    tags.feed(shown(SOME, STYLES["mail"]).body)
    assert tags.seen.count("tr") == 1 + len(SOME.jobs)
    assert tags.seen.count("td") == 4 * len(SOME.jobs)
    tight = shown(DIGESTS["storm"], replace(STYLES["mail"], body_limit=4000)).body
    assert tight.endswith("more</td></tr>\n</table>")


def test_chat_gets_no_table() -> None:
    """A chat that calls its markup HTML shows no tables."""
    assert "<t" not in shown(SOME, Style(Format.HTML, 4000, 0)).body


def test_names_are_escaped() -> None:
    """A job's name calls nobody."""
    name = "@everyone <b>"
    assert escape(name, Format.HTML) in shown(replace(SOME, jobs=(well(name),)), STYLES["mail"]).body
