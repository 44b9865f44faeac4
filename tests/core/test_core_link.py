"""Links to the status page: where they lead, that they are no markup, and that they fit."""

from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stories import STORIES, an_event
from watcher.core.event import JobRef, ServerRef
from watcher.core.model import LogLine
from watcher.core.render import Format, Style, render
from watcher.core.render.link import job_path, link

PAGE = "https://watch.example/backups"
ZONE = ZoneInfo("Europe/Zurich")
LOG = tuple(LogLine("error", f"Failed to process mailbox {number}: the server is too busy") for number in range(40))
FAILED = an_event(job=JobRef("id-1", "Mail"), server=ServerRef("HQ"), log=LOG)


def test_one_job_has_its_own_page_and_others_the_first() -> None:
    """Several events of one job lead to it; several jobs, or none, to all of them."""
    other = an_event(job=JobRef("id-2", "Sites"), server=ServerRef("HQ"))
    assert link([FAILED, FAILED], PAGE) == f"{PAGE}/jobs/HQ/id-1"
    assert link([FAILED, other], PAGE) == f"{PAGE}/"
    assert link([an_event("server.unreachable", job=None, session=None)], PAGE) == f"{PAGE}/"
    assert link([STORIES["restore-failed"]], PAGE) == f"{PAGE}/", "there is no job behind a restore"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_any_name_comes_back_from_its_address(server: str, job: str) -> None:
    """Percent-encoded whole, so that nothing in it is a separator, or markup of any chat."""
    path = job_path(server, job)
    _, first, second = path.split("/")
    assert (unquote(first), unquote(second)) == (server, job)
    assert not set(path) & set("_*~`<>[]()\\|\"'&?# ")
    assert urlsplit(f"{PAGE}/{path}").path == f"/backups/{path}"


@pytest.mark.parametrize(
    ("form", "end"),
    [
        (Format.TEXT, f"\n\n{PAGE}/jobs/HQ/id-1"),
        (Format.MARKDOWN, f"\n\n{PAGE}/jobs/HQ/id-1"),
        (Format.HTML, f'<br/>\n<br/>\n<a href="{PAGE}/jobs/HQ/id-1">See it on the page</a>'),
    ],
)
def test_a_message_ends_with_the_link(form: Format, end: str) -> None:
    """In each markup, whatever else has to give way; without a public address there is none."""
    for limit in (2000, 600, 400):
        style = Style(form, limit, 0)
        message = render((FAILED,), style, ZONE, page=PAGE)
        assert message.body.endswith(end)
        assert len(message.body) <= limit
        assert PAGE not in render((FAILED,), style, ZONE).body


def test_where_there_is_hardly_room_the_words_count_more() -> None:
    """A pager gets the reason and no link."""
    style = Style(Format.TEXT, 120, 0)
    assert render((FAILED,), style, ZONE, page=PAGE) == render((FAILED,), style, ZONE)


def test_every_story_fits_with_its_link() -> None:
    """And the link in HTML is escaped like all else."""
    for event in STORIES.values():
        for form in Format:
            message = render((event,), Style(form, 700, 100), ZONE, page=PAGE + "?a=1&b=<i>")
            assert len(message.body) <= 700
            assert "<i>" not in message.body or form is not Format.HTML
