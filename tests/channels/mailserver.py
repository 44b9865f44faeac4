"""A real SMTP server on loopback that refuses what it is told to refuse."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Postman:
    """Takes mails, but for recipients, senders or texts that have an answer of their own."""

    refusals: dict[str, str] = field(default_factory=dict)
    at_end: str = "250 OK"
    drops_after: bool = False
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer a recipient."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        """Answer a text; "drop" closes the connection in place of an answer."""
        if self.at_end == "drop" and server.transport is not None:
            server.transport.close()
            return "421 bye"
        if self.at_end == "hang":
            await asyncio.sleep(1.5)
        if self.at_end == "slow":
            await asyncio.sleep(0.3)
            return "250 OK"
        if self.at_end.startswith("2"):
            mail = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
            self.mails.append((list(envelope.rcpt_tos), mail))
        return self.at_end

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        """Answer a farewell, or hang up without a word."""
        if self.drops_after and server.transport is not None:
            server.transport.close()
        return "221 Bye"


class _Anywhere(Controller):
    """A controller that takes any free port."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd is half typed


@contextmanager
def mail_server(postman: Postman, tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[Postman]:
    """Run a server that hands its mails to the postman."""
    controller = _Anywhere(postman, hostname="127.0.0.1", port=0, server_hostname="test", tls_context=tls, **options)
    controller.start()
    postman.port = controller.port
    try:
        yield postman
    finally:
        controller.stop()


def nobody_may_log_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Refuse every login."""
    return AuthResult(success=False, handled=False, message="535 5.7.8 wrong")
