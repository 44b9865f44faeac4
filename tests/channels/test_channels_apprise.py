"""Apprise plugins against real receivers: HTTP, SMTP and TLS on loopback."""

import json
import logging
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import pytest
import requests
import trustme

from tests.channels.mailserver import Postman, mail_server, nobody_may_log_in
from tests.channels.receivers import Answer, Misdeed, Receiver, nobody, receiving
from watcher.channels import Channel, open_channel
from watcher.channels.apprise import AppriseChannel
from watcher.channels.plugin import plan
from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.event import Event, JobRef
from watcher.core.examples import examples


def opened(url: str) -> Channel:
    """Open a channel for people."""
    return open_channel("ops", url, zone=UTC)


async def sent(url: str, parcel: Parcel) -> Verdict:
    """Send one parcel by a channel of its own."""
    return await opened(url).send(parcel)


def to_each(channel: Channel, event: Event) -> Iterator[Parcel]:
    """Yield a parcel for each destination of a channel."""
    for destination in channel.destinations:
        yield Parcel(event.id, destination, (event,))


async def test_json_gets_title_body_and_kind(parcel: Parcel) -> None:
    """A plain-text service gets the words as they are, and the severity as Apprise's type."""
    with receiving() as receiver:
        assert await sent(f"json://127.0.0.1:{receiver.port}/x", parcel) == Verdict(Sent.DELIVERED)
    (request,) = receiver.requests
    said = json.loads(request.body)
    assert said["title"] == "Failed: Contoso - Mail on HQ / Berlin"
    assert said["message"].startswith("Error: Failed to process site\n")
    assert "Started: Mon 2 Mar 23:58 +00:00" in said["message"]
    assert said["type"] == "failure"


async def test_ntfy_gets_one_post(parcel: Parcel) -> None:
    """A topic gets title and text."""
    with receiving() as receiver:
        assert (await sent(f"ntfy://127.0.0.1:{receiver.port}/backups", parcel)).sent == Sent.DELIVERED
    said = json.loads(receiver.requests[0].body)
    assert (said["topic"], said["title"]) == ("backups", "Failed: Contoso - Mail on HQ / Berlin")


async def test_gotify_gets_one_post(parcel: Parcel) -> None:
    """Gotify gets title and text, and its token in a header."""
    with receiving() as receiver:
        assert (await sent(f"gotify://127.0.0.1:{receiver.port}/token", parcel)).sent == Sent.DELIVERED
    (request,) = receiver.requests
    assert request.headers["x-gotify-key"] == "token"
    assert json.loads(request.body)["title"] == "Failed: Contoso - Mail on HQ / Berlin"


async def test_markdown_is_ours_and_reaches_the_service_unchanged(event: Event) -> None:
    """A service that renders Markdown shows a nasty job name as it is, with the headline in the body."""
    nasty = replace(event, job=JobRef("1", "**a** [x](http://evil.example) @all <!here>"))
    with receiving() as receiver:
        await sent(f"mmost://127.0.0.1:{receiver.port}/token", Parcel(event.id, "", (nasty,)))
    text = json.loads(receiver.requests[0].body)["text"]
    headline, _, rest = text.partition("\n")
    assert headline == ("**Failed: \\*\\*a\\*\\* \\[x\\](http://evil.example) @\u200ball \\<!here\\> on HQ / Berlin**")
    assert rest.startswith("\nError: Failed to process site\n")


