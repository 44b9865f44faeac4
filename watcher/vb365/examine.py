"""What `watcher check` says of a server: address, TLS, login, version, clock, and whether it mails by itself."""

from collections.abc import Iterator
from datetime import timedelta

from watcher.core.finding import Finding, Grade
from watcher.core.model import LARGEST_SKEW, Failure, Greeting, LookFailed
from watcher.vb365.access import Access
from watcher.vb365.api import Api
from watcher.vb365.decode import UnreadableError, fields, truth

STAGES = ("address", "TLS", "login", "version", "clock")
_FAILS_AT = {
    Failure.UNREACHABLE: "address",
    Failure.TIMEOUT: "address",
    Failure.TLS: "TLS",
    Failure.LOGIN_REFUSED: "login",
    Failure.NO_VERSION: "version",
}


def failure_findings(access: Access, failure: LookFailed, *, is_logged_in: bool) -> Iterator[Finding]:
    """Yield what held until a failure, and the failure itself at the stage where it belongs."""
    stage = _FAILS_AT.get(failure.kind, "version" if is_logged_in else "login")
    if stage != "address":
        yield Finding("address", Grade.OK, f"{access.base} answers")
    if stage not in {"address", "TLS"}:
        yield _tls(access)
    if stage == "version" and is_logged_in:
        yield Finding("login", Grade.OK, "accepted")
    yield Finding(stage, Grade.FAILED, str(failure))


def greeting_findings(access: Access, greeting: Greeting) -> Iterator[Finding]:
    """Yield the findings of a greeting that worked."""
    yield Finding("address", Grade.OK, f"{access.base} answers")
    yield _tls(access)
    yield Finding("login", Grade.OK, "accepted")
    product = f", product {greeting.product_version}" if greeting.product_version else ""
    yield Finding("version", Grade.OK, f"{greeting.api_version}{product}")
    yield _clock(greeting.skew)


async def mail_finding(api: Api) -> Finding | None:
    """Look at the server's own notifications (documented from v6 on); None where that cannot be read."""
    if not api.dialect.service:
        return None
    try:
        is_on = truth(fields((await api.get("VboEmailSettings")).body).get("enablenotification"))
    except (LookFailed, UnreadableError):
        return None
    if is_on:
        text = "the server mails its results too, so people may hear twice; see its notification settings"
        return Finding("own mail", Grade.WARNING, text)
    return Finding("own mail", Grade.OK, "switched off")


def _tls(access: Access) -> Finding:
    if not access.is_encrypted:
        grade = Grade.OK if access.is_loopback else Grade.WARNING
        return Finding("TLS", grade, "none: user and password travel readable; use https://")
    if access.fingerprints:
        return Finding("TLS", Grade.OK, "the certificate is the pinned one")
    if not access.verify_tls:
        text = "not verified: anybody on the way can read the password; use WATCHER_TLS_FINGERPRINT"
        return Finding("TLS", Grade.WARNING, text)
    return Finding("TLS", Grade.OK, f"trusted by {access.ca_file or 'the system'}")


def _clock(skew: timedelta | None) -> Finding:
    if skew is None:
        return Finding("clock", Grade.WARNING, "its answers carry no Date, so its clock cannot be compared")
    seconds = skew.total_seconds()
    side = "ahead of" if seconds > 0 else "behind"
    text = f"{abs(seconds):.0f} s {side} ours" if seconds else "agrees with ours"
    if abs(skew) > LARGEST_SKEW:
        return Finding("clock", Grade.WARNING, f"{text}; set both by one time source")
    return Finding("clock", Grade.OK, text)
