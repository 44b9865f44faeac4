"""Break one answer as a fault says: at the level of ASGI, and of the socket where that is needed."""

import json
import socket
import struct
from typing import Any

import anyio
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.demo.faults import Fault, Faults, Kind

_PIECES = 20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def answer_broken(fault: Fault, faults: Faults, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the fault says; `app` gives the true answer where a part of that is wanted."""
    if fault.kind is Kind.REPLACED:
        await Response(fault.body, fault.status, headers=dict(fault.headers))(scope, receive, send)
    elif fault.kind is Kind.NONSENSE:
        body = json.dumps(faults.gibberish()).encode()
        await Response(body, media_type="application/json")(scope, receive, send)
    elif fault.kind is Kind.RESET:
        await _abort(receive)
    elif fault.kind is Kind.HANG:
        await _silence(fault.seconds, receive)
        await app(scope, receive, send)
    else:
        start, body = await _true_answer(app, scope, receive)
        await send(start)
        await (_half if fault.kind is Kind.TRUNCATED else _drops)(body, fault.seconds, receive, send)


async def _true_answer(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _half(body: bytes, _seconds: float, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    transport = _transport(receive)
    if transport is None:
        raise ConnectionAbortedError("the stand-in sent half an answer")
    transport.close()
    await _disconnected(receive)


async def _drops(body: bytes, seconds: float, _receive: Receive, send: Send) -> None:
    size = max(1, -(-len(body) // _PIECES))
    for start in range(0, len(body), size):
        await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        await anyio.sleep(seconds / _PIECES)
    await send({"type": "http.response.body", "body": b""})


async def _silence(seconds: float, receive: Receive) -> None:
    """Wait, but no longer than the client does: a server that is told to stop need not wait for it then."""
    with anyio.move_on_after(seconds):
        await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _abort(receive: Receive) -> None:
    transport = _transport(receive)
    if transport is None:
        raise ConnectionResetError("the stand-in reset the connection")
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
    # uvicorn complains of an answer that never came, unless it has seen by itself that nobody is there.
    await _disconnected(receive)


def _transport(receive: Receive) -> Any:
    """Return the connection's transport; None where there is no socket.

    ASGI has no word for "break the connection", so this looks behind uvicorn's `receive`.
    """
    return getattr(getattr(receive, "__self__", None), "transport", None)