async def test_a_dialect_is_spoken(event: Event) -> None:
    """Slack gets its own markup, made by Apprise of ours, in one message."""
    nasty = replace(event, job=JobRef("1", "<!here> *Mail*"))
    found = plan("ops", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    with receiving(Answer(200, body=b"ok")) as receiver:
        plugin: Any = found.targets[0].plugin
        plugin.webhook_url = f"http://127.0.0.1:{receiver.port}"
        channel = AppriseChannel("ops", found, zone=UTC)
        assert (await channel.send(Parcel(event.id, "", (nasty,)))).sent == Sent.DELIVERED
    (request,) = receiver.requests
    assert "*Failed: &lt;!here&gt; \\*Mail\\* on HQ / Berlin*\n" in json.loads(request.body)["attachments"][0]["text"]


ANSWERS = [
    (Answer(400), Sent.REFUSED, "answered 400"),
    (Answer(401), Sent.REFUSED, "answered 401"),
    (Answer(403), Sent.REFUSED, "answered 403"),
    (Answer(404, body=b"<html>no JSON"), Sent.REFUSED, "answered 404"),
    (Answer(410), Sent.REFUSED, "answered 410"),
    (Answer(429), Sent.TRY_AGAIN, "answered 429"),
    (Answer(500), Sent.TRY_AGAIN, "answered 500"),
    (Answer(503), Sent.TRY_AGAIN, "answered 503"),
    (Misdeed.RESET, Sent.UNKNOWN, "the connection broke"),
    (Misdeed.HALF_HEAD, Sent.UNKNOWN, "the connection broke"),
    (Misdeed.HALF_BODY, Sent.UNKNOWN, "the connection broke"),
    (Misdeed.NONSENSE, Sent.UNKNOWN, "the connection broke"),
    (Misdeed.HANG, Sent.UNKNOWN, "no answer in time"),
]


@pytest.mark.parametrize(("step", "verdict", "reason"), ANSWERS, ids=str)
@pytest.mark.parametrize("scheme", ["json", "ntfy", "gotify"])
async def test_each_answer_has_its_verdict(
    scheme: str, step: Answer | Misdeed, verdict: Sent, reason: str, parcel: Parcel
) -> None:
    """What Apprise calls a failure is told apart, by one request and with a reason that names no URL."""
    with receiving(step) as receiver:
        found = await sent(f"{scheme}://127.0.0.1:{receiver.port}/SECRET?rto=0.3&retry=3&wait=0", parcel)
    assert found.sent == verdict
    assert found.reason.startswith(reason)
    assert "SECRET" not in found.reason
    assert len(receiver.requests) == 1


async def test_retry_after_is_honoured(parcel: Parcel) -> None:
    """A service that says when to come back is taken at its word, in seconds or as a date."""
    moment = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)
    date = format_datetime(moment + timedelta(seconds=90), usegmt=True)
    with receiving(Answer(429, (("Retry-After", "7"),)), Answer(503, (("Retry-After", date),))) as receiver:
        found = plan("ops", f"json://127.0.0.1:{receiver.port}/")
        channel = AppriseChannel("ops", found, zone=UTC, clock=lambda: moment)
        verdicts = [await channel.send(parcel), await channel.send(parcel)]
    assert [(verdict.sent, verdict.wait) for verdict in verdicts] == [(Sent.WAIT_UNTIL, 7.0), (Sent.WAIT_UNTIL, 90.0)]


async def test_redirects_are_not_followed(parcel: Parcel) -> None:
    """A 302 would turn the message into a GET and its answer into a success."""
    with receiving() as elsewhere:
        there = (("Location", f"http://127.0.0.1:{elsewhere.port}/"),)
        with receiving(Answer(302, there)) as receiver:
            verdict = await sent(f"json://127.0.0.1:{receiver.port}/", parcel)
    assert verdict == Verdict(Sent.TRY_AGAIN, "answered 302 Found; redirects are not followed")
    assert elsewhere.requests == []


async def test_an_optional_failure_is_a_failure(parcel: Parcel) -> None:
    """`optional=yes` makes Apprise call every failure a success; a delivery is one only if it was."""
    with receiving(Answer(500)) as receiver:
        assert (await sent(f"json://127.0.0.1:{receiver.port}/?optional=yes", parcel)).sent == Sent.TRY_AGAIN


