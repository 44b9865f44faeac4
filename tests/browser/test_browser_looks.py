"""How the pages look and read in a real browser: without script, on a phone, by keyboard, to a screen reader."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import TOKEN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

JOB = "/jobs/HQ/HQ-0"
SLOW = "/jobs/HQ/HQ-4"
SIZES = {"wide": 1280, "phone": 390}


def sign_in(page: "Page", site: str) -> None:
    page.goto(f"{site}/sign-in")
    page.fill("input[name=token]", TOKEN)
    page.press("input[name=token]", "Enter")
    page.wait_for_selector("text=Sign out")


def test_a_stranger_sees_what_is_wrong_and_since_when(page: "Page", site: str) -> None:
    """The first thing on the page, and in the tab."""
    page.goto(site)
    heading = page.inner_text("h1")
    assert heading == "2 jobs are failing: Contoso - Exchange since Sun 03:01, Tailspin - Staff mail since today 02:28"
    assert page.title().startswith(heading)
    box = page.locator("h1").bounding_box()
    assert box is not None
    assert box["y"] < 160
    assert "401" in page.inner_text("#hero")
    assert "1 proxy is offline: proxy-02 since today 08:24" in page.inner_text("#hero")
    assert "Proxy offline: proxy-02 on HQ" in page.inner_text("#breaking")
    slow = page.inner_text(".job:has-text('Fabrikam - OneDrive') .under")
    page.goto(site + SLOW)
    (limit,) = set(re.findall(r"slow after (.+)", page.inner_text("figcaption >> nth=0")))
    assert f"slow: it runs for more than {limit}, longer than its own runs do" in slow


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        ("light", "wide"),
        pytest.param("dark", "phone", marks=pytest.mark.soak),
        pytest.param("light", "phone", marks=pytest.mark.soak),
        pytest.param("dark", "wide", marks=pytest.mark.soak),
    ],
)
def test_no_violation_is_found_by_axe(
    browser: "Browser", site: str, scheme: Literal["light", "dark"], size: str
) -> None:
    """On each page, signed in and with all details open, in both colour schemes, wide and narrow."""
    context = browser.new_context(viewport={"width": SIZES[size], "height": 844}, color_scheme=scheme)
    page = context.new_page()
    sign_in(page, site)
    for path in ("/", JOB, SLOW, "/?q=nothing", "/jobs/HQ/none", "/sign-in"):
        page.goto(site + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size], f"{path} is wider than the screen"
    context.close()


def test_it_works_without_javascript(browser: "Browser", site: str) -> None:
    """All that there is to read is there, search and pages are plain addresses, forms are plain forms."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site)
    assert "2 jobs are failing" in page.inner_text("h1")
    page.fill("input[type=search]", "branch students")
    page.click("text=Search")
    assert page.locator(".job").count() == 1
    assert page.url == f"{site}/?q=branch+students"
    page.click(".job a")
    assert page.inner_text("h1") == "Tailspin - Students"
    assert page.locator("text=Silence it").count() == 1
    page.goto(site + JOB)
    page.click("summary >> nth=0")
    assert "mail: not told: quiet hours, which drop it" in page.inner_text("#sessions")
    context.close()


def test_it_works_by_keyboard(page: "Page", site: str) -> None:
    """The first stops lead to the job that fails, with a ring around what has the focus."""
    page.goto(site)
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent"))
    assert stops[1] == "Contoso - Exchange"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert page.inner_text("h1") == "Contoso - Exchange"


def test_times_are_those_of_the_settings_not_of_the_browser(page: "Page", site: str) -> None:
    """The browser is in New York, the settings are in Zurich."""
    page.goto(site)
    assert "08:42:11 +01:00" in page.inner_text("header")
    title = page.locator(".job time >> nth=0").get_attribute("title") or ""
    assert title.endswith("+01:00")


def test_the_policy_keeps_foreign_script_and_style_out(browser: "Browser", site: str) -> None:
    """Should markup ever get in, the browser would not run it, nor style by it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site)
    page.evaluate(
        """() => { const one = document.createElement('div'); document.body.append(one);
        one.innerHTML = '<b id="in" style="color:red" onclick="window.hit = 1">x</b>';
        one.firstChild.click(); }"""
    )
    assert page.evaluate("window.hit") is None
    assert page.evaluate("getComputedStyle(document.getElementById('in')).color") != "rgb(255, 0, 0)"
    context.close()


@pytest.mark.parametrize(
    ("name", "path", "scheme", "width", "height"),
    [
        ("page", "/", "light", 1200, 1110),
        ("page-dark", "/", "dark", 1200, 1110),
        ("page-phone", "/", "light", 390, 844),
        ("job", JOB, "light", 1200, 900),
    ],
)
def test_pictures_for_the_documents(  # noqa: PLR0917 - a picture has a name, a place, colours and a size
    browser: "Browser",
    site: str,
    album: Path | None,
    name: str,
    path: str,
    scheme: Literal["light", "dark"],
    width: int,
    height: int,
) -> None:
    """Made on request only: WATCHER_SCREENSHOTS=1."""
    if album is None:
        pytest.skip("WATCHER_SCREENSHOTS=1 renews docs/*.png")
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(site + path)
    page.wait_for_selector("#live.on")
    if path == JOB:
        page.click("summary >> nth=0")
    picture = album / f"{name}.png"
    page.screenshot(path=picture)
    context.close()
    assert picture.stat().st_size < 230_000
