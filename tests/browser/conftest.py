"""A real browser, one for all tests: Debian's Chromium."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.browser.estate import NOW, furnish
from tests.processes.conftest import household, inbox
from watcher.clock import Clock
from watcher.daemon.parts import Threaded
from watcher.daemon.site import Reading
from watcher.store import open_store
from watcher.web.app import Acting, create_app
from watcher.web.health import Health
from watcher.web.metrics import Metrics
from watcher.web.serve import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["household", "inbox"]
TOKEN = "a token for tests"


@pytest.fixture(scope="package")  # while it lives, its event loop runs in this thread, and no other can
def browser() -> Iterator["Browser"]:
    """Start Chromium once."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Debian's package `chromium` is missing")
        pytest.skip("Debian's package `chromium` is missing")
    from playwright.sync_api import sync_playwright

    root = ["--no-sandbox"] if os.geteuid() == 0 else []

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=["--disable-lcd-text", *root])


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """Open a tab of its own; whatever its console complains of fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="America/New_York")
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda one: complaints.append(one.text) if one.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.set_default_timeout(20_000)
    yield tab
    context.close()
    assert complaints == []


class Nobody:
    """Acts for nobody: these tests only look."""


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the pages over a store with weeks of runs; returns the address."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('site') / 'watcher.db'}")
    furnish(store)
    clock = Clock(lambda: NOW)
    app = create_app(
        reader=Reading(store, Threaded(only_reads=True), clock),
        health=Health(started=NOW),
        metrics=Metrics(),
        now=clock.now,
        zone=ZoneInfo("Europe/Zurich"),
        acting=Acting(Nobody(), TOKEN),  # type: ignore[arg-type]
    )
    with serving(app) as url:
        yield url
        app.state.live.stopping.set()
    store.close()


@pytest.fixture(scope="session")
def album() -> Path | None:
    """Where screenshots go, if they are asked for: WATCHER_SCREENSHOTS=1 renews those in docs/."""
    return Path(__file__).parents[2] / "docs" if os.environ.get("WATCHER_SCREENSHOTS") else None