async def test_nobody_there_surely_has_nothing(parcel: Parcel) -> None:
    """A refused connection and an unknown name are tried again, by HTTP and by SMTP."""
    with nobody() as port:
        urls = [f"json://127.0.0.1:{port}", f"mailto://127.0.0.1:{port}?from=a@example.com&to=b@example.com"]
        verdicts = [await sent(url, parcel) for url in [*urls, "json://no-such-host.invalid"]]
    assert [verdict.sent for verdict in verdicts] == [Sent.TRY_AGAIN] * 3
    assert all(verdict.reason for verdict in verdicts)


async def test_two_targets_are_two_destinations(event: Event) -> None:
    """A topic that is refused never repeats the one that is not: each has its own verdict and its own request."""
    with receiving(Answer(200), Answer(404), Answer(404)) as receiver:
        channel = opened(f"ntfy://127.0.0.1:{receiver.port}/good/bad")
        good, bad = to_each(channel, event)
        verdicts = [await channel.send(one) for one in (good, bad, bad)]
    assert [verdict.sent for verdict in verdicts] == [Sent.DELIVERED, Sent.REFUSED, Sent.REFUSED]
    assert [json.loads(request.body)["topic"] for request in receiver.requests] == ["good", "bad", "bad"]
    assert all(label.startswith(f"ntfy://127.0.0.1:{receiver.port}#") for label in channel.destinations)


async def test_a_destination_that_is_gone_is_refused(event: Event) -> None:
    """A delivery for a target that was taken out of the URL goes to no other; the only target takes any."""
    with receiving() as receiver:
        channel = opened(f"ntfy://127.0.0.1:{receiver.port}/a/b")
        assert (await channel.send(Parcel(event.id, "ntfy://elsewhere", (event,)))).sent == Sent.REFUSED
        assert receiver.requests == []
        assert (
            await opened(f"ntfy://127.0.0.1:{receiver.port}/a").send(Parcel(event.id, "as it was", (event,)))
        ).sent == Sent.DELIVERED


async def test_a_mail_is_html_with_a_plain_subject(event: Event) -> None:
    """Mail has the title as its subject, escaped HTML as its text, and one recipient for each destination."""
    nasty = replace(event, job=JobRef("1", "Mail <b>& more"))
    with mail_server(Postman()) as postman:
        channel = opened(f"mailto://127.0.0.1:{postman.port}?from=vb@example.com&to=ann@example.com,bob@example.com")
        verdicts = [await channel.send(parcel) for parcel in to_each(channel, nasty)]
    assert [verdict.sent for verdict in verdicts] == [Sent.DELIVERED] * 2
    assert [recipients for recipients, _ in postman.mails] == [["ann@example.com"], ["bob@example.com"]]
    mail = postman.mails[0][1]
    body = mail.get_body(("html",))
    assert mail["Subject"] == "Failed: Mail <b>& more on HQ / Berlin"
    assert body is not None
    assert "Failed to process site" in body.get_content()
    assert "<br/>" in body.get_content()


@pytest.mark.parametrize(
    ("postman", "verdict", "reason"),
    [
        (Postman({"b@example.com": "550 no such user"}), Sent.REFUSED, "refused every recipient (550)"),
        (Postman({"b@example.com": "451 later"}), Sent.TRY_AGAIN, "refused every recipient (451)"),
        (Postman(at_end="554 spam"), Sent.REFUSED, "refused the message (554)"),
        (Postman(at_end="452 full"), Sent.TRY_AGAIN, "refused the message (452)"),
        (Postman(at_end="drop"), Sent.UNKNOWN, "broke after the mail was sent"),
    ],
    ids=str,
)
async def test_each_refusal_of_a_mail_has_its_verdict(
    postman: Postman, verdict: Sent, reason: str, parcel: Parcel
) -> None:
    """5xx is for good, 4xx for now, and a mail whose acceptance was cut off may have arrived."""
    with mail_server(postman):
        found = await sent(f"mailto://127.0.0.1:{postman.port}?from=a@example.com&to=b@example.com", parcel)
    assert found.sent == verdict
    assert reason in found.reason
    assert "b@example.com" not in found.reason


