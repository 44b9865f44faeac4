"""HTML that is safe by its making: whatever is not marked as markup already is text, and is escaped."""

import re
from html import escape

_VOID = frozenset({"link", "meta", "input"})
# Control codes and half surrogate pairs, which no HTML may hold, and the overrides that let a name turn its line round.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Markup(str):
    """Text that is HTML already. Only this module and constants of the page make it."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | None) -> Markup:
    """Return an element. Children are escaped unless they are Markup; an attribute of None is left out.

    Attribute names are written with `_` for `-` and may end in one (`class_`, `http_equiv`, `data_label`).
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_text(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Return the children one after the other, escaped unless they are Markup."""
    return Markup("".join(child if isinstance(child, Markup) else _text(child) for child in children))


def _text(text: str) -> str:
    return escape(_UNSHOWABLE.sub("\ufffd", text), quote=True)
