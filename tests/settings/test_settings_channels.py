"""The list of channels: where it is split, and what its channels are called."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.settings.channels import channels

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_names = st.text(alphabet=_LETTERS + "._-", min_size=1, max_size=8)
_schemes = st.sampled_from(["json", "mailto", "webhook+https", "slack"])
_rests = (
    st.text(alphabet=_LETTERS + "@:,?&/%._-=+", max_size=30)
    .map(lambda rest: f"h{rest}x")
    .filter(lambda rest: "://" not in rest)
)
_separators = st.sampled_from([" ", "\n", ",", ", ", " ,\n", "\t"])


def split(text: str) -> list[tuple[str, str]]:
    """Return names and URLs."""
    return [(channel.name, channel.url.reveal()) for channel in channels(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n ", []),
        ("a=json://h/x", [("a", "json://h/x")]),
        ("a=json://h b=ntfy://t", [("a", "json://h"), ("b", "ntfy://t")]),
        ("a=json://h,b=ntfy://t", [("a", "json://h"), ("b", "ntfy://t")]),
        ("a=json://h,\n  b=ntfy://t,\n", [("a", "json://h"), ("b", "ntfy://t")]),
        ("m=mailto://u:p@h?to=a@x,b@y", [("m", "mailto://u:p@h?to=a@x,b@y")]),
        ("m=mailto://u:p@h?to=a,b=c", [("m", "mailto://u:p@h?to=a,b=c")]),
        ("m=mailto://h?to=a,b,c=json://h", [("m", "mailto://h?to=a,b"), ("c", "json://h")]),
        ("Ops.1_x-y=webhook+https://h/a?b=c", [("Ops.1_x-y", "webhook+https://h/a?b=c")]),
        ("a=json://h?next=ntfy://t", [("a", "json://h?next=ntfy://t")]),
    ],
)
def test_the_list_is_split_where_a_channel_begins(text: str, expected: list[tuple[str, str]]) -> None:
    """Blanks always split, a comma only before another channel."""
    assert split(text) == expected


def test_a_channel_without_a_name_is_called_by_scheme_and_hash() -> None:
    """The name says nothing of the URL, and stays the same wherever it stands in the list."""
    url = "json://u:p@host/path"
    name = f"json-{sha256(url.encode()).hexdigest()[:8]}"
    assert split(f"{url},a=ntfy://t") == [(name, url), ("a", "ntfy://t")]
    assert split(f"a=ntfy://t {url}")[1] == (name, url)


@pytest.mark.parametrize("text", ["geheim", "a=json://h geheim", "my!ops=json://h/geheim", "=json://geheim", "json://"])
def test_what_is_no_channel_is_refused_without_being_repeated(text: str) -> None:
    """A blank in a password tears a URL apart; its halves stay out of the error."""
    with pytest.raises(ValueError, match=r"entry \d is no channel") as error:
        channels(text)
    assert "geheim" not in str(error.value)


@given(st.lists(st.tuples(_names, _schemes, _rests), max_size=6), st.data())
def test_any_list_of_channels_comes_apart_as_it_was_put_together(
    parts: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    """Whatever commas URLs have of their own, and however they are separated, names and URLs come back."""
    expected = [(name, f"{scheme}://{rest}") for name, scheme, rest in parts]
    text = "".join(f"{name}={url}{data.draw(_separators)}" for name, url in expected)
    assert split(text) == expected


@given(st.text(max_size=60))
def test_any_text_is_split_or_refused(text: str) -> None:
    """Nothing but ValueError comes out of a wrong list, and no URL of a good one has a blank in it."""
    try:
        found = split(text)
    except ValueError:
        return
    assert not any(re.search(r"\s", url) for _, url in found)
