"""Receivers on loopback that answer as they are told: real sockets, one thread for each connection."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO


class Misdeed(Enum):
    """What a receiver may do instead of an answer."""

    HANG = "takes the request and says nothing until it is closed"
    RESET = "takes the request and resets the connection"
    HALF_HEAD = "resets the connection within the head of a 200"
    HALF_BODY = "says 200 and resets the connection before the body"
    ENDLESS = "says 200 and then one byte after the other, for ever"
    MUCH = "says 200 and then more than anybody wants to read"
    NONSENSE = "answers what is not HTTP"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, after a pause of so many seconds."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"{}"
    after: float = 0.0


@dataclass(frozen=True)
class Request:
    """What came in; the names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that follows its script; the last step is repeated for ever."""

    script: list[Answer | Misdeed]
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _closed: threading.Event = field(default_factory=threading.Event)
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                self.connections += 1
                self._open.append(peer)
                threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def close(self) -> None:
        """Let go of those that hang."""
        self._closed.set()
        for peer in self._open:
            with suppress(OSError):
                peer.close()

    def _talk(self, peer: socket.socket) -> None:
        with suppress(OSError):
            line = self.tls.wrap_socket(peer, server_side=True) if self.tls else peer
            with line, line.makefile("rb") as reader:
                while (request := _read(reader)) is not None:
                    self.requests.append(request)
                    step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                    if not self._do(line, step):
                        return

    def _do(self, line: socket.socket, step: Answer | Misdeed) -> bool:
        """Follow one step; tell whether the connection is kept."""
        if isinstance(step, Answer):
            self._closed.wait(step.after)
            line.sendall(_head(step) + step.body)
            return True
        if step == Misdeed.HANG:
            self._closed.wait()
        if step == Misdeed.HALF_HEAD:
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-")
        if step == Misdeed.HALF_BODY:
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        if step in {Misdeed.ENDLESS, Misdeed.MUCH}:
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while not self._closed.wait(0.01 if step == Misdeed.ENDLESS else 0):
                line.sendall(b"x" if step == Misdeed.ENDLESS else b"x" * 65536)
        if step == Misdeed.NONSENSE:
            line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        self._closed.wait(0.05)  # let what was sent be read before the reset overtakes it
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


def _read(reader: BinaryIO) -> Request | None:
    first = reader.readline().decode()
    if not first:
        return None
    method, path, _ = first.split(" ", 2)
    headers: dict[str, str] = {}
    while line := reader.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, path, headers, reader.read(int(headers.get("content-length", "0"))))


def _head(answer: Answer) -> bytes:
    headers = [("Content-Length", str(len(answer.body))), ("Content-Type", "application/json"), *answer.headers]
    lines = [f"HTTP/1.1 {answer.status} As told", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


@contextmanager
def receiving(*script: Answer | Misdeed, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver that follows the script, without one a receiver that takes everything."""
    receiver = Receiver(list(script) or [Answer()], tls)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver.port = listener.getsockname()[1]
        thread = threading.Thread(target=receiver.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.close()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


@contextmanager
def nobody() -> Iterator[int]:
    """Keep a port on which nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
