"""Webhooks against receivers that do what receivers do."""

import base64
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

import anyio
import pytest
import trustme
from standardwebhooks import Webhook

from tests.channels.receivers import Answer, Misdeed, Receiver, nobody, receiving
from watcher.channels import BadChannel, open_channel
from watcher.channels.webhook import WebhookChannel
from watcher.clock import now
from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.event import Event

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes or so!").decode()


@asynccontextmanager
async def channel_to(
    port: int, path: str = "/hooks/SECRETPATH", secret: str | None = None, login: str = ""
) -> AsyncIterator[WebhookChannel]:
    """Open a webhook to a port of this machine, and close it in the end."""
    channel = WebhookChannel.open("ops", f"webhook+http://{login}127.0.0.1:{port}{path}", secret=secret)
    try:
        yield channel
    finally:
        await channel.aclose()


async def sent_to(receiver: Receiver, parcel: Parcel) -> Verdict:
    """Send one parcel to a receiver."""
    async with channel_to(receiver.port) as channel:
        return await channel.send(parcel)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for an answer for a moment only."""
    monkeypatch.setattr("watcher.channels.pool.READ_TIMEOUT", 0.3)


async def test_one_post_with_what_programs_need(parcel: Parcel, event: Event) -> None:
    """A delivery is one POST of a CloudEvent to the very URL, with the headers of Standard Webhooks."""
    with receiving(Answer(202)) as receiver:
        async with channel_to(receiver.port, "/a%2Fb?token=x%20y&z=%2B") as channel:
            assert await channel.send(parcel) == Verdict(Sent.DELIVERED)
    (request,) = receiver.requests
    assert (request.method, request.path) == ("POST", "/a%2Fb?token=x%20y&z=%2B")
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.headers["webhook-id"] == event.id
    assert abs(int(request.headers["webhook-timestamp"]) - now().timestamp()) < 5
    assert "webhook-signature" not in request.headers
    assert "authorization" not in request.headers
    assert json.loads(request.body)["id"] == event.id


@pytest.mark.parametrize(
    ("typed", "asked"), [("", "/"), ("/a b", "/a%20b"), ("/ä?q=ö", "/%C3%A4?q=%C3%B6"), ("?a=%2f%2F", "/?a=%2f%2F")]
)
async def test_a_url_is_asked_for_as_it_was_typed(typed: str, asked: str, parcel: Parcel) -> None:
    """Only what cannot stand in a request is escaped, and nothing that is escaped is changed."""
    with receiving() as receiver:
        async with channel_to(receiver.port, typed) as channel:
            assert (await channel.send(parcel)).sent == Sent.DELIVERED
    assert receiver.requests[0].path == asked


async def test_the_signature_verifies(parcel: Parcel) -> None:
    """The library of the specification takes what is signed, and refuses another body."""
    with receiving() as receiver:
        async with channel_to(receiver.port, secret=SECRET) as channel:
            await channel.send(parcel)
    (request,) = receiver.requests
    Webhook(SECRET).verify(request.body, request.headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(request.body + b" ", request.headers)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!!", "whsec_abcde", "QUJDRA==", "hunter2"])
def test_a_bad_secret_is_named_and_not_repeated(secret: str) -> None:
    """What is not `whsec_` and base64 is refused when the channel is opened."""
    with pytest.raises(BadChannel, match="channel ops: the webhook secret has to be `whsec_` and then base") as caught:
        open_channel("ops", "webhook+https://h/x", secret=secret, zone=UTC)
    assert secret == "whsec_" or secret not in str(caught.value)


async def test_userinfo_becomes_basic_auth(parcel: Parcel) -> None:
    """User and password of the URL, percent-decoded, log in and are not part of what is asked for."""
    with receiving() as receiver:
        async with channel_to(receiver.port, login="ann:p%40ss%3A%C3%A4@") as channel:
            await channel.send(parcel)
            assert channel.address == f"webhook+http://127.0.0.1:{receiver.port}"
    scheme, _, pair = receiver.requests[0].headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair).decode()) == ("Basic", "ann:p@ss:ä")


ANSWERS = [
    (Answer(204, body=b""), Sent.DELIVERED, ""),
    (Answer(400), Sent.REFUSED, "answered 400 Bad Request"),
    (Answer(401), Sent.REFUSED, "answered 401 Unauthorized"),
    (Answer(404), Sent.REFUSED, "answered 404 Not Found"),
    (Answer(410), Sent.REFUSED, "answered 410 Gone"),
    (Answer(408), Sent.TRY_AGAIN, "answered 408 Request Timeout"),
    (Answer(429), Sent.TRY_AGAIN, "answered 429 Too Many Requests"),
    (Answer(500), Sent.TRY_AGAIN, "answered 500 Internal Server Error"),
    (Answer(503), Sent.TRY_AGAIN, "answered 503 Service Unavailable"),
    (Answer(599), Sent.TRY_AGAIN, "answered 599"),
    (Misdeed.RESET, Sent.UNKNOWN, "the connection broke before the answer was there"),
    (Misdeed.HALF_HEAD, Sent.UNKNOWN, "the connection broke before the answer was there"),
    (Misdeed.NONSENSE, Sent.UNKNOWN, "the connection broke before the answer was there"),
    (Misdeed.HALF_BODY, Sent.DELIVERED, ""),
    (Answer(200, body=b"x" * 1_000_000), Sent.DELIVERED, ""),
]


@pytest.mark.parametrize(("step", "sent", "reason"), ANSWERS, ids=str)
async def test_each_answer_has_its_verdict(step: Answer | Misdeed, sent: Sent, reason: str, parcel: Parcel) -> None:
    """Every answer and every half of one becomes its class, with one request and a reason."""
    with receiving(step) as receiver:
        assert await sent_to(receiver, parcel) == Verdict(sent, reason)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured(status: int, parcel: Parcel) -> None:
    """A receiver says when to come back, in seconds or as a date by the clock of the channel."""
    moment = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)
    date = format_datetime(moment + timedelta(seconds=90), usegmt=True)
    steps = [Answer(status, (("Retry-After", value),)) for value in ("7", date)]
    with receiving(*steps) as receiver:
        url = urlsplit(f"webhook+http://127.0.0.1:{receiver.port}/")
        channel = WebhookChannel("ops", url, clock=lambda: moment)
        verdicts = [await channel.send(parcel), await channel.send(parcel)]
        await channel.aclose()
    assert [(verdict.sent, verdict.wait) for verdict in verdicts] == [(Sent.WAIT_UNTIL, 7.0), (Sent.WAIT_UNTIL, 90.0)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int, parcel: Parcel) -> None:
    """Nothing goes where a receiver points to, and the reason says so; it may stand there for a while only."""
    with receiving() as elsewhere:
        there = (("Location", f"http://127.0.0.1:{elsewhere.port}/"),)
        with receiving(Answer(status, there)) as receiver:
            verdict = await sent_to(receiver, parcel)
    assert verdict.sent == Sent.TRY_AGAIN
    assert verdict.reason.endswith("redirects are not followed")
    assert elsewhere.requests == []


@pytest.mark.usefixtures("impatient")
async def test_a_receiver_that_hangs_may_have_it(parcel: Parcel) -> None:
    """The request left and no answer came: nobody knows."""
    with receiving(Misdeed.HANG) as receiver:
        verdict = await sent_to(receiver, parcel)
    assert verdict.sent == Sent.UNKNOWN
    assert verdict.reason.startswith("no answer within")


async def test_a_slow_receiver_is_waited_for(parcel: Parcel) -> None:
    """An answer that takes its time is an answer."""
    with receiving(Answer(200, after=0.4)) as receiver:
        assert (await sent_to(receiver, parcel)).sent == Sent.DELIVERED


async def test_a_closed_port_surely_has_nothing(parcel: Parcel) -> None:
    """A refused connection is tried again."""
    with nobody() as port:
        async with channel_to(port) as channel:
            assert await channel.send(parcel) == Verdict(Sent.TRY_AGAIN, "the connection was refused")


async def test_an_unknown_name_surely_has_nothing(parcel: Parcel) -> None:
    """A host that has no address is tried again."""
    channel = WebhookChannel.open("ops", "webhook+http://no-such-host.invalid/SECRETPATH")
    verdict = await channel.send(parcel)
    await channel.aclose()
    assert verdict == Verdict(Sent.TRY_AGAIN, "the host's name could not be resolved")


async def test_tls_is_checked(parcel: Parcel) -> None:
    """A certificate of an authority that is trusted is taken, any other ends before the request."""
    authority = trustme.CA()
    server, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(trusting)
    with receiving(tls=server) as receiver:
        url = urlsplit(f"webhook+https://127.0.0.1:{receiver.port}/")
        trusted, doubting = WebhookChannel("ops", url, tls=trusting), WebhookChannel("ops", url)
        assert (await trusted.send(parcel)).sent == Sent.DELIVERED
        verdict = await doubting.send(parcel)
        await trusted.aclose()
        await doubting.aclose()
    assert verdict.sent == Sent.TRY_AGAIN
    assert verdict.reason.startswith("TLS failed")
    assert len(receiver.requests) == 1


async def test_connections_are_kept(parcels: list[Parcel]) -> None:
    """Twenty messages one after the other need one connection."""
    with receiving() as receiver:
        async with channel_to(receiver.port) as channel:
            for parcel in parcels:
                assert (await channel.send(parcel)).sent == Sent.DELIVERED
    assert (len(receiver.requests), receiver.connections) == (20, 1)


async def test_many_at_once(parcels: list[Parcel]) -> None:
    """As many as the channel allows are under way together, and each gets its own verdict."""
    verdicts: dict[str, Verdict] = {}

    async def send(channel: WebhookChannel, parcel: Parcel) -> None:
        verdicts[parcel.message_id] = await channel.send(parcel)

    with receiving(Answer(200, after=0.1)) as receiver:
        async with channel_to(receiver.port) as channel, anyio.create_task_group() as group:
            for parcel in parcels:
                group.start_soon(send, channel, parcel)
    assert {verdict.sent for verdict in verdicts.values()} == {Sent.DELIVERED}
    assert len(verdicts) == 20
    assert receiver.connections == WebhookChannel.concurrency


async def test_a_second_attempt_is_the_same_message(parcel: Parcel) -> None:
    """What is sent again has the same id and the same body."""
    with receiving(Answer(500), Answer(200)) as receiver:
        async with channel_to(receiver.port) as channel:
            assert [(await channel.send(parcel)).sent for _ in range(2)] == [Sent.TRY_AGAIN, Sent.DELIVERED]
    first, second = receiver.requests
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


async def test_cookies_are_not_kept(parcel: Parcel) -> None:
    """A receiver cannot make the next request another one (by name: for bare addresses no client keeps cookies)."""
    with receiving(Answer(200, (("Set-Cookie", "a=b; Path=/"),))) as receiver:
        channel = WebhookChannel.open("ops", f"webhook+http://localhost:{receiver.port}/")
        verdicts = [await channel.send(parcel), await channel.send(parcel)]
        await channel.aclose()
    assert [verdict.sent for verdict in verdicts] == [Sent.DELIVERED] * 2
    assert "cookie" not in receiver.requests[1].headers


async def test_a_proxy_of_the_environment_is_used(parcel: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HTTP_PROXY` takes the request, for a host that only the proxy knows."""
    with receiving() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        channel = WebhookChannel.open("ops", "webhook+http://only-the-proxy-knows.invalid/x")
        verdict = await channel.send(parcel)
        await channel.aclose()
    assert verdict.sent == Sent.DELIVERED
    assert proxy.requests[0].path == "http://only-the-proxy-knows.invalid/x"


