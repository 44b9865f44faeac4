"""The story of the demo, followed in a browser: a real process, a job that starts, goes on, fails, and who is told."""

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.processes.household import Household, Inbox, eventually, server_settings
from watcher.clock import now
from watcher.core.model import LogLine, Statistics, Status
from watcher.demo.estate import Schedule
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

TOKEN = "a token for tests"
NASTY = "<script>document.title='hit'</script>&amp;"
ERROR = LogLine("error", "Failed to connect to organization. (401) Unauthorized.")


@dataclass
class Story:
    """The stand-in's world, the page's address, and what tells the story."""

    world: World
    household: Household
    url: str = ""
    jobs: dict[str, str] = field(default_factory=dict)

    def has_ended(self, name: str, status: Status, *log: LogLine) -> None:
        """Let a job run and end now."""
        session = self.world.start(self.jobs[name], now() - timedelta(minutes=5))
        self.world.end(session, status, now(), log=log)


@pytest.fixture
def story(household: Household, inbox: Inbox) -> Iterator[Story]:
    """Watch a stand-in with three jobs and some history, with a real process that serves the page."""
    world = World("v8")
    told = Story(world, household)
    for name in ("Mail", "Sites", NASTY):
        told.jobs[name] = world.add_job(name, "Contoso", schedule=Schedule(every=timedelta(hours=1)))
        began = now() - timedelta(hours=2)
        world.end(world.start(told.jobs[name], began), Status.SUCCESS, began + timedelta(minutes=20))
    with serving(create_app(world, now=now, versions=["v8"]), date_header=False) as server:
        household.environ |= server_settings(server, world) | {
            "WATCHER_CHANNELS": f"chat={inbox.url.replace('http://', 'json://')}/",
            "WATCHER_LISTEN": "127.0.0.1:0",
            "WATCHER_ADMIN_TOKEN": TOKEN,
            "WATCHER_PUBLIC_URL": "https://watch.example",
            "WATCHER_TIMEZONE": "Europe/Zurich",
        }
        household.start()
        eventually(lambda: "status page at" in household.log(), what=household.log)
        found = re.search(r"status page at (http://\S+)/", household.log())
        assert found
        told.url = found[1]
        yield told
        if household.process is not None:
            household.end(signal.SIGKILL)


def test_the_story_is_followed_without_loading_anew(story: Story, inbox: Inbox, page: "Page") -> None:
    """A job starts, goes on, fails; a message goes out, with a link; a silence keeps the next one back; it ends."""
    page.goto(story.url)
    page.wait_for_selector("#live.on")
    page.evaluate("window.mark = 'not loaded anew'")
    page.wait_for_selector("h1:has-text('All 3 jobs are backed up')")
    assert page.title() == "All 3 jobs are backed up · vb365-watcher"
    assert NASTY in page.inner_text("#jobs")

    good = story.world.start(story.jobs["Mail"], now() - timedelta(minutes=20))
    story.world.progress(good, 120, Statistics(processed_objects=120, transferred=10**9))
    story.world.end(good, Status.SUCCESS, now())
    page.wait_for_selector("#jobs:has-text('moved 1.0 GB')")

    running = story.world.start(story.jobs["Mail"], now() - timedelta(minutes=9))
    page.wait_for_selector("text=running for 9 min, usually 20 min")
    story.world.progress(running, 30, Statistics(processed_objects=30))
    page.wait_for_selector("text=30 of about 120 objects")

    story.world.end(running, Status.FAILED, now(), log=[ERROR])
    page.wait_for_selector("h1:has-text('1 job is failing: Mail since today')")
    assert "(401) Unauthorized" in page.inner_text("#hero")
    page.wait_for_selector("#messages li:has-text('Failed: Mail on default → chat, delivered')")
    assert inbox.got[0]["message"].endswith(f"https://watch.example/jobs/default/{story.jobs['Mail']}")
    assert page.evaluate("window.mark") == "not loaded anew"

    page.click("footer a:has-text('Sign in')")
    page.fill("input[name=token]", TOKEN)
    page.press("input[name=token]", "Enter")
    page.click("#hero a:has-text('Mail')")
    page.select_option("select[name=for]", "4h")
    page.fill("input[name=reason]", "patch day")
    page.fill("input[name=by]", "ann")
    page.click("text=Silence it")
    page.wait_for_selector("#silences:has-text('by ann, patch day')")
    assert "silence 1 of server `default`, job `Mail` for 4h by ann" in story.household.log()

    story.has_ended("Mail", Status.FAILED, ERROR)
    page.wait_for_selector("#hero:has-text('second in a row')")
    page.click("#sessions summary >> nth=0")
    page.wait_for_selector("#sessions li:has-text('chat: not told: silence 1 by ann (patch day)')")
    assert len(inbox.got) == 1
    page.click("text=End it")
    page.wait_for_selector("#silences:not(:has-text('patch day'))", state="attached")
    eventually(lambda: len(inbox.got) == 2, what=story.household.log)
    page.goto(story.url)
    assert page.title() != "hit"
    ends_in_time_with_open_streams(story, page)


