"""The address as it is typed, and the hash of a login."""

from dataclasses import replace
from typing import Any

import pytest

from tests.vb365.vb365_script import ACCESS


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("https://vbo.example:4443", "https://vbo.example:4443"),
        ("https://vbo.example:4443/", "https://vbo.example:4443"),
        ("https://vbo.example:4443/v8", "https://vbo.example:4443"),
        ("https://vbo.example:4443/V12/", "https://vbo.example:4443"),
        (" http://127.0.0.1:8080 ", "http://127.0.0.1:8080"),
        ("https://[::1]:4443/v7/", "https://[::1]:4443"),
        ("https://gate.example/veeam/v8", "https://gate.example/veeam"),
        ("https://user:secret@vbo.example:4443", "https://vbo.example:4443"),
    ],
)
def test_base_is_the_address_without_version_slash_and_login(typed: str, base: str) -> None:
    """What stands before /v8 is kept, and nothing secret with it."""
    assert replace(ACCESS, url=typed).base == base


@pytest.mark.parametrize(
    ("typed", "loopback"),
    [("http://127.0.0.1:1", True), ("http://localhost", True), ("http://[::1]:1", True), ("http://vbo:1", False)],
)
def test_loopback_is_recognized(typed: str, loopback: bool) -> None:
    """Plain http is harmless where it never leaves the machine."""
    assert replace(ACCESS, url=typed).is_loopback is loopback


def test_repr_shows_no_secret() -> None:
    """User, password and proxy stay out of what a log might print."""
    shown = repr(replace(ACCESS, proxy="http://me:hidden@proxy:3128"))
    assert "s3cret" not in shown
    assert "hidden" not in shown
    assert "svc-watch" not in shown


@pytest.mark.parametrize("change", [{"username": "VBO\\other"}, {"password": "other"}, {"url": "https://other:4443"}])
def test_login_hash_changes_with_the_login(change: dict[str, Any]) -> None:
    """The hash tells another login from the refused one, and needs its salt."""
    assert replace(ACCESS, **change).login_hash("salt") != ACCESS.login_hash("salt")
    assert ACCESS.login_hash("salt") == ACCESS.login_hash("salt") != ACCESS.login_hash("other")


def test_login_hash_does_not_change_with_the_way_the_address_is_typed() -> None:
    """A slash more is no reason to try a refused login again."""
    assert replace(ACCESS, url=f"{ACCESS.url}/v8/").login_hash("salt") == ACCESS.login_hash("salt")
