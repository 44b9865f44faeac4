"""The status page: what it says, and that nobody's name is taken for markup."""

from dataclasses import dataclass, field
from datetime import timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.web_samples import NOW, ago, channel, delivery, server, session, status
from watcher.core.delivery import State
from watcher.core.model import Status
from watcher.core.views import DeliveryView, SessionView, StatusView
from watcher.web.markup import Markup, element, join
from watcher.web.page import Overview, render, render_failure

VOID = {"meta", "link"}
HOSTILE = "</td><script>alert('1')</script><img src=x onerror=\"alert(2)\"> & \u202e \x00"


@dataclass
class Seen(HTMLParser):
    """What a browser would make of the page: its elements, its attributes, its text; every element must be closed."""

    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    text: str = ""
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def see(page: str) -> Seen:
    seen = Seen()
    seen.feed(page)
    seen.close()
    assert seen.open == []
    return seen


def show(
    view: StatusView | None = None,
    sessions: tuple[SessionView, ...] = (),
    deliveries: tuple[DeliveryView, ...] = (),
    stuck: tuple[str, ...] = (),
) -> str:
    return render(Overview(NOW, view or status(), sessions, deliveries, stuck))


def test_all_is_well_is_said_in_one_line() -> None:
    """With servers that answer and nothing owed, the page and its title say so."""
    page = show()
    assert "<title>All is well · " in page
    assert "Trouble" not in see(page).text


def test_troubles_come_first_with_their_reason() -> None:
    """Stuck loops, servers that do not answer and channels with dead rows are named above everything else."""
    view = status(
        server("HQ", reachable=False, last_error="connection refused"),
        channels=[channel("mail", dead=2), channel("old", pending=1, gone=True)],
    )
    page = show(view, stuck=("poll HQ made no progress for 95 s (limit 90 s)",))
    top = see(page).text.split("Servers")[0]
    assert "4 in trouble" in page
    assert "poll HQ made no progress for 95 s (limit 90 s)" in top
    assert "HQ: the last look failed: connection refused" in top
    assert "mail: 2 dead" in top
    assert "old: 1 pending, but the channel is not in the settings any more" in top


def test_a_start_is_no_trouble_and_not_yet_well() -> None:
    """Before the first look nothing is known, and the page does not claim otherwise."""
    page = show(status(server("HQ", reachable=None, last_poll=None, last_success=None, api_version=None)))
    text = see(page).text
    assert "Starting: not every server was tried yet" in text
    assert "not tried yet" in text
    assert "Trouble" not in text
    assert "All is well</span>" not in page


@pytest.mark.parametrize(
    ("word", "css"),
    [
        ("Success", "good"),
        ("Warning", "warn"),
        ("Failed", "bad"),
        ("Running", "busy"),
        ("Stopped", "idle"),
        ("Queued", "idle"),
        ("Disconnected", "warn"),
        ("Mysterious", "odd"),
    ],
)
def test_each_status_has_a_colour_a_shape_and_its_word(word: str, css: str) -> None:
    """No state is told by colour alone; a status that nobody documents is shown as it is."""
    page = show(sessions=(session(status=word),))
    start = page.index(f'<span class="badge {css}"><span aria-hidden="true">', page.index("Latest sessions"))
    badge = page[start : page.index("</td>", start)]
    shape = badge.split('aria-hidden="true">')[1].split("<")[0]
    assert len(shape) == 1
    assert badge.endswith(f"</span> {word}</span>")


def test_every_documented_status_is_drawn() -> None:
    """None of the documented statuses is shown as odd."""
    page = show(sessions=tuple(session(word, status=word) for word in Status))
    assert 'class="badge odd"' not in page


def test_a_session_shows_name_times_and_length() -> None:
    """A job's row has start, end and how long it took; a session that runs has no end; a name unknown shows the id."""
    text = see(show(sessions=(session(), session("id-of-it", job=None, end_time=None, status="Running")))).text
    assert "Exchange daily" in text
    assert "2026-03-02 05:00:00" in text
    assert "15 min 0 s" in text
    assert "id-of-it" in text


def test_a_session_that_could_not_be_read_says_so() -> None:
    """An empty status is a row that could not be understood."""
    assert "unreadable" in see(show(sessions=(session(status=""),))).text


