"""Foreign words show as themselves: the parsers of the markups are the judges."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from watcher.core.render.escape import escape, fold
from watcher.core.render.style import Format

NASTY = st.text(st.sampled_from("ab1 \\`*_{}[]()<>#+-.!|~@:=&;/\n\r\t\x00\x1b\u202e\u200b\u2028\u00e9\U0001f600"))
ANY = st.text() | NASTY | st.lists(st.sampled_from(
    ["<!here>", "<@U123>", "@everyone", "[x](http://evil)", "![x](http://e)", "**b**", "`c`", "# h", "- l", "1. l",
     "<script>", "<https://evil>", "&lt;b&gt;", "~~s~~", "> q", "===", "\n", " ", "|a|b|", "||s||", "a@here", "x"],
)).map("".join)  # fmt: skip
PLAIN_TOKENS = {"paragraph_open", "paragraph_close", "inline"}


class Seen(HTMLParser):
    """Collects what a browser would take for tags, and the text that it would show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(markup: str) -> Seen:
    """Return what a browser makes of some HTML."""
    seen = Seen()
    seen.feed(markup)
    seen.close()
    return seen


@given(ANY)
@example("1. one")
@example("+ one")
@example("# one")
@example("a\n===")
@example("<https://evil.example>")
@example("![pixel](http://evil.example/p.png)")
def test_markdown_is_only_text(text: str) -> None:
    """A CommonMark parser with tables and strikethrough finds one paragraph, and in it nothing but text."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(escape(text, Format.MARKDOWN))
    assert {token.type for token in tokens} <= PLAIN_TOKENS
    inner = [child.type for token in tokens for child in token.children or ()]
    assert set(inner) <= {"text", "text_special"}


@given(ANY.filter(lambda text: "&" not in text))
def test_markdown_shows_the_text_itself(text: str) -> None:
    """What a reader sees is the folded text, but for the invisible breaks of mentions."""
    html = MarkdownIt("commonmark").render(escape(text, Format.MARKDOWN))
    assert shown(html).text.strip().replace("\u200b", "") == fold(text)


@given(ANY)
def test_html_is_only_text(text: str) -> None:
    """A browser finds no tag in it and shows the folded text."""
    seen = shown(escape(text, Format.HTML))
    assert seen.tags == []
    assert seen.text.replace("\u200b", "") == fold(text)


@given(ANY)
def test_text_is_one_line_of_printable_characters(text: str) -> None:
    """No line break, control character, direction mark or lone surrogate is left, in any markup."""
    for form in Format:
        said = escape(text, form)
        said.encode()  # would raise on a lone surrogate
        assert len(said.splitlines()) <= 1
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)


def test_lone_surrogates_can_be_sent() -> None:
    """Half a character, as JSON may carry it, becomes the replacement character."""
    assert fold("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize("form", [Format.MARKDOWN, Format.HTML])
@pytest.mark.parametrize(
    "text", ["@everyone", "hi @here!", "<@U123>", "<@&99>", "(@all)", "x@everyone", "@ann look", "foo@CHANNEL"]
)
def test_nobody_is_mentioned(text: str, form: Format) -> None:
    """No `@` is left directly before the name of somebody or of everybody."""
    assert not re.search(r"@[^\u200b]", escape(text, form))


@pytest.mark.parametrize("text", ["ann@contoso.com", "a.b+c@all.example.com", "meet at 5 @ home"])
@pytest.mark.parametrize("form", list(Format))
def test_addresses_can_be_copied(text: str, form: Format) -> None:
    """A mail address and a lone `@` stay as they are."""
    assert escape(text, form) == text


@given(ANY)
@example("a\u00a0b\u2003c \u3000d")
@example("\u200dx\u200e")
def test_text_without_odd_characters_comes_out_as_with_one(text: str) -> None:
    """What is spared the look at each character would not have been changed by it."""
    assert fold(text) == fold(f"\x00{text}")
