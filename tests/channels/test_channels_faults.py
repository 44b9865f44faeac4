"""The fault matrix: what each kind of channel makes of each thing that a receiver can do. docs/faults.md shows it."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from tests.channels.mailserver import Postman, mail_server, nobody_may_log_in
from tests.channels.receivers import Answer, Misdeed, nobody, receiving
from watcher.channels import Channel, open_channel
from watcher.channels.webhook import WebhookChannel
from watcher.core.backoff import Patience, settle_all
from watcher.core.delivery import Delivery, Parcel, Sent, State, Verdict
from watcher.core.event import Event

RA = (("Retry-After", "120"),)
HTTP: dict[str, Answer | Misdeed] = {
    "hangs": Misdeed.HANG,
    "slow but accepting": Answer(200, after=0.3),
    "200, then reset": Misdeed.HALF_BODY,
    "400": Answer(400),
    "401": Answer(401),
    "404": Answer(404),
    "410": Answer(410),
    "429 with Retry-After": Answer(429, RA),
    "429 without": Answer(429),
    "500": Answer(500),
}
MAIL: dict[str, tuple[str, Postman]] = {
    "hangs": ("hangs after the mail", Postman(at_end="hang")),
    "slow but accepting": ("slow but accepting", Postman(at_end="slow")),
    "200, then reset": ("250, then drops the line", Postman(drops_after=True)),
    "400": ("554 to the text", Postman(at_end="554 no")),
    "401": ("535 to the login", Postman()),
    "404": ("550 to the recipient", Postman({"b@example.com": "550 no such user"})),
    "410": ("551 to the recipient", Postman({"b@example.com": "551 moved"})),
    "429 with Retry-After": ("450 to the recipient", Postman({"b@example.com": "450 greylisted"})),
    "429 without": ("421 to the text", Postman(at_end="421 busy")),
    "500": ("451 to the text", Postman(at_end="451 error")),
}
WORDS = {
    Sent.DELIVERED: "delivered",
    Sent.REFUSED: "dead",
    Sent.TRY_AGAIN: "again",
    Sent.WAIT_UNTIL: "wait",
    Sent.UNKNOWN: "unknown",
}
MATRIX = {  # fault: json, mail, webhook
    "refuses the connection": ("again", "again", "again"),
    "no such name (DNS)": ("again", "again", "again"),
    "hangs": ("unknown", "unknown", "unknown"),
    "slow but accepting": ("delivered", "delivered", "delivered"),
    "200, then reset": ("unknown", "delivered", "delivered"),
    "400": ("dead", "dead", "dead"),
    "401": ("dead", "dead", "dead"),
    "404": ("dead", "dead", "dead"),
    "410": ("dead", "dead", "dead"),
    "429 with Retry-After": ("wait", "again", "wait"),
    "429 without": ("again", "again", "again"),
    "500": ("again", "again", "again"),
    "TLS certificate expired": ("again", "again", "again"),
}
KINDS = ("json", "mail", "webhook")
SECRET = "T0KEN-of-the-channel"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for an answer for a moment only."""
    monkeypatch.setattr("watcher.channels.pool.READ_TIMEOUT", 0.7)
    monkeypatch.setattr("watcher.channels.plugin.READ_TIMEOUT", 0.7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", MATRIX)
async def test_a_cell(fault: str, kind: str, parcel: Parcel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its class of outcome, a reason without a secret, and what follows for the row."""
    with faulty(fault, kind, tmp_path, monkeypatch) as channel:
        verdict = await channel.send(parcel)
        if isinstance(channel, WebhookChannel):
            await channel.aclose()
    assert WORDS[verdict.sent] == MATRIX[fault][KINDS.index(kind)], verdict
    assert SECRET not in verdict.reason
    assert verdict.sent == Sent.DELIVERED or len(verdict.reason) > 10
    assert becomes(verdict, parcel.events[0]) == FOLLOWS[WORDS[verdict.sent]]


FOLLOWS = {
    "delivered": (State.DELIVERED, None),
    "dead": (State.DEAD, None),
    "again": (State.PENDING, "backoff"),
    "unknown": (State.PENDING, "backoff"),
    "wait": (State.PENDING, "as asked"),
}


def becomes(verdict: Verdict, event: Event) -> tuple[State, str | None]:
    """Return what becomes of a row at its first attempt, and when it comes back."""
    now = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)
    row = Delivery(1, "m", event, "ops", "", 1, now)
    (end,) = settle_all([row], verdict, now=now, patience=Patience(), rng=Random(1))
    if end.next_attempt is None:
        return end.state, None
    wait = end.next_attempt - now
    return end.state, "as asked" if wait == timedelta(seconds=120) else "backoff" if wait <= timedelta(
        seconds=5
    ) else "?"


@contextmanager
def faulty(fault: str, kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    """Give a channel whose receiver does what it should not."""
    if fault == "refuses the connection":
        with nobody() as port:
            yield opened(kind, f"127.0.0.1:{port}")
    elif fault == "no such name (DNS)":
        yield opened(kind, "nobody.invalid:4711")
    elif fault == "TLS certificate expired":
        with expired(kind, folder, monkeypatch) as channel:
            yield channel
    elif kind == "mail":
        guard: Any = {"authenticator": nobody_may_log_in, "auth_require_tls": False} if fault == "401" else {}
        with mail_server(MAIL[fault][1], **guard) as postman:
            yield opened(kind, f"127.0.0.1:{postman.port}", login=fault == "401")
    else:
        with receiving(HTTP[fault]) as receiver:
            yield opened(kind, f"127.0.0.1:{receiver.port}")


def opened(kind: str, place: str, *, login: bool = False) -> Channel:
    """Open a channel of a kind to a place, with a secret in its URL."""
    urls = {
        "json": f"json://{place}/{SECRET}",
        "mail": f"mailto://{f'ann:{SECRET}@' if login else ''}{place}?from=a@example.com&to=b@example.com",
        "webhook": f"webhook+http://{place}/{SECRET}",
    }
    return open_channel("ops", urls[kind], zone=UTC)


@contextmanager
def expired(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    """Give a channel to a receiver of a trusted authority whose certificate ran out yesterday."""
    authority, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    yesterday = datetime.now(UTC) - timedelta(days=1)  # noqa: TID251 - certificates live by the machine's clock
    authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday).configure_cert(
        server
    )
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    if kind == "mail":
        with mail_server(Postman(), server) as postman:
            url = f"mailtos://127.0.0.1:{postman.port}?from=a@example.com&to=b@example.com&mode=starttls"
            yield open_channel("ops", url, zone=UTC)
        return
    with receiving(tls=server) as receiver:
        place = f"127.0.0.1:{receiver.port}/{SECRET}"
        if kind == "json":
            yield open_channel("ops", f"jsons://{place}", zone=UTC)
            return
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        yield WebhookChannel("ops", urlsplit(f"webhook+https://{place}"), tls=trusting)


def test_the_document_shows_this_matrix() -> None:
    """docs/faults.md has a row for each fault, with these words."""
    text = (Path(__file__).parents[2] / "docs" / "faults.md").read_text()
    shown = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    wanted = [
        (fault, json, mail if fault not in MAIL else f"{mail} ({MAIL[fault][0]})", webhook)
        for fault, (json, mail, webhook) in MATRIX.items()
    ]
    assert [row for row in shown if row[0] in MATRIX] == wanted