def test_a_delivery_shows_its_state_and_reason() -> None:
    """A delivery's row says how far it is and what went wrong last."""
    rows = (
        delivery(1, state=State.DEAD, last_error="535 authentication failed", next_attempt=None),
        delivery(2, state=State.DELIVERED, last_error=None, next_attempt=None),
        delivery(3),
    )
    text = see(show(deliveries=rows)).text
    for words in ("535 authentication failed", "dead", "delivered", "pending", "2026-03-02 06:00:05", "#3"):
        assert words in text


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "nothing owed"),
        ({"pending": 1, "oldest_seconds": 10.0}, "sending"),
        ({"pending": 1, "oldest_seconds": 300.0}, "waits long"),
        ({"pending": 1, "dead": 1, "oldest_seconds": 300.0}, "has dead ones"),
        ({"dead": 1, "sick_since": NOW}, "fails"),
        ({"pending": 1, "dead": 1, "gone": True}, "not in the settings"),
    ],
)
def test_a_channel_shows_the_worst_of_it(fields: dict[str, Any], word: str) -> None:
    """Of all that can be said of a channel, its badge says the worst."""
    assert word in see(show(status(channels=[channel(**fields)]))).text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4, "4 s ago"),
        (61, "1 min 1 s ago"),
        (3 * 3600 + 420, "3 h 7 min ago"),
        (50 * 3600, "2 d 2 h ago"),
        (-30, "0 s ago"),
    ],
)
def test_ages_are_written_for_people(seconds: float, text: str) -> None:
    """An age has its two greatest units; a clock that was set back makes none negative."""
    assert text in see(show(status(server(last_poll=ago(seconds))))).text


def test_a_server_shows_what_went_wrong_in_its_own_row() -> None:
    """The row of a server has its address, version and last error, whatever the summary above says."""
    text = see(show(status(server(last_error="connection refused", reachable=False)))).text
    row = text.split("Last error")[1].split("Channels")[0]
    assert row == "HQ https://hq.example:4443✕ not reachable4 s ago4 s ago2v8connection refused"


def test_empty_sections_say_what_is_missing() -> None:
    """No channel is worth a word: nobody is told of anything then."""
    text = see(show()).text
    assert "nobody is told of anything" in text
    assert "None was seen yet" in text


def test_hostile_names_are_text() -> None:
    """Whatever a job, server, error or channel is called, it adds no element and no attribute to the page."""
    tame = see(everything("x"))
    wild = see(everything(HOSTILE))
    assert wild.tags == tame.tags
    assert wild.attributes == tame.attributes
    assert "<script>alert('1')</script>" in wild.text
    assert "\x00" not in wild.text
    assert "\u202e" not in wild.text


@given(st.text(st.characters(categories=["Cs", "Cc", "Cf", "Po", "Sm", "Lu", "Zs"])))
def test_no_text_is_ever_markup(text: str) -> None:
    """Any text in any place leaves the page's elements as they are, and the page can always be sent."""
    page = everything(text)
    page.encode()
    assert see(page).tags == see(everything("x")).tags


def everything(text: str) -> str:
    """Show a page with the text in every place that others fill."""
    view = status(
        server(text, url=text, reachable=False, last_error=text, api_version=text),
        channels=[channel(text, address=text, dead=1)],
    )
    rows = (session(text, job=text, status=text, server=text),)
    owed = (delivery(event=text, channel=text, last_error=text),)
    return show(view, rows, owed, (text,)) + render_failure(text)


def test_names_in_other_scripts_stay_whole() -> None:
    """Umlauts, joined emoji, ideographic spaces and the marks of right-to-left writing are not touched."""
    name = "Büro 東京\u3000支店 👩\u200d💻 \u200f\u05d9\u05e9"
    assert name in see(show(sessions=(session(job=name),))).text


def test_the_page_asks_for_nothing_but_its_style_sheet() -> None:
    """No script, no picture, no font, no inline style, nothing from elsewhere; links are relative, for proxies."""
    page = everything("x")
    seen = see(page)
    assert seen.tags.isdisjoint({"script", "img", "style", "iframe", "form", "object"})
    assert "style" not in seen.attributes
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert "://" not in page
    assert 'href="/' not in page


def test_failure_page_has_the_reason() -> None:
    """While the database cannot be read, the page is the sentence that says so."""
    assert "database watcher.db: it is locked" in see(render_failure("database watcher.db: it is locked")).text


def test_a_zone_does_not_change_what_is_shown() -> None:
    """Times are shown in UTC, whatever zone they come in."""
    shifted = NOW.astimezone(timezone(timedelta(hours=2)))
    assert (
        "2026-03-02 06:00:00"
        in see(show(sessions=(session(creation_time=shifted),))).text.split("Latest sessions")[1].split("As of")[0]
    )


def test_markup_escapes_all_but_itself() -> None:
    """Children and attributes are text; only what was made as markup stays markup, and joining texts makes none."""
    inner = element("b", "<&>")
    assert element("p", inner, "<", title='"') == '<p title="&quot;"><b>&lt;&amp;&gt;</b>&lt;</p>'
    assert element("meta", charset="utf-8", content=None) == '<meta charset="utf-8">'
    assert element("p", f"{inner}") == "<p>&lt;b&gt;&amp;lt;&amp;amp;&amp;gt;&lt;/b&gt;</p>"
    assert isinstance(join("a", inner), Markup)
