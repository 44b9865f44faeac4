"""What is kept between two messages of an Apprise channel, over real sockets and real TLS."""

import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests
import trustme

from tests.channels.receivers import Answer, Misdeed, receiving
from watcher.channels import kept, open_channel
from watcher.channels.kept import Kept, keep
from watcher.core.delivery import Parcel, Sent


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Make an authority that `requests` trusts beside all others, and return the context of a server of its."""
    authority = trustme.CA()
    bundle = tmp_path / "all.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def opened(url: str) -> Any:
    return open_channel("ops", url, zone=None)  # type: ignore[arg-type]


async def test_messages_in_a_row_share_a_connection(parcel: Parcel, trusted: ssl.SSLContext) -> None:
    """A burst shakes hands once, and reads the authorities once."""
    kept._context.cache_clear()
    with receiving(Answer(), tls=trusted) as receiver:
        channel = opened(f"jsons://localhost:{receiver.port}/")
        verdicts = [(await channel.send(parcel)).sent for _ in range(4)]
        await channel.aclose()
    assert verdicts == [Sent.DELIVERED] * 4
    assert (len(receiver.requests), receiver.connections) == (4, 1)
    assert kept._context.cache_info().misses == 1


async def test_a_quiet_connection_is_not_used_again(
    parcel: Parcel, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has been quiet may have been cut without a word, so a new one is made; the authorities are still known."""
    monkeypatch.setattr(kept, "IDLE", 0.0)
    kept._context.cache_clear()
    with receiving(Answer(), tls=trusted) as receiver:
        channel = opened(f"jsons://localhost:{receiver.port}/")
        assert [(await channel.send(parcel)).sent for _ in range(3)] == [Sent.DELIVERED] * 3
    assert receiver.connections == 3
    assert kept._context.cache_info().misses == 1


async def test_a_receiver_that_hangs_up_after_each_answer_gets_everything_once(parcel: Parcel) -> None:
    """`Connection: close` is heeded."""
    with receiving(Answer(headers=(("Connection", "close"),))) as receiver:
        channel = opened(f"json://127.0.0.1:{receiver.port}/")
        assert [(await channel.send(parcel)).sent for _ in range(3)] == [Sent.DELIVERED] * 3
    assert (len(receiver.requests), receiver.connections) == (3, 3)


async def test_a_reset_on_a_kept_connection_is_not_repeated_by_itself(parcel: Parcel) -> None:
    """Nobody knows whether it arrived: the outbox decides, not the client."""
    with receiving(Answer(), Misdeed.RESET) as receiver:
        channel = opened(f"json://127.0.0.1:{receiver.port}/")
        assert (await channel.send(parcel)).sent == Sent.DELIVERED
        assert (await channel.send(parcel)).sent == Sent.UNKNOWN
    assert len(receiver.requests) == 2


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_a_stranger_is_still_a_stranger(parcel: Parcel, trusted: ssl.SSLContext) -> None:
    """Kept authorities are checked: a certificate that none of them has signed is refused, after one that was not."""
    other = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(other)
    with receiving(Answer(), tls=trusted) as known, receiving(Answer(), tls=other) as unknown:
        assert (await opened(f"jsons://localhost:{known.port}/").send(parcel)).sent == Sent.DELIVERED
        refused = await opened(f"jsons://localhost:{unknown.port}/").send(parcel)
        unchecked = await opened(f"jsons://localhost:{unknown.port}/?verify=no").send(parcel)
        again = await opened(f"jsons://localhost:{unknown.port}/").send(parcel)
    assert (refused.sent, "TLS failed" in refused.reason) == (Sent.TRY_AGAIN, True)
    assert unchecked.sent == Sent.DELIVERED
    assert again.sent == Sent.TRY_AGAIN


async def test_the_name_in_the_certificate_counts(parcel: Parcel, trusted: ssl.SSLContext) -> None:
    """It is `localhost`'s, and not for 127.0.0.1."""
    with receiving(Answer(), tls=trusted) as receiver:
        assert (await opened(f"jsons://127.0.0.1:{receiver.port}/").send(parcel)).sent == Sent.TRY_AGAIN


def test_a_file_of_authorities_that_changed_is_read_again(tmp_path: Path) -> None:
    """An administrator who renews an authority need not restart."""
    file = tmp_path / "ca.pem"
    first, second = trustme.CA(), trustme.CA()
    file.write_bytes(first.cert_pem.bytes())
    before = kept._context(str(file), 1)
    file.write_bytes(first.cert_pem.bytes() + second.cert_pem.bytes())
    after = kept._context(str(file), 2)
    assert (len(before.get_ca_certs()), len(after.get_ca_certs())) == (1, 2)


def test_an_adapter_of_a_plugin_stays() -> None:
    """A plugin that mounts its own knows why."""
    session, line = requests.Session(), Kept()

    class Own(requests.adapters.HTTPAdapter):
        """A plugin's."""

    own = Own()
    session.mount("https://", own)
    keep(session, "https://x", line)
    keep(session, "http://x", line)
    assert session.adapters["https://"] is own
    assert session.adapters["http://"] is line


@pytest.mark.parametrize("scheme", ["json://127.0.0.1:{}/", "webhook+http://127.0.0.1:{}/"])
@pytest.mark.parametrize("is_fresh", [False, True])
async def test_where_nobody_may_be_left_in_doubt_no_connection_is_used_twice(
    parcel: Parcel, scheme: str, is_fresh: bool
) -> None:
    """So it is with `on_unknown = "drop"`: a reset on a kept connection would send a page to the dead box."""
    with receiving(Answer()) as receiver:
        url = scheme.format(receiver.port)
        channel = open_channel("ops", url, zone=None, is_fresh=is_fresh)  # type: ignore[arg-type]
        assert [(await channel.send(parcel)).sent for _ in range(3)] == [Sent.DELIVERED] * 3
        await channel.aclose()
    assert (len(receiver.requests), receiver.connections) == (3, 3 if is_fresh else 1)
