"""Real TLS: who is trusted, and that nobody else hears a word."""

import ssl
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import trustme

from tests.vb365.test_vb365_sockets import failure_at, look_at
from tests.vb365.vb365_script import ACCESS
from tests.vb365.vb365_sockets import listening
from watcher.core.model import Failure


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, which aiohttp needs."""
    return "asyncio"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a certificate authority that nobody trusts by itself."""
    return trustme.CA()


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's context with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def pem(certificate: trustme.LeafCert) -> bytes:
    """Return the certificate itself, without its chain."""
    return certificate.cert_chain_pems[0].bytes()


def fingerprint(certificate: trustme.LeafCert) -> str:
    """Return SHA-256 of a certificate, as the settings hand it over."""
    return sha256(ssl.PEM_cert_to_DER_cert(pem(certificate).decode())).hexdigest()


@pytest.fixture(scope="module")
def mine(authority: trustme.CA) -> trustme.LeafCert:
    """Return a certificate for this machine."""
    return authority.issue_cert("127.0.0.1")


async def test_an_unknown_certificate_is_refused_with_the_mend(mine: trustme.LeafCert) -> None:
    """Before a request leaves; the sentence names both settings that help."""
    async with listening(server_side(mine)) as server:
        failure = await failure_at(server.url)
    assert failure.kind is Failure.TLS
    assert "is not trusted" in str(failure)
    assert "WATCHER_CA_FILE" in str(failure)
    assert "WATCHER_TLS_FINGERPRINT" in str(failure)
    assert not server.requests


async def test_a_ca_file_is_trusted(authority: trustme.CA, mine: trustme.LeafCert, tmp_path: Path) -> None:
    """The CA's own certificate, or the server's alone."""
    for number, content in enumerate((authority.cert_pem.bytes(), pem(mine))):
        file = tmp_path / f"{number}.pem"
        file.write_bytes(content)
        async with listening(server_side(mine)) as server:
            assert (await look_at(server.url, access=replace(ACCESS, ca_file=file))).greeting.api_version == "v8"


async def test_a_ca_file_vouches_only_for_the_right_name(authority: trustme.CA, tmp_path: Path) -> None:
    """A certificate for another host is refused."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    async with listening(server_side(authority.issue_cert("other.example"))) as server:
        failure = await failure_at(server.url, access=replace(ACCESS, ca_file=file))
    assert failure.kind is Failure.TLS
    assert not server.requests


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_a_ca_file_that_cannot_be_used_is_one_clear_line(content: bytes | None, tmp_path: Path) -> None:
    """It names the setting and the file."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    failure = await failure_at("https://127.0.0.1:1", access=replace(ACCESS, ca_file=file))
    assert failure.kind is Failure.TLS
    assert f"WATCHER_CA_FILE {file} cannot be used" in str(failure)


async def test_a_pinned_certificate_is_accepted_whatever_its_chain(mine: trustme.LeafCert) -> None:
    """Any of several pins will do, so that a renewal can be prepared."""
    async with listening(server_side(mine)) as server:
        pins = ("00" * 32, fingerprint(mine))
        assert (await look_at(server.url, access=replace(ACCESS, fingerprints=pins))).greeting.api_version == "v8"


async def test_a_wrong_pin_is_refused_before_the_login_leaves(mine: trustme.LeafCert) -> None:
    """Zero requests arrive, and the sentence says which certificate was seen; verify off changes nothing."""
    for verify in (True, False):
        access = replace(ACCESS, fingerprints=("00" * 32,), verify_tls=verify)
        async with listening(server_side(mine)) as server:
            failure = await failure_at(server.url, access=access)
        assert failure.kind is Failure.TLS
        assert fingerprint(mine) in str(failure)
        assert "WATCHER_TLS_FINGERPRINT" in str(failure)
        assert server.requests == []


async def test_a_certificate_that_changes_later_is_refused_too(authority: trustme.CA, mine: trustme.LeafCert) -> None:
    """Each new connection is checked, not just the first."""
    other = authority.issue_cert("127.0.0.1")
    access = replace(ACCESS, fingerprints=(fingerprint(mine),))
    async with listening(server_side(mine)) as server:
        await look_at(server.url, access=access)
    async with listening(server_side(other)) as server:
        assert (await failure_at(server.url, access=access)).kind is Failure.TLS


async def test_verification_can_be_switched_off(mine: trustme.LeafCert) -> None:
    """It is warned about elsewhere."""
    async with listening(server_side(mine)) as server:
        assert (await look_at(server.url, access=replace(ACCESS, verify_tls=False))).greeting.api_version == "v8"


async def test_tls_to_a_port_without_it_is_said() -> None:
    """The address may have to begin with http."""
    async with listening() as server:
        failure = await failure_at(server.url.replace("http:", "https:"))
    assert failure.kind is Failure.TLS
    assert "no TLS with this port" in str(failure)
