"""Secrets do not come through, in whatever form they are written."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watcher.logs import Redactor, secret_login, secret_parts

HUSH = 'p@ss "wörd"/4711+x'


def basic(user: str, password: str) -> str:
    """Write a login as HTTP does."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        HUSH,
        quote(HUSH),
        quote(HUSH, safe=""),
        quote_plus(HUSH),
        quote(HUSH, safe="").lower(),
        json.dumps(HUSH)[1:-1],
        json.dumps(HUSH, ensure_ascii=False)[1:-1],
        repr(HUSH)[1:-1],
        basic("u", HUSH),
        basic("us", HUSH),
        basic("usr", HUSH),
        base64.urlsafe_b64encode(f"u:{HUSH}".encode()).decode(),
    ],
)
def test_a_secret_is_found_in_every_form_that_libraries_write(form: str) -> None:
    """As it is, in URLs, forms, JSON, Python literals and basic auth."""
    clean = Redactor([HUSH]).clean
    assert clean(f"before {form} after") == "before *** after"


def test_a_short_password_is_found_in_basic_auth_with_its_login() -> None:
    """The base64 of a short value alone would be found everywhere."""
    assert Redactor(["user:abcde"]).clean(f"Basic {basic('user', 'abcde')}!") == "Basic ***!"


def test_the_longest_secret_goes_first() -> None:
    """Nothing of a URL is left standing around its password."""
    url = "json://user:pass-word@host/token"
    assert Redactor(secret_parts(url)).clean(f"POST {url} failed") == "POST *** failed"


def test_a_value_that_was_no_utf8_is_found_as_well() -> None:
    """The environment gives such bytes as half characters."""
    value = b"p\xff\xfessword".decode(errors="surrogateescape")
    assert Redactor([value]).clean(f"a {value} b") == "a *** b"


def test_short_values_are_not_searched_for() -> None:
    """Four letters stand in many words."""
    assert Redactor(["four", ""]).clean("fourteen") == "fourteen"
    assert Redactor(["fours"]).clean("fours") == "***"


def test_without_secrets_a_text_stays_as_it_is() -> None:
    """An empty redactor changes nothing."""
    assert Redactor([]).clean("anything") == "anything"


@example(secret="=====", before="", after="")
@given(secret=st.text(min_size=5, max_size=30), before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_secret_survives_in_any_text(secret: str, before: str, after: str) -> None:
    """Whatever the secret is and wherever it stands; stars may be one only of stars."""
    cleaned = Redactor([secret]).clean(f"{before}{secret}{after}")
    assert secret not in cleaned.replace("***", "\0")


@pytest.mark.parametrize(
    ("url", "secret", "public"),
    [
        ("json://me:pa%40ss@host.example.com:8080/hidden/way", {"pa%40ss", "pa@ss", "hidden"}, {"host.example.com"}),
        ("ntfys://ntfy.sh/my-topic?priority=urgent", {"my-topic", "urgent"}, {"ntfy.sh", "ntfys"}),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops-room", {"T1JJ3T3L2", "ops-room"}, {"slack"}),
        ("tgram://123456789:ABCdefGHI/12345", {"123456789:ABCdefGHI", "ABCdefGHI", "12345"}, {"tgram"}),
        ("mailto://user:hushed@mailhost?to=a@x.org,bob@x.org", {"hushed", "bob@x.org"}, {"mailhost", "mailto"}),
        ("webhook+https://[::1]:8443/hooks/abcdef", {"abcdef"}, {"hooks", "8443"}),
        ("json://[bad/token99?x=other99", {"token99", "other99"}, set()),
        ("gotify://intra-net01/AbCdEf", {"AbCdEf"}, {"intra-net01"}),
    ],
)
def test_the_telling_parts_of_a_channels_address(url: str, secret: set[str], public: set[str]) -> None:
    """Login, path and query are secret, as written and decoded; scheme and host are not, a token in its place is."""
    parts = secret_parts(url)
    assert url in parts
    assert secret <= parts
    assert not public & parts


def test_of_an_address_with_a_login_only_the_login_is_secret() -> None:
    """The name of a database is no secret, and a plain word."""
    assert secret_login("postgresql://watcher:dbp%40ss@host/watcher") == {
        "postgresql://watcher:dbp%40ss@host/watcher",
        "postgresql://watcher:dbp@ss@host/watcher",
        "watcher:dbp%40ss",
        "watcher:dbp@ss",
        "dbp%40ss",
        "dbp@ss",
    }
    assert secret_login("sqlite:////var/lib/watcher.db") == frozenset()
