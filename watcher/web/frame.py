"""What every page has around it: head, header, footer."""

from collections.abc import Sequence
from dataclasses import dataclass

from watcher import __version__
from watcher.web import signs
from watcher.web.lens import Lens
from watcher.web.markup import Markup, element, join

REFRESH_SECONDS = 15
_DOCTYPE = Markup("<!doctype html>\n")
_FOR_PROGRAMS = ("healthz", "readyz", "metrics", "api/status", "api/sessions", "api/deliveries", "api/openapi.json")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a page that can be replaced while one looks at it; its outermost element has its name as id.

    `rows`: the pieces inside it that can be replaced by themselves, as long as they stay the same in the same order;
    `around`: what stands around them.
    """

    name: str
    html: Markup
    rows: tuple[tuple[str, Markup], ...] = ()
    around: Markup = Markup("")  # noqa: RUF009 - a text, which nothing changes


AS_OF = "as-of"


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its title, its parts in their order, and the address at which it can be followed ("": it cannot)."""

    title: str
    parts: Sequence[Part]
    live: str = ""


def document(page: Page, lens: Lens, mark: str = "") -> str:
    """Return a whole page as HTML. Its parts make up `main`; `mark` is what those who follow it know it by."""
    main = element("main", *(part.html for part in page.parts), id="main")
    body = element("body", signs.sprite(), _header(lens, is_live=bool(page.live)), main, _footer(lens))
    return join(_DOCTYPE, element("html", _head(page, lens, mark), body, lang="en"), "\n")


def title(page: Page) -> Part:
    """Return the part that tabs and bookmarks show."""
    return Part("title", element("title", f"{page.title} · vb365-watcher", id="title"))


def as_of(lens: Lens) -> Part:
    """Return the part of the header that says when the page was so."""
    return Part(AS_OF, element("span", lens.as_of, id=AS_OF, class_="faint"))


def sentence(title: str, tone: signs.Sign, *content: str, lens: Lens) -> str:
    """Return a page that says one thing: a failure, or what an action came to."""
    back = element("p", element("a", "Back to the page", href=lens.root or "./"))
    hero = element(
        "section", signs.mark(tone, "large"), element("div", element("h1", title), *content, back), class_="hero"
    )
    return document(Page(title, (Part("sentence", hero),)), lens)


def _head(page: Page, lens: Lens, mark: str) -> Markup:
    version = f"?v={__version__}"
    refresh = element("meta", http_equiv="refresh", content=str(REFRESH_SECONDS))
    source = f"{lens.root}live.js{version}"
    script = element("script", src=source, data_live=page.live, data_seen=mark, defer="") if page.live else ""
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        title(page).html,
        element("link", rel="icon", type="image/svg+xml", href=f"{lens.root}icon.svg"),
        element("link", rel="stylesheet", href=f"{lens.root}style.css{version}"),
        script,
        element("noscript", refresh) if page.live else "",
    )


def _header(lens: Lens, *, is_live: bool) -> Markup:
    home = element("a", "vb365-watcher", href=lens.root or "./", class_="home")
    state = element("span", "", id="live", role="status") if is_live else ""
    asof = as_of(lens).html if is_live else ""
    return element("header", home, element("span", state, " ", asof, class_="state"))


def _footer(lens: Lens) -> Markup:
    links = (element("a", link, href=f"{lens.root}{link}") for link in _FOR_PROGRAMS)
    nav = element("nav", *links, aria_label="For programs")
    return element("footer", nav, element("p", *_words(lens)))


def _words(lens: Lens) -> Sequence[str]:
    version = element("span", f"vb365-watcher {__version__}. Times are of the zone {lens.zone}.")
    if lens.csrf is not None:
        return version, " ", lens.form("sign-out", element("button", "Sign out", class_="plain"), css="inline")
    if lens.may_sign_in:
        return version, " ", element("a", "Sign in to act", href=f"{lens.root}sign-in")
    return (version,)