def test_what_is_typed_outlives_an_update(story: Story, page: "Page") -> None:
    """A form that is written anew around somebody keeps what he has chosen, also where he is elsewhere by then."""
    running = story.world.start(story.jobs["Mail"], now() - timedelta(minutes=9))
    page.goto(story.url)
    page.click("footer a:has-text('Sign in')")
    page.fill("input[name=token]", TOKEN)
    page.press("input[name=token]", "Enter")
    page.wait_for_selector("text=running for 9 min")
    streams: list[Route] = []

    def hold(stream: "Route") -> None:
        streams.append(stream)

    page.route("**/live?*", hold)
    page.click("a:has-text('Mail') >> nth=0")
    page.select_option("select[name=for]", "4h")
    page.fill("input[name=reason]", "patch day")
    page.click("h1")
    page.evaluate("document.querySelector('#acts').mark = 'the first'")
    story.world.progress(running, 30, Statistics(processed_objects=4711))
    eventually(lambda: "4,711" in page.request.get(page.url).text())
    streams[0].continue_()
    page.wait_for_selector("text=4,711")
    assert page.evaluate("document.querySelector('#acts').mark") is None
    assert page.input_value("select[name=for]") == "4h"
    assert page.input_value("input[name=reason]") == "patch day"
    assert not page.input_value("input[name=by]")


def ends_in_time_with_open_streams(story: Story, page: "Page") -> None:
    """SIGTERM ends the process at once though a page is being followed, and nothing of it is a traceback."""
    page.wait_for_selector("#live.on")
    began = time.monotonic()
    assert story.household.end() == 0
    assert time.monotonic() - began < 6
    page.wait_for_selector("#live.off")
    page.goto("about:blank")
    assert "Traceback" not in story.household.log()
    assert TOKEN not in story.household.log()


@pytest.mark.soak
def test_a_dead_delivery_is_tried_again_from_the_page(story: Story, inbox: Inbox, page: "Page") -> None:
    """What the receiver refused stands under "Given up" with its reason; one click puts it back."""
    inbox.status = 404
    page.goto(f"{story.url}/sign-in")
    page.fill("input[name=token]", TOKEN)
    page.press("input[name=token]", "Enter")
    story.has_ended("Sites", Status.FAILED, ERROR)
    page.wait_for_selector("#messages:has-text('Given up')")
    assert "404" in page.inner_text("#messages")
    inbox.status = 204
    page.click("text=Try again")
    page.wait_for_selector("#messages:not(:has-text('Given up'))")
    eventually(lambda: len(inbox.got) >= 1, what=story.household.log)
    page.click("text=Send a test")
    page.wait_for_selector("h1:has-text('A test message went out through chat')")
