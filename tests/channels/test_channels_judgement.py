"""What is seen of a failed send, and what it amounts to."""

import smtplib
import ssl
from datetime import UTC, datetime
from socket import gaierror

import pytest
import requests
from urllib3.exceptions import InvalidHeader, NewConnectionError

from watcher.channels.judgement import judge
from watcher.channels.witness import Answered, MailRefused, Sight
from watcher.core.delivery import Sent

NOW = datetime(2026, 3, 3, tzinfo=UTC)
SECRET = "http://host/SECRET"


class Wrapped(Exception):  # noqa: N818 - it stands for urllib3's MaxRetryError
    """Holds the reason of a failure as urllib3 does."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(SECRET)
        self.reason = reason


@pytest.mark.parametrize(
    ("seen", "sent"),
    [
        ([], Sent.TRY_AGAIN),
        ([Answered(200)], Sent.UNKNOWN),
        ([Answered(401)], Sent.REFUSED),
        ([Answered(429, "5")], Sent.WAIT_UNTIL),
        ([Answered(200), Answered(500)], Sent.TRY_AGAIN),
        ([Answered(404), Answered(500)], Sent.TRY_AGAIN),
        ([Answered(500), Answered(429, "5")], Sent.WAIT_UNTIL),
        ([Answered(404), requests.ReadTimeout(SECRET), Answered(429, "5")], Sent.UNKNOWN),
        ([requests.ConnectTimeout(SECRET)], Sent.TRY_AGAIN),
        ([requests.exceptions.ProxyError(SECRET)], Sent.TRY_AGAIN),
        ([requests.exceptions.SSLError(SECRET)], Sent.TRY_AGAIN),
        ([requests.ConnectionError(Wrapped(NewConnectionError(None, SECRET)))], Sent.TRY_AGAIN),  # type: ignore[arg-type]  # a pool is not needed
        ([requests.ConnectionError(SECRET)], Sent.UNKNOWN),
        ([requests.exceptions.ChunkedEncodingError(SECRET)], Sent.UNKNOWN),
        ([requests.exceptions.InvalidURL(SECRET)], Sent.REFUSED),
        ([requests.exceptions.InvalidHeader(SECRET)], Sent.REFUSED),
        ([requests.exceptions.InvalidHeader(InvalidHeader(SECRET))], Sent.UNKNOWN),
        ([MailRefused(550)], Sent.REFUSED),
        ([MailRefused(450)], Sent.TRY_AGAIN),
        ([MailRefused(550), MailRefused(450)], Sent.TRY_AGAIN),
        ([smtplib.SMTPRecipientsRefused({"a": (550, b"SECRET"), "b": (450, b"SECRET")})], Sent.TRY_AGAIN),
        ([smtplib.SMTPAuthenticationError(535, "SECRET")], Sent.REFUSED),
        ([smtplib.SMTPAuthenticationError(454, "SECRET")], Sent.TRY_AGAIN),
        ([smtplib.SMTPSenderRefused(553, b"SECRET", "SECRET")], Sent.REFUSED),
        ([smtplib.SMTPConnectError(421, "SECRET")], Sent.TRY_AGAIN),
        ([smtplib.SMTPNotSupportedError("SECRET")], Sent.REFUSED),
        ([smtplib.SMTPServerDisconnected("SECRET")], Sent.TRY_AGAIN),
        ([gaierror(-2, "SECRET")], Sent.TRY_AGAIN),
        ([ConnectionRefusedError("SECRET")], Sent.TRY_AGAIN),
        ([ssl.SSLCertVerificationError("SECRET")], Sent.TRY_AGAIN),
        ([TimeoutError("SECRET")], Sent.TRY_AGAIN),
        ([KeyError("SECRET")], Sent.TRY_AGAIN),
    ],
    ids=str,
)
def test_what_was_seen_has_one_verdict(seen: list[Sight], sent: Sent) -> None:
    """Of all that was seen the gravest counts, with a reason in which no text of others stands."""
    verdict = judge(seen, now=NOW)
    assert verdict.sent == sent
    assert verdict.reason
    assert "SECRET" not in verdict.reason
    assert (verdict.wait is not None) == (sent == Sent.WAIT_UNTIL)
