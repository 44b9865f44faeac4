"""The pages: what they say, in which order, and that nobody's name is taken for markup."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.web_samples import (
    NOW,
    ago,
    alarm,
    channel,
    delivery,
    failing,
    of_job,
    overview,
    row,
    run,
    server,
    sheet,
    status,
    telling,
)
from watcher.core.board import Asked, JobCard, Overview
from watcher.core.delivery import State
from watcher.core.match import Match, Pattern
from watcher.core.model import Job, LogLine, Session, Status
from watcher.core.record import Known, Outcome
from watcher.core.ruling import Decision, Ruling, Step
from watcher.core.sheet import Account, JobSheet
from watcher.core.silence import Silence
from watcher.core.standing import Standing
from watcher.web import signs
from watcher.web.frame import document, sentence
from watcher.web.jobpage import job_page
from watcher.web.lens import Lens
from watcher.web.markup import Markup, element, join
from watcher.web.page import overview_page

VOID = {"meta", "link", "input"}
HOSTILE = "</td><script>alert('1')</script><img src=x onerror=\"alert(2)\"> & \u202e \x00"
ZURICH = ZoneInfo("Europe/Zurich")
GUEST = Lens(NOW, ZURICH)
ADMIN = replace(GUEST, csrf="c" * 40, may_sign_in=True)


@dataclass
class Seen(HTMLParser):
    """What a browser would make of the page: its elements, its attributes, its text; every element must be closed."""

    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    text: str = ""
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
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
    assert len(seen.ids) == len(set(seen.ids))
    return seen


def show(view: Overview, stuck: tuple[str, ...] = (), lens: Lens = GUEST, asked: Asked | None = None) -> str:
    return document(overview_page(view, asked or Asked(), stuck, lens), lens)


def show_job(view: JobSheet, lens: Lens = GUEST) -> str:
    return document(job_page(view, lens), lens)


def test_a_stranger_reads_what_is_wrong_and_since_when() -> None:
    """The first sentence, which is the title too, names the jobs that fail, longest first, and why."""
    page = show(
        overview(
            row(),
            failing(),
            failing("Sites", "j3", outcome=Outcome("Failed", ago(60), 1, ago(60))),
            cause="401 Unauthorized",
        )
    )
    assert '<title id="title">2 jobs are failing: HR - Mail since Sun 03:00, Sites since today 06:59 ·' in page
    said = see(page).text
    assert "2 jobs are failing: HR - Mail since Sun 03:00, Sites since today 06:59" in said
    assert "HR - Mail on HQ: 401 Unauthorized" in said
    assert said.index("2 jobs are failing") < said.index("Servers") < said.index("Jobs") < said.index("Messages")


def test_all_is_well_is_one_sentence() -> None:
    """And in green."""
    page = show(overview(row(), row("Sites", "j9")))
    assert '<title id="title">All 2 jobs are backed up ·' in page
    assert 'class="hero good"' in page


@pytest.mark.parametrize(
    ("rows", "state", "said", "tone"),
    [
        ([failing()], {}, "1 job is failing: HR - Mail since Sun 03:00", "bad"),
        (
            [row()],
            {"servers": [server(reachable=False, failing_since=ago(600))]},
            "1 server does not answer: HQ since today 06:50",
            "bad",
        ),
        (
            [row()],
            {"channels": [channel(sick_since=ago(600), sick_reason="500")]},
            "1 channel fails: ops since today 06:50",
            "bad",
        ),
        ([row()], {"dead": 3}, "3 messages were given up", "bad"),
        ([row(alarms=(of_job(),))], {}, "1 job is overdue: Exchange daily since today 06:00", "bad"),
        (
            [row("Sites", alarms=(of_job(), of_job("job.stale"))), failing(), row("B", alarms=(of_job("job.slow"),))],
            {},
            "1 job is failing, 1 is overdue: HR - Mail failing since Sun 03:00, Sites overdue since today 06:00",
            "bad",
        ),
        ([row(alarms=(of_job("job.slow"),))], {}, "1 job is slow: Exchange daily since today 06:00", "warn"),
        (
            [row(alarms=(of_job("job.short"),))],
            {"alarms": [alarm()]},
            "1 proxy is offline: proxy-01 since today 06:50",
            "bad",
        ),
        (
            [row(), row("B", "b", alarms=(of_job("job.disabled"),))],
            {"alarms": [alarm("license.expiring", "HQ"), alarm("repository.low", "Disk 01")]},
            "1 job is still disabled: B since today 06:00",
            "warn",
        ),
        ([row(outcome=Outcome("Warning", ago(60)))], {}, "The job is backed up", "warn"),
        ([row(held=ago(60))], {}, "0 of 1 jobs are backed up", "warn"),
        ([row(outcome=None), row("B", "b")], {}, "1 of 2 jobs are backed up", "good"),
        ([], {}, "No job is known yet", "idle"),
        ([], {"servers": [server(reachable=None)]}, "Looking at the servers for the first time", "idle"),
    ],
)
def test_the_sentence_says_the_worst(rows: list[Any], state: dict[str, Any], said: str, tone: str) -> None:
    """Of all there is, with its colour."""
    state = {"servers": [server()]} | state
    view = overview(*rows, status=status(*state.pop("servers"), **state))
    page = show(view)
    assert f'<title id="title">{said} ·' in page
    assert f'class="hero {tone}"' in page


def test_what_is_about_to_break_has_a_list_of_its_own() -> None:
    """With since when and why, the worst first; what is told of jobs stands at the jobs; without any there is none."""
    told = (
        alarm("license.expiring", "HQ", reason="the license ends in 7 d", since=ago(86_400)),
        alarm("repository.low", "Disk <b>01</b>", reason="less than 10 %, 80 GB of 1 TB are free"),
        alarm("job.overdue", "Exchange daily"),
        *(alarm(name=f"proxy-{number:02}", subject=str(number)) for number in range(20)),
    )
    page = show(overview(row(), status=status(server(), server("Branch"), alarms=told)))
    text = see(page).text
    listed = text[text.index("What is about to break") : text.index("Servers")]
    assert "Proxy offline: proxy-00 on HQ the proxy is offline" in listed
    assert listed.endswith("and 10 more: watcher status")
    assert "Exchange daily" not in listed
    assert "20 proxies are offline: proxy-00 since today 06:50, proxy-01 since today 06:50, and 18 more" in text
    assert "1 repository is almost full: Disk <b>01</b> since today 06:50 · 1 license needs attention: HQ since" in text
    assert text.index("HQ https") < text.index("Branch https")
    few = see(show(overview(row(), status=status(alarms=told[:2])))).text
    assert "Repository almost full: Disk <b>01</b> on HQ less than 10 %, 80 GB of 1 TB are free" in few
    assert "License needs attention: HQ the license ends in 7 d" in few
    well = see(show(overview(row())))
    assert "What is about to break" not in well.text
    assert "breaking" in well.ids


def test_a_job_shows_what_the_watchdogs_say_of_it() -> None:
    """As it stands or beside that, with since when; on its own page with the reason, too."""
    stale = of_job("job.stale", reason="it has not ended well for more than 60 h", since=NOW - timedelta(days=3))
    both = failing(alarms=(stale,))
    text = see(show(overview(row(alarms=(of_job(),)), both, cause="because of that"))).text
    assert "overdue since today 06:00" in text
    assert "failing since Sun 03:00, third in a row" in text
    assert "no good end since Fri 07:00" in text
    assert "HQ https://hq.example:44432 jobs, 1 failing, 1 overdue" in text
    assert text.count("because of that") == 4  # above all and in the list, for each
    assert "it has not ended well for more than 60 h" in see(show_job(sheet(both))).text
    disabled = row(job=replace(row().job, enabled=False), alarms=(of_job("job.disabled"),))
    text = see(show(overview(disabled))).text
    assert "still disabled since today 06:00" in text
    assert "switched off" not in text


def test_a_watcher_that_is_stuck_comes_before_all_else() -> None:
    """What it shows may be old."""
    page = show(overview(failing()), stuck=("poll HQ made no progress for 95 s (limit 90 s)",))
    assert '<title id="title">The watcher itself is stuck: poll HQ made no progress for 95 s (limit 90 s) ·' in page
    assert "1 job is failing: HR - Mail since Sun 03:00" in see(page).text


def test_the_worst_jobs_come_first() -> None:
    """Failing, waiting for a retry, with warnings, running, good; those that have not run for weeks last."""
    old = Job("z", "Old", last_run=NOW - timedelta(days=40))
    rows = (
        row("Good", "a"),
        row("Runs", "b", running=run(0, status="Running", ended=None)),
        row("Old", "z", job=old, outcome=Outcome("Failed", NOW - timedelta(days=40))),
        row("Warned", "c", outcome=Outcome("Warning", ago(60))),
        row("Held", "d", held=ago(60)),
        failing("Fails", "e"),
    )
    view = overview(*rows)
    assert [card.row.job.name for card in view.cards] == ["Fails", "Held", "Warned", "Runs", "Good", "Old"]
    assert view.choice.tally.of(Standing.RESTING) == 1
    assert "1 has not run for two weeks" in see(show(view)).text


def test_many_jobs_are_found_and_paged() -> None:
    """Ten thousand of them make no page longer."""
    rows = [row(f"Job {number:05}", f"j{number}") for number in range(10_000)]
    view = overview(*rows, asked=Asked("", 3))
    page = show(view, asked=Asked("", 3))
    assert "101 to 150 of 10,000" in see(page).text
    assert page.count('class="job good"') == 50
    assert 'href="?page=2#jobs"' in page
    assert 'href="?page=4#jobs"' in page
    assert len(page) < 400_000
    found = overview(*rows, asked=Asked("00042 hq"))
    assert [card.row.job.name for card in found.cards] == ["Job 00042"]
    last = overview(*rows, asked=Asked("", 999))
    assert (last.choice.page, "9,951 to 10,000 of 10,000" in see(show(last, asked=Asked("", 200))).text) == (200, True)
    none = show(overview(*rows, asked=Asked("<b>")), asked=Asked("<b>"))
    assert "No job is called so: <b>" in see(none).text


@pytest.mark.parametrize("word", [*Status, "Mysterious", ""])
def test_each_status_has_a_colour_a_shape_and_its_word(word: str) -> None:
    """No state is told by colour alone; one that nobody documents is shown as it is."""
    sign = signs.of_status(word)
    assert (sign is signs.ODD) == (word in {"Mysterious", "", "Disconnected"})
    page = show(replace(overview(row()), cards=(JobCard(row(), (run(1, status=word, ended=None),)),)))
    title = word or "unreadable"
    assert f'<g class="{sign.css}"><title>{title}, today 06:00</title><use href="#s-{sign.css}"' in page
    shapes = [str(one.shape) for one in (signs.GOOD, signs.WARN, signs.BAD, signs.BUSY, signs.IDLE, signs.ODD)]
    assert len(set(shapes)) == len(shapes)


def test_a_strip_is_read_out_as_a_sentence() -> None:
    """For those who see no signs."""
    runs = (run(3), run(2, status="Warning"), run(1, status="Failed"))
    page = show(replace(overview(row()), cards=(JobCard(row(), runs),)))
    assert 'aria-label="The last 3 runs: 1 good, 1 with warnings, 1 failed. The latest: Failed"' in page


def test_what_runs_is_compared_with_what_is_usual() -> None:
    """How long, how long usually, and how many of the usual objects; what takes too long says so."""
    runs = [run(number) for number in range(9, 1, -1)]
    running = run(
        0, status="Running", created=ago(600), ended=None, progress=30, statistics=run().statistics.__class__()
    )
    view = overview(row(running=running))
    page = show(replace(view, cards=(JobCard(view.cards[0].row, (*runs, running)),)))
    assert "running for 10 min, usually 20 min, 30 of about 120 objects" in see(page).text
    assert '<progress max="100" value="25" aria-label="About 25% done">' in page
    assert 'class="progress"' in page
    slow = of_job("job.slow", subject="r0", reason="it runs for more than 40 min, longer than its own runs do")
    view = overview(row(running=replace(running, created=ago(7200)), alarms=(slow,)))
    slowly = sheet(view.cards[0].row)
    for page in (show(view), show_job(replace(slowly, card=replace(slowly.card, cause=slow.reason)))):
        assert "running for 2 h, usually 20 min" in see(page).text
        assert "slow: it runs for more than 40 min, longer than its own runs do" in see(page).text
        assert see(page).text.count("longer than its own runs do") == 1
        assert 'class="progress slow"' in page


def test_channels_and_what_was_given_up_are_shown_with_their_reasons() -> None:
    """Pending, sick, dead, and the latest messages."""
    channels = [
        channel("mail", pending=2, sick_since=ago(900), sick_reason="535 refused"),
        channel("old", gone=True, pending=1),
    ]
    dead = telling(state=State.DEAD, last_error="404 not found", attempts=3, channel="hook")
    view = overview(failing(), status=status(channels=channels, dead=14), dead=(dead,), latest=(telling(),))
    text = see(show(view)).text
    for words in (
        "fails, 2 pending",
        "535 refused",
        "not in the settings, 1 pending",
        "Given up",
        "404 not found, 3 attempts",
    ):
        assert words in text
    assert "and 13 more: watcher deliveries --state dead" in text
    assert "Failed: HR - Mail on HQ → ops, tried 1 attempt: HTTP 503" in text


def test_a_silence_is_shown_where_it_holds() -> None:
    """On the first page, at its job, and on the job's page; one that is over nowhere."""
    match = Match((("job", Pattern(("HR*",))),))
    active = Silence(match, ago(60), NOW + timedelta(hours=4), "ann", "patch day", 3, muted=2)
    over = replace(active, ends=ago(1), reason="over already")
    text = see(show(overview(failing(), row(), silences=(active, over)))).text
    assert "job hr*" in text.lower()
    assert "by ann, patch day, 2 kept back" in text
    assert text.count("silenced until today 11:00") == 1
    assert "over already" not in text
    assert "patch day" in see(show_job(sheet(silences=(active, over)))).text
    assert "patch day" not in see(show_job(sheet(row(), silences=(active,)))).text