async def test_a_mail_with_copies_is_sent_whole(event: Event) -> None:
    """With cc the mail is one destination; a recipient refused for good does not repeat it to the others."""
    postman = Postman({"c@example.com": "550 no such user"})
    with mail_server(postman):
        url = f"mailto://127.0.0.1:{postman.port}?from=a@example.com&to=b@example.com&cc=c@example.com"
        channel = opened(url)
        (parcel,) = to_each(channel, event)
        verdict = await channel.send(parcel)
    assert verdict == Verdict(Sent.REFUSED, "the mail server refused a recipient (550)")
    assert [recipients for recipients, _ in postman.mails] == [["b@example.com"]]


def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS and the file of the authority that vouches for it."""
    authority, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(server)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return server, bundle


async def test_a_refused_login_is_for_good(
    parcel: Parcel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong password of a mail server is refused, over real TLS, and stands in no log."""
    caplog.set_level(logging.DEBUG)
    tls, bundle = contexts(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with mail_server(Postman(), tls, authenticator=nobody_may_log_in, auth_require_tls=False) as postman:
        url = f"mailtos://ann:SECRET@127.0.0.1:{postman.port}?from=a@example.com&to=b@example.com&mode=starttls"
        verdict = await sent(url, parcel)
    assert verdict == Verdict(Sent.REFUSED, "the mail server refused the login (535)")
    assert "SECRET" not in caplog.text


async def test_tls_is_checked(parcel: Parcel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority of the usual variable is trusted; without it no request leaves."""
    tls, bundle = contexts(tmp_path)
    with receiving(tls=tls) as receiver:
        doubted = await sent(f"jsons://127.0.0.1:{receiver.port}/", parcel)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        trusted = await sent(f"jsons://127.0.0.1:{receiver.port}/", parcel)
    assert (doubted.sent, trusted.sent) == (Sent.TRY_AGAIN, Sent.DELIVERED)
    assert doubted.reason.startswith("TLS failed")
    assert len(receiver.requests) == 1


async def ticks(stop: anyio.Event) -> list[float]:
    """Measure how long each of many short sleeps really took, until told to stop."""
    lags: list[float] = []
    while not stop.is_set():
        before = monotonic()
        await anyio.sleep(0.01)
        lags.append(monotonic() - before - 0.01)
    return lags


async def test_a_hanging_receiver_holds_nothing_else(parcel: Parcel) -> None:
    """While one channel waits for its receiver, the loop ticks on and another channel sends."""
    stop = anyio.Event()
    found: dict[str, Verdict] = {}
    lags: list[float] = []

    async def hanging(port: int) -> None:
        found["hanging"] = await sent(f"json://127.0.0.1:{port}/?rto=1", parcel)
        stop.set()

    async def measuring() -> None:
        lags.extend(await ticks(stop))

    with receiving(Misdeed.HANG) as deaf, receiving() as good:
        async with anyio.create_task_group() as group:
            group.start_soon(hanging, deaf.port)
            group.start_soon(measuring)
            await anyio.sleep(0.1)
            found["good"] = await sent(f"json://127.0.0.1:{good.port}/", parcel)
            assert "hanging" not in found
    assert (found["good"].sent, found["hanging"].sent) == (Sent.DELIVERED, Sent.UNKNOWN)
    assert len(lags) > 40
    assert sorted(lags)[len(lags) * 9 // 10] < 0.1


async def test_a_cancelled_send_ends_at_once(parcel: Parcel) -> None:
    """At shutdown nobody waits for a receiver that hangs."""
    with receiving(Misdeed.HANG) as receiver:
        channel = opened(f"json://127.0.0.1:{receiver.port}/?rto=2")
        before = monotonic()
        with anyio.move_on_after(0.2) as scope:
            await channel.send(parcel)
    assert scope.cancelled_caught
    assert monotonic() - before < 1


async def test_a_channel_does_not_wait_between_messages(parcels: list[Parcel]) -> None:
    """Apprise's own pause of 5.5 s between two sends is off: pace is the outbox's affair."""
    with receiving() as receiver:
        channel = opened(f"ntfy://127.0.0.1:{receiver.port}/a")
        before = monotonic()
        for parcel in parcels[:3]:
            await channel.send(parcel)
    assert monotonic() - before < 3


@pytest.mark.parametrize("step", [Answer(200), Answer(404), Misdeed.RESET], ids=str)
async def test_no_secret_is_told_to_any_log(
    step: Answer | Misdeed, parcel: Parcel, caplog: pytest.LogCaptureFixture
) -> None:
    """Apprise writes URLs, topics and payloads into its log at every level; none of them gets out."""
    caplog.set_level(logging.DEBUG)
    with receiving(step) as receiver:
        url = f"json://SECRETUSER:SECRETPASS@127.0.0.1:{receiver.port}/SECRETPATH?+X-Key=SECRETHEADER&-p=SECRETPARAM"
        for one in (url, f"ntfy://127.0.0.1:{receiver.port}/SECRETTOPIC"):
            channel = opened(one)
            shown = f"{await channel.send(parcel)} {channel.address} {channel.destinations} {channel!r}"
            assert "SECRET" not in shown
    assert len(receiver.requests) == 2
    assert "SECRET" not in caplog.text


async def test_many_events_in_one_message(parcels: list[Parcel]) -> None:
    """Several events leave as one message with their count."""
    events = tuple(parcel.events[0] for parcel in parcels[:3])
    with receiving() as receiver:
        await sent(f"json://127.0.0.1:{receiver.port}/", Parcel("m", "", events))
    assert len(receiver.requests) == 1
    assert json.loads(receiver.requests[0].body)["title"] == "Contoso - Mail on HQ / Berlin: failed 3 times"


async def test_others_who_use_requests_are_not_watched(parcel: Parcel) -> None:
    """A request outside a send goes as ever, and leaves no trace in the next verdict."""
    with receiving(Answer(404), Answer(500)) as receiver:
        channel = opened(f"json://127.0.0.1:{receiver.port}/")
        answer = await anyio.to_thread.run_sync(lambda: requests.get(f"http://127.0.0.1:{receiver.port}/", timeout=5))
        assert answer.status_code == 404
        assert (await channel.send(parcel)).reason == "answered 500 Internal Server Error"


def test_receivers_are_what_they_say() -> None:
    """The receiver of these tests keeps what came in."""
    with receiving(Answer(201)) as receiver:
        assert isinstance(receiver, Receiver)
        assert requests.post(f"http://127.0.0.1:{receiver.port}/x", data="y", timeout=5).status_code == 201
    assert (receiver.requests[0].path, receiver.requests[0].body) == ("/x", b"y")


async def test_a_digest_is_a_table_as_mail_and_a_text_in_chat() -> None:
    """Through a real mail server: its HTML has the table, and its plain part the words."""
    (event,) = (one for one in examples(datetime(2026, 3, 4, 7, tzinfo=UTC)) if one.digest)
    postman = Postman()
    with mail_server(postman):
        url = f"mailto://127.0.0.1:{postman.port}?from=a@example.com&to=b@example.com"
        assert (await sent(url, Parcel("m", "", (event,)))).sent == Sent.DELIVERED
    ((_, mail),) = postman.mails
    html = mail.get_body(("html",))
    assert html is not None
    assert html.get_content().count("<tr") == 1 + len(event.digest.jobs if event.digest else ())
    assert str(mail["Subject"]).startswith("Daily digest: of 5 jobs 1 failed")
    with receiving() as receiver:
        await sent(f"json://127.0.0.1:{receiver.port}/", Parcel("m", "", (event,)))
    assert "<" not in json.loads(receiver.requests[0].body)["message"]
