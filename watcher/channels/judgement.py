"""From what was seen of an Apprise send to its verdict."""

import smtplib
import ssl
from collections.abc import Iterable
from datetime import datetime
from socket import gaierror
from traceback import walk_tb

import requests
from urllib3.exceptions import InvalidHeader, NewConnectionError

from watcher.channels.answers import verdict_of
from watcher.channels.witness import Answered, MailRefused, Sight
from watcher.core.delivery import Sent, Verdict

_GRAVITY = (Sent.UNKNOWN, Sent.WAIT_UNTIL, Sent.TRY_AGAIN, Sent.REFUSED)


def judge(seen: Iterable[Sight], *, now: datetime) -> Verdict:
    """Return what a send that the plugin calls failed amounts to.

    Of several failures (a plugin may log in first, or send in parts) the one counts that asks for the most care:
    what may have arrived, then what may still succeed; refused is what can only be refused.
    """
    seen = tuple(seen)
    failures = [verdict for sight in seen if (verdict := _verdict(sight, now)).sent != Sent.DELIVERED]
    if failures:
        return min(failures, key=lambda verdict: _GRAVITY.index(verdict.sent))
    if seen:
        return Verdict(Sent.UNKNOWN, "the service answered, but not as Apprise expects of a success")
    return Verdict(Sent.TRY_AGAIN, "Apprise reports a failure without a reason")


def _verdict(sight: Sight, now: datetime) -> Verdict:
    match sight:
        case Answered(status, retry_after):
            return verdict_of(status, retry_after, now=now)
        case MailRefused(code):
            return _of_mail_code(code, "a recipient")
        case requests.RequestException():
            return _of_http(sight)
        case smtplib.SMTPException():
            return _of_mail(sight)
        case OSError():
            return _of_socket(sight)
    return Verdict(Sent.TRY_AGAIN, f"Apprise's plugin broke off with {type(sight).__name__}")


def _of_http(problem: requests.RequestException) -> Verdict:
    cause = problem.args[0] if problem.args else None
    if isinstance(cause, InvalidHeader):  # of the answer; one of ours is of another class
        return _BROKEN
    if isinstance(getattr(cause, "reason", None), NewConnectionError):
        return Verdict(Sent.TRY_AGAIN, "the connection was refused, or the host's name could not be resolved")
    return next((verdict for kind, verdict in _HTTP_PROBLEMS if isinstance(problem, kind)), _BROKEN)


_HTTP_PROBLEMS: tuple[tuple[type[Exception], Verdict], ...] = (  # the first that fits; the classes overlap
    (requests.ConnectTimeout, Verdict(Sent.TRY_AGAIN, "no connection in time")),
    (requests.exceptions.ProxyError, Verdict(Sent.TRY_AGAIN, "the proxy did not connect")),
    (requests.exceptions.SSLError, Verdict(Sent.TRY_AGAIN, "TLS failed: its certificate or protocol is not accepted")),
    (requests.ReadTimeout, Verdict(Sent.UNKNOWN, "no answer in time")),
    (ValueError, Verdict(Sent.REFUSED, "its URL does not hold")),
)
_BROKEN = Verdict(Sent.UNKNOWN, "the connection broke before the answer was there")


def _of_mail(problem: smtplib.SMTPException) -> Verdict:
    match problem:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            return _of_mail_code(min(code for code, _ in recipients.values()), "every recipient")
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            return _of_mail_code(code, "the login")
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return _of_mail_code(code, "the sender")
        case smtplib.SMTPResponseException(smtp_code=code):
            return _of_mail_code(code, "the message")
        case smtplib.SMTPNotSupportedError():
            return Verdict(Sent.REFUSED, "the mail server lacks what the URL asks for (STARTTLS or a login)")
    return _of_lost_connection(problem)


def _of_mail_code(code: int, what: str) -> Verdict:
    sent = Sent.REFUSED if 500 <= code < 600 else Sent.TRY_AGAIN
    return Verdict(sent, f"the mail server refused {what} ({code})")


def _of_socket(problem: OSError) -> Verdict:
    match problem:
        case gaierror():
            return Verdict(Sent.TRY_AGAIN, "the host's name could not be resolved")
        case ConnectionRefusedError():
            return Verdict(Sent.TRY_AGAIN, "the connection was refused")
        case ssl.SSLError():
            return Verdict(Sent.TRY_AGAIN, "TLS failed: its certificate or protocol is not accepted")
    return _of_lost_connection(problem)


def _of_lost_connection(problem: BaseException) -> Verdict:
    """Say what a connection that broke or timed out leaves open: a mail may be there once its text was being sent."""
    if any(frame.f_code is smtplib.SMTP.data.__code__ for frame, _ in walk_tb(problem.__traceback__)):
        return Verdict(Sent.UNKNOWN, "the connection broke after the mail was sent and before it was accepted")
    return Verdict(Sent.TRY_AGAIN, "the connection broke or timed out")