def test_a_job_page_says_why_and_who_was_told_and_who_not() -> None:
    """Its last sessions, what their logs say, each channel with its reason, and the routes that led nowhere."""
    ruling = Ruling(
        (Step("pager", takes=False, reason="job is hr - mail, not `board*`"), Step("all", takes=True, reason="named")),
        (
            Decision("ops", True, "notify_on names session.failed", "all"),
            Decision("chat", False, "silence 3 by ann", "all"),
        ),
    )
    told = telling(state=State.DELIVERED, last_error=None, next_attempt=None)
    event = replace(told.event, log=(LogLine("error", "Mailbox ann was not found"), LogLine("success", "Connected")))
    view = sheet(told={"r1": (Account(event, ruling, (told.delivery,)),)})
    page = show_job(view)
    text = see(page).text
    for words in (
        "failing since Sun 03:00, third in a row",
        "Mailbox ann was not found",
        "Connected",
        "2 log lines, told to ops",
        "ops: delivered (route all: notify_on names session.failed)",
        "chat: not told: silence 3 by ann",
        "route pager: job is hr - mail, not `board*`",
        "usually 20 min, slow after 40 min",
    ):
        assert words in text
    assert 'class="limit"' in page


def test_times_are_of_the_zone_of_the_settings() -> None:
    """With their offset where one points at them, and the offset said once for all."""
    page = show(overview(row()))
    assert 'title="Mon 2 Mar 06:20 +01:00">today 06:20</time>' in page
    assert "07:00:00 +01:00" in page
    assert "Times are of the zone Europe/Zurich" in see(page).text


