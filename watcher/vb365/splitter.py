"""A long JSON array cut into its rows while it comes in, so that it is never in memory whole."""

from collections.abc import Iterator

import msgspec

from watcher.vb365.decode import UnreadableError, listing

PIECE = 256 * 1024
_MOST_GUESSES = 16
_Rows = list[msgspec.Raw]


class Splitter:
    """Takes the bytes of an answer and gives its rows, a piece of the array at a time.

    A row ends somewhere at a brace and a comma. Which of them stand between two rows, and which inside a row or a
    text, is found by trying: what stands before a right one, closed by a bracket, is an array, and before a wrong one
    it is not. An answer that is no array is kept whole.
    """

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._buffer = bytearray()
        self._wanted = PIECE
        self._is_begun = False
        self._is_array = False

    def feed(self, chunk: bytes) -> Iterator[_Rows]:
        """Take more bytes and give the rows that are whole now."""
        self._buffer += chunk
        if not self._is_begun:
            self._begin()
        while self._is_array and len(self._buffer) >= self._wanted:
            rows = self._cut()
            if rows is None:
                self._wanted *= 2
                return
            self._wanted = PIECE
            yield rows

    def end(self) -> _Rows:
        """Give the rest, when all bytes are there. Raises UnreadableError where that is no listing."""
        if self._is_array:
            return listing(b"[" + self._buffer).rows
        found = listing(bytes(self._buffer))
        if found.has_next:
            raise PagedError
        return found.rows

    def _begin(self) -> None:
        start = self._buffer.lstrip()
        self._is_begun = bool(start)
        self._is_array = start[:1] == b"["
        if self._is_array:
            del self._buffer[: self._buffer.index(b"[") + 1]

    def _cut(self) -> _Rows | None:
        end = len(self._buffer)
        for _ in range(_MOST_GUESSES):
            end = self._buffer.rfind(b"},", 0, end)
            if end < 0:
                return None
            try:
                rows = msgspec.json.decode(b"[" + self._buffer[: end + 1] + b"]", type=_Rows)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            del self._buffer[: end + 2]
            return rows
        return None


class PagedError(UnreadableError):
    """An answer that should be a whole listing says that it is only its first page."""
