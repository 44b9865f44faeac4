"""A server of canned answers for benchmarks, cheap ones: `python -m tests.benchmarks.canned HISTORY JOBS [CERT]`.

Each path prefix is a server of its own (`/s17/v8/JobSessions`), with the same history: HISTORY sessions, one a minute
back from an hour ago, over so many jobs, all ended. `/control/end/N` lets N sessions end now, `/control/times` says
when the sessions of which server were asked for. It prints its port.
"""

import asyncio
import json
import re
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from watcher.clock import now

_PIECE = 2000


class Estate:
    """The history, newest first, made row by row as it is asked for."""

    def __init__(self, history: int, jobs: int) -> None:
        self.jobs_there = jobs
        self.newest = now() - timedelta(hours=1)
        self.history = history
        self.fresh: list[bytes] = []
        self.times: dict[str, list[float]] = defaultdict(list)

    def row(self, number: int) -> bytes:
        """Make one session, as v8 shows it; older versions leave out little."""
        begun = self.newest - timedelta(minutes=number)
        return _row(f"{number:032x}", number % self.jobs_there, begun, begun + timedelta(seconds=30))

    def rows(self, start: int, stop: int, step: int = 1) -> Iterator[bytes]:
        """Make the sessions of a slice."""
        yield from self.fresh[start:stop]
        first = max(start - len(self.fresh), 0)
        yield from (self.row(number) for number in range(first, min(stop - len(self.fresh), self.history), step))

    def end(self, count: int) -> None:
        """Let sessions end now."""
        moment = now()
        self.fresh[:0] = [
            _row(
                f"f{len(self.fresh) + number:031x}",
                number % self.jobs_there,
                moment - timedelta(seconds=5),
                moment,
                "Failed",
            )
            for number in range(count)
        ]

    def since(self, bound: datetime) -> int:
        """Count the sessions that ended since a moment."""
        old = int(max((self.newest + timedelta(seconds=30) - bound) / timedelta(minutes=1) + 1, 0))
        return len(self.fresh) + min(old, self.history)

    def jobs(self) -> bytes:
        """List the jobs, each with its newest session."""
        rows = []
        for number in range(self.jobs_there):
            begun = self.newest - timedelta(minutes=number)
            rows.append(
                {"id": f"job-{number}", "name": f"Job {number}", "lastRun": _iso(begun), "lastStatus": "Success"}
            )
        return json.dumps(rows).encode()

    def answer(self, path: str, query: dict[str, str]) -> Iterator[bytes] | bytes:
        """Answer a GET."""
        if found := re.search(r"/jobs/job-(\d+)/jobsessions$", path):
            return _array(self.rows(int(found[1]), self.history, self.jobs_there))
        if path.endswith("/jobsessions"):
            total = len(self.fresh) + self.history
            if query.get("status") == "Running":
                total = 0
            elif bound := query.get("endTimeLowerBound"):
                total = self.since(datetime.fromisoformat(bound))
            offset, limit = int(query.get("offset", "0")), int(query.get("limit", "30"))
            rows = b",".join(self.rows(offset, min(offset + limit, total)))
            return b'{"offset":%d,"limit":%d,"results":[%s],"_links":{}}' % (offset, limit, rows)
        if path.endswith("/jobs"):
            return self.jobs()
        if path.endswith("/serviceinstance"):
            return json.dumps({"installationId": path.split("/")[1], "version": "8.4.0.1457"}).encode()
        return b"[]"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


_ROW = json.dumps(
    {
        "id": "ID",
        "jobId": "JOB",
        "repositoryId": "55555555-eeee-4eee-8eee-000000000001",
        "details": "Transferred: 10.1 MB (52 items) at 310 KB/s (2 items/s)",
        "creationTime": "BEGUN",
        "endTime": "ENDED",
        "retryCount": 0,
        "jobWillBeRetried": False,
        "progress": 52,
        "jobType": "Backup",
        "jobSessionConfigType": "Incremental",
        "status": "STATUS",
        "statistics": {
            "processingRateBytesPS": 317440,
            "processingRateItemsPS": 2,
            "readRateBytesPS": 512000,
            "writeRateBytesPS": 402000,
            "transferredDataBytes": 10590617,
            "processedObjects": 52,
            "bottleneck": "Source",
        },
        "eTag": 48211,
        "proxyId": None,
        "_links": {"self": {"href": "/v8/JobSessions/ID"}, "job": {"href": "/v8/Jobs/JOB"}},
    },
    separators=(",", ":"),
)


def _row(name: str, job: int, begun: datetime, ended: datetime, status: str = "Success") -> bytes:
    filled = _ROW.replace("ID", name).replace("JOB", f"job-{job}").replace("STATUS", status)
    return filled.replace("BEGUN", _iso(begun)).replace("ENDED", _iso(ended)).encode()


def _array(rows: Iterator[bytes]) -> Iterator[bytes]:
    piece: list[bytes] = []
    lead = b"["
    for row in rows:
        piece.append(row)
        if len(piece) == _PIECE:
            yield lead + b",".join(piece)
            piece, lead = [], b","
    yield (lead + b",".join(piece) if piece or lead == b"[" else b"") + b"]"


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.line = transport

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head = self.rest[:end].decode("latin-1")
            found = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            size = int(found[1]) if found else 0
            if len(self.rest) < end + 4 + size:
                return
            self.rest = self.rest[end + 4 + size :]
            self._answer(head)

    def _answer(self, head: str) -> None:
        method, target, _ = head.split("\r\n", 1)[0].split()
        url = urlsplit(target)
        path, query = url.path.lower(), dict(parse_qsl(url.query))
        if method == "POST":
            self._send(b'{"access_token":"T","refresh_token":"R","token_type":"bearer","expires_in":36000}')
        elif path.endswith("/events"):
            asyncio.get_running_loop().call_later(25, self._send, b'{"nextChangeToken":"T","limit":1,"results":[]}')
        elif path.startswith("/control/end/"):
            self.estate.end(int(path.rsplit("/", 1)[1]))
            self._send(b"{}")
        elif path == "/control/times":
            self._send(json.dumps(self.estate.times).encode())
        else:
            if "endTimeLowerBound" in query and "offset=0" in target:
                self.estate.times[path.split("/")[1]].append(time.monotonic())
            self._reply(self.estate.answer(path, query))

    def _reply(self, answer: Iterator[bytes] | bytes) -> None:
        if isinstance(answer, bytes):
            self._send(answer)
            return
        self.line.write(_head("Transfer-Encoding: chunked"))
        task = asyncio.get_running_loop().create_task(self._stream(answer))
        task.add_done_callback(lambda _: None)

    async def _stream(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            self.line.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            while self.line.get_write_buffer_size() > 1_000_000:  # noqa: ASYNC110 - nobody tells it to resume
                await asyncio.sleep(0.001)
        self.line.write(b"0\r\n\r\n")

    def _send(self, body: bytes) -> None:
        self.line.write(_head(f"Content-Length: {len(body)}") + body)


def _head(length: str) -> bytes:
    date = formatdate(usegmt=True)
    return f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode()


async def main(history: int, jobs: int, certificate: str | None) -> None:
    """Serve for an hour at the most."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    estate = Estate(history, jobs)
    server = await asyncio.get_running_loop().create_server(lambda: Line(estate), "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))