def test_nobody_sees_a_form_who_may_not_act() -> None:
    """Without a token there is no action and no way to sign in; with it, guests see the way only."""
    view = overview(failing(), status=status(channels=[channel(dead=1)], dead=1), dead=(telling(state=State.DEAD),))
    for page in (show(view), show_job(sheet()), show(view, lens=replace(GUEST, may_sign_in=True))):
        assert 'method="post"' not in page
        assert "csrf" not in page
    assert "Sign in" not in show(view)
    assert 'href="sign-in"' in show(view, lens=replace(GUEST, may_sign_in=True))
    pages = show(view, lens=ADMIN), show_job(sheet(), ADMIN)
    for page, action in ((pages[0], "retry"), (pages[0], "test-channel"), (pages[1], "silence")):
        assert f'action="actions/{action}"' in page
    assert pages[0].count('method="post"') == pages[0].count('name="csrf"')


def test_hostile_names_are_text() -> None:
    """Whatever a job, server, error or channel is called, it adds no element and no attribute to the page."""
    tame = see(everything("x"))
    wild = see(everything(HOSTILE))
    assert wild.tags == tame.tags
    assert wild.attributes == tame.attributes
    assert "<script>alert('1')</script>" in wild.text
    assert "\x00" not in wild.text
    assert "\u202e" not in wild.text