@pytest.mark.parametrize("step", [Answer(404), Misdeed.RESET, Answer(302, (("Location", "/SECRETPATH2"),))], ids=str)
async def test_no_secret_is_told_to_anybody(
    step: Answer | Misdeed, parcel: Parcel, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the reason, nor the channel's own texts, nor any log at any level shows path, query or login."""
    caplog.set_level(logging.DEBUG)
    with receiving(step) as receiver:
        async with channel_to(receiver.port, "/SECRETPATH?k=SECRETKEY", SECRET, "SECRETUSER:SECRETPASS@") as channel:
            verdict = await channel.send(parcel)
            shown = f"{verdict} {channel.address} {channel.destinations} {channel!r} {caplog.text}"
    assert "SECRET" not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("webhook+https://u:p@Hooks.Example.COM/x?y#z", "webhook+https://hooks.example.com"),
        ("WEBHOOK+HTTP://[::1]:8080/x", "webhook+http://[::1]:8080"),
        (" webhook+http://h:1 ", "webhook+http://h:1"),
    ],
)
def test_an_address_is_scheme_host_and_port(url: str, address: str) -> None:
    """Of a URL nothing is shown but where it goes, and there is one destination."""
    channel = open_channel("ops", url, zone=UTC)
    assert (channel.address, channel.destinations) == (address, (address,))


@pytest.mark.parametrize(
    "rest", ["", "/SECRET", ":80/SECRET", "h:99999/SECRET", "h:0/SECRET", "h:SECRET", "[::1/SECRET"]
)
def test_a_bad_address_is_a_clear_line(rest: str) -> None:
    """A URL without a host or with a port that is none is refused by name and scheme, without the rest."""
    with pytest.raises(BadChannel, match=r"channel ops: webhook\+https:// needs a host") as caught:
        open_channel("ops", f"webhook+https://{rest}", zone=UTC)
    assert "SECRET" not in str(caught.value)
