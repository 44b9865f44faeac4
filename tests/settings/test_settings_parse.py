"""Texts of settings and their values."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from watcher.core.wanted import EVENTS
from watcher.settings import Listen
from watcher.settings.address import database_url, is_plain_text, listen, page_url, secret_url, server_url
from watcher.settings.parse import api_version, boolean, duration, duration_from, fingerprints, notify_on, plain, watch

PRINT = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0.2", 0.2),
        (".5", 0.5),
        ("500ms", 0.5),
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (" 5M ", 300),
        ("0", 0),
    ],
)
def test_a_duration_is_seconds_or_numbers_with_units(text: str, seconds: float) -> None:
    """Each written form gives its length."""
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "abc", "5 minutes", "-5", "1w", "5mm", "inf", "nan", "1e3", "٣", "3 0", "1h30", "."]
)
def test_what_is_no_duration_says_how_to_write_one(text: str) -> None:
    """Anything else is refused with the forms that hold."""
    with pytest.raises(ValueError, match="write seconds"):
        duration(text)


def test_a_duration_longer_than_a_life_is_refused_rather_than_overflowing() -> None:
    """A number of a hundred digits is a mistake, and no OverflowError."""
    with pytest.raises(ValueError, match="too long"):
        duration("9" * 100 + "d")


def test_a_shortest_duration_is_held() -> None:
    """The bound itself is allowed, less is not."""
    read = duration_from(timedelta(seconds=0.1))
    assert read("0.1") == timedelta(milliseconds=100)
    with pytest.raises(ValueError, match=r"`50ms` is too short: the shortest is 0\.1 s"):
        read("50ms")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("No", False), ("on", True), ("off", False), ("1", True), ("0", False)]
)
def test_booleans(text: str, value: bool) -> None:
    """The usual words for true and false are understood."""
    assert boolean(text) is value


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://host:4443", "https://host:4443"),
        ("https://host:4443/", "https://host:4443"),
        ("https://host:4443/v8", "https://host:4443"),
        ("https://host:4443/V5/", "https://host:4443"),
        ("HTTPS://Host.Example:443/proxy/v8//", "https://host.example/proxy"),
        ("http://[::1]:8080/v3", "http://[::1]:8080"),
        (" https://host ", "https://host"),
        ("https://host/v8x", "https://host/v8x"),
    ],
)
def test_a_servers_address_loses_its_slash_and_its_version(text: str, url: str) -> None:
    """What is left is the base of every request, in one form for one place."""
    assert server_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "host:4443",
        "ftp://host",
        "https://",
        "https://user:secretpass@host",
        "https://host?x=secretpass",
        "https://host:port",
        "https://ho st",
        "https://[::1",
        "https://host:99999",
        "",
        "https://a\nhttps://b",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(text: str) -> None:
    """People put logins into addresses, so that errors quote none of it."""
    with pytest.raises(ValueError, match=r".+") as error:
        server_url(text)
    assert "secretpass" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "is_risky"),
    [
        ("http://vb.example.com", True),
        ("https://vb.example.com", False),
        ("http://127.0.0.1:80", False),
        ("http://localhost:4443", False),
        ("http://[::1]:1", False),
        ("http://127.example.com", True),
    ],
)
def test_http_is_risky_off_loopback_only(url: str, is_risky: bool) -> None:
    """On loopback nobody is in between."""
    assert is_plain_text(url) is is_risky


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:8365", Listen("127.0.0.1", 8365)),
        ("[::1]:80", Listen("::1", 80)),
        ("localhost:0", Listen("localhost", 0)),
        ("[::]:8365 insecure", Listen("::", 8365, is_exposed=True)),
        ("", None),
        ("  ", None),
    ],
)
def test_where_to_listen(text: str, place: Listen | None) -> None:
    """A host and a port, or nowhere."""
    assert listen(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "8365",
        ":8365",
        "host:",
        "host:70000",
        "::1:80",
        "host:x",
        "off",
        "host:²",
        "host:1 x",
        "insecure",
        "h:1 insecure insecure",
    ],
)
def test_what_is_no_place_to_listen_is_refused(text: str) -> None:
    """Half a place is a mistake, not a guess."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        listen(text)


@pytest.mark.parametrize("text", ["sqlite:///watcher.db", "sqlite:////var/lib/w.db", "postgresql://u:p@h/name"])
def test_databases_that_are_known(text: str) -> None:
    """SQLite files and PostgreSQL."""
    assert database_url(f" {text} ").reveal() == text


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///", "mysql://u:hush@h/n", "/var/lib/hush.db", "postgresql://"])
def test_other_databases_are_refused_without_being_repeated(text: str) -> None:
    """The address of a database may hold a password."""
    with pytest.raises(ValueError, match="is no database") as error:
        database_url(text)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("read", [secret_url, page_url])
def test_addresses_with_tokens_are_not_repeated(read: Callable[[str], object]) -> None:
    """A wrong proxy or heartbeat address is refused without its text."""
    with pytest.raises(ValueError, match="write") as error:
        read("hc.example.com/ping/hush-hush")
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        PRINT,
        PRINT.upper(),
        ":".join(PRINT[at : at + 2] for at in range(0, 64, 2)),
        f"sha256 Fingerprint={PRINT}",
        f"SHA256 Fingerprint={PRINT}\n",
    ],
)
def test_a_fingerprint_is_hex_with_or_without_colons(text: str) -> None:
    """All forms become 64 lower-case digits, those of a line that openssl has printed, too."""
    assert fingerprints(text) == (PRINT,)


def test_several_fingerprints_for_a_renewal() -> None:
    """They are separated by blanks, commas or lines."""
    other = PRINT[::-1]
    assert fingerprints(f"{PRINT}, {other}") == fingerprints(f"{PRINT}\n{other}") == (PRINT, other)


@pytest.mark.parametrize("text", [PRINT[:-1], PRINT + "0", PRINT[:-1] + "g", "SHA256"])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    """A SHA-1 or a half-copied one would never match."""
    with pytest.raises(ValueError, match="64 hex digits"):
        fingerprints(text)


def test_versions_of_the_api() -> None:
    """auto and v3 to v8 are known, others name those."""
    assert [api_version(word) for word in ("auto", "v3", "V8")] == ["auto", "v3", "v8"]
    with pytest.raises(ValueError, match="`v9` is not one of auto, v3"):
        api_version("v9")


def test_words_of_notify_on() -> None:
    """Words, single events and `all`, separated by blanks or commas."""
    assert notify_on("failed, job.slow") == {"session.failed", "job.slow"}
    assert notify_on("all") == EVENTS
    with pytest.raises(ValueError, match="did you mean `failed`"):
        notify_on("faild")
    with pytest.raises(ValueError, match="names no event"):
        notify_on(" , ")


def test_what_is_watched() -> None:
    """Kinds of work, by their words."""
    assert watch("backup,restore") == {"backup", "restore"}
    with pytest.raises(ValueError, match="did you mean `restore`"):
        watch("restores")
    with pytest.raises(ValueError, match="names no kind of work"):
        watch(" , ")


@pytest.mark.parametrize(("text", "mend"), [("", "is empty"), ("a\nb", "more than one line")])
def test_a_text_is_one_line(text: str, mend: str) -> None:
    """An empty secret file and one with two lines are mistakes."""
    with pytest.raises(ValueError, match=mend):
        plain(text)