@settings(deadline=None)
@given(st.text(st.characters(categories=["Cs", "Cc", "Cf", "Po", "Sm", "Lu", "Zs"])))
def test_no_text_is_ever_markup(text: str) -> None:
    """Any text in any place leaves the page's elements as they are, and the page can always be sent."""
    page = everything(text)
    page.encode()
    assert see(page).tags == see(everything("x")).tags


def everything(text: str) -> str:
    """Show a page with the text in every place that others fill."""
    job = Job("j2", text, organization=text)
    alarms = (of_job(reason=text), of_job("job.slow", subject="r0", reason=text))
    bad = failing(job=job, running=run(0, status=text or "x", ended=None), alarms=alarms)
    told = telling(job=text, last_error=text, channel=text, state=State.DEAD)
    event = replace(told.event, log=(LogLine("error", text), LogLine(text, text)))
    ruling = Ruling((Step(text, takes=False, reason=text),), (Decision(text, False, text),))
    view = overview(
        bad,
        cause=text or "x",
        status=status(
            server(text, url=text, reachable=False, last_error=text or "x", api_version=text),
            channels=[channel(text, address=text, dead=1, sick_since=ago(1), sick_reason=text or "x")],
            alarms=[alarm(name=text, server=text, reason=text)],
        ),
        latest=(replace(told, event=event),),
        dead=(told,),
        silences=(Silence(Match(), ago(1), NOW + timedelta(1), text, text, 1),),
    )
    its = sheet(bad, told={"r1": (Account(event, ruling, (told.delivery,)),)})
    first = show(view, (text,), ADMIN, Asked(text))
    second = show_job(its, ADMIN).partition("<body>")[2].replace('id="', 'id="job-').removesuffix("</html>\n")
    return first.replace("</body></html>", "").rstrip() + second.partition("</svg>")[2] + "</html>" + sentence_of(text)


