"""Foreign words made harmless: names, details and log lines come from tenants, users and sites."""

import html
import re
from collections.abc import Callable, Mapping
from unicodedata import category

from watcher.core.render.style import Format

_JOINERS = "\u200c\u200d"  # part of words in some scripts, and of emoji
_ZERO_WIDTH_SPACE = "\u200b"
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~])")
_LINE_START = re.compile(r"^(\d{0,9})([#+=.)-])")  # headings, rules, lists; the rest is escaped everywhere
_MENTION = re.compile(
    r"(?<![\w.+-])@(?=\S)"  # at the start of a word
    r"|@(?=(?:everyone|here|channel|all|room|team)\b(?![\w.-]))",  # Discord looks for these inside words as well
    re.IGNORECASE,
)


def fold(text: str) -> str:
    """Return text on one line: control characters, line breaks and direction marks leave no trace but a space."""
    if not text.isprintable():  # nearly all text is, and then has no such character
        text = "".join(map(_plain, text))
    return " ".join(text.split())


def escape(text: str, form: Format) -> str:
    """Return text on one line that shows as itself in the given markup.

    Markdown is CommonMark. Mentions are broken by a zero-width space after the `@`, since no markup has an escape for
    them that chats honour; an address like `ann@example.com` mentions nobody and stays as it is.
    """
    return _ESCAPES[form](fold(text))


def _plain(character: str) -> str:
    match category(character):
        case "Cc" | "Zl" | "Zp" | "Zs":
            return " "
        case "Cf":
            return character if character in _JOINERS else ""
        case "Cs":
            return "\ufffd"
    return character


def _markdown(text: str) -> str:
    quiet = _MENTION.sub("@" + _ZERO_WIDTH_SPACE, text)
    return _LINE_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", quiet))


def _html(text: str) -> str:
    return html.escape(_MENTION.sub("@" + _ZERO_WIDTH_SPACE, text))


_ESCAPES: Mapping[Format, Callable[[str], str]] = {
    Format.TEXT: lambda text: text,
    Format.MARKDOWN: _markdown,
    Format.HTML: _html,
}