def sentence_of(text: str) -> str:
    return sentence(text, signs.BAD, lens=GUEST).replace('id="', 'id="sentence-')


def test_names_in_other_scripts_stay_whole() -> None:
    """Umlauts, joined emoji, ideographic spaces and the marks of right-to-left writing are not touched."""
    name = "Büro 東京\u3000支店 👩\u200d💻 \u200f\u05d9\u05e9"
    assert name in see(show(overview(row(name)))).text


def test_the_page_asks_for_nothing_but_its_own() -> None:
    """No picture, no font, no inline style or script, nothing from elsewhere; links are relative, for proxies."""
    for page in (show(overview(failing()), lens=ADMIN), show_job(sheet(), replace(ADMIN, root="../../"))):
        seen = see(page)
        assert seen.tags.isdisjoint({"img", "style", "iframe", "object"})
        assert "style" not in seen.attributes
        assert not {name for name in seen.attributes if name.startswith("on")}
        assert page.count("<script") == 1
        assert "></script>" in page
        assert "://" not in page.replace("https://hq.example:4443", "").replace("json://hook.example:8080", "")
        assert 'href="/' not in page
        assert 'action="/' not in page


def test_without_script_a_page_comes_again_by_itself() -> None:
    """What the script does is done by loading anew; with it nothing is loaded anew."""
    page = show(overview(row()))
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page
    assert page.count("http-equiv") == 1


def test_markup_escapes_all_but_itself() -> None:
    """Children and attributes are text; only what was made as markup stays markup, and joining texts makes none."""
    inner = element("b", "<&>")
    assert element("p", inner, "<", title='"') == '<p title="&quot;"><b>&lt;&amp;&gt;</b>&lt;</p>'
    assert element("meta", charset="utf-8", content=None) == '<meta charset="utf-8">'
    assert element("p", f"{inner}") == "<p>&lt;b&gt;&amp;lt;&amp;amp;&amp;gt;&lt;/b&gt;</p>"
    assert isinstance(join("a", inner), Markup)


def test_a_session_that_could_not_be_read_says_so() -> None:
    """An empty status is a row that could not be understood."""
    assert "unreadable" in see(show_job(sheet(sessions=(Known(Session("r9", "")),)))).text


def test_a_delivery_says_how_far_it_is() -> None:
    """Waiting, tried, given up, delivered at once or later."""
    rows = (
        delivery(1, attempts=0, last_error=None, held="quiet hours", next_attempt=NOW + timedelta(hours=2)),
        delivery(2, state=State.DELIVERED, attempts=2),
    )
    view = overview(failing(), latest=tuple(replace(telling(), delivery=one) for one in rows))
    text = see(show(view)).text
    assert "waits: quiet hours, in 2 h" in text
    assert "delivered after 2 attempts" in text
