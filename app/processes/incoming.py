"""Requests as they arrive, piece by piece, until all of one is there: how long it is, by its own words (RFC 9112, 6).

What is not written as the RFC says counts as a request without a body after which the connection ends: gunicorn's
parser refuses it in words.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator

IN_MEMORY = 256 * 1024
LONGEST_HEAD = 64 * 1024
LONGEST_CHUNK_LINE = 1024
MOST_LINES, LEAST_CHUNK = 10_000, 64  # of chunks: so many lines for nothing, and then one for so many bytes of the body
PIECE = 65536
END = re.compile(rb"\r\n\r\n")
LENGTH = re.compile(rb"\d{1,18}")
SIZE = re.compile(rb"([0-9a-fA-F]{1,12})[ \t]*(?:;[^\r\n]*)?")


class Incoming:
    """One request. ``rest`` is what came after it; ``received`` counts the bytes of its body."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.head = b""
        self.rest = b""
        self.received = 0
        self.last = False  # nothing that follows on this connection is a request
        self._left: int | None = None
        self._chunks: Chunks | None = None
        self._body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - close() closes it
        self.is_whole = False

    @property
    def path(self) -> bytes:
        """What is asked for, without its query."""
        words = self.head.split(b"\r\n", 1)[0].split(b" ")
        return words[1].partition(b"?")[0] if len(words) == 3 else b""

    @property
    def has_head(self) -> bool:
        """Whether the headers are there."""
        return self._left is not None or self._chunks is not None

    def feed(self, data: bytes) -> None:
        """Take what came."""
        if not self.has_head:
            self.rest += data
            found = END.search(self.rest)
            if found is None:
                if len(self.rest) > LONGEST_HEAD:
                    self._is_odd()
                return
            self.head, data, self.rest = self.rest[: found.end()], self.rest[found.end() :], b""
            self._measure()
        self._take(data)

    def pieces(self) -> Iterator[bytes]:
        """Head and body, as they came."""
        yield self.head
        self._body.seek(0)
        while piece := self._body.read(PIECE):
            yield piece

    def close(self) -> None:
        """Forget the body."""
        self._body.close()

    def _measure(self) -> None:
        named: dict[bytes, list[bytes]] = {}
        for line in self.head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            named.setdefault(name.strip().lower(), []).append(value.strip())
        lengths, codings = named.get(b"content-length", []), named.get(b"transfer-encoding", [])
        self._left = 0
        if codings:
            if lengths or [coding.lower() for coding in codings] != [b"chunked"]:
                self._is_odd()
            else:
                self._left, self._chunks = None, Chunks()
        elif lengths:
            if len(lengths) > 1 or not LENGTH.fullmatch(lengths[0]) or int(lengths[0]) > self._longest:
                self._is_odd()
            else:
                self._left = int(lengths[0])

    def _is_odd(self) -> None:
        self.head, self.rest = self.head or self.rest, b""
        self._left, self._chunks, self.last, self.is_whole = 0, None, True, True

    def _take(self, data: bytes) -> None:
        if self.is_whole:
            self.rest = b"" if self.last else self.rest + data
            return
        length = self._chunks.take(data) if self._chunks else min(len(data), self._left or 0)
        self._body.write(data[:length])
        self.received += length
        if self._chunks:
            too_small = (
                self._chunks.lines > MOST_LINES + self.received // LEAST_CHUNK
            )  # each costs the loop as much as a large one
            self.last |= self._chunks.is_odd or too_small or self.received > self._longest
            self.is_whole = self._chunks.is_over or self.last
        else:
            self._left = (self._left or 0) - length
            self.is_whole = not self._left
        if self.is_whole and not self.last:
            self.rest += data[length:]


class Chunks:
    """Where a chunked body ends (RFC 9112, 7.1)."""

    def __init__(self) -> None:
        self.is_over = self.is_odd = False
        self.lines = 0
        self._line = b""
        self._left = 0
        self._in_trailer = False

    def take(self, data: bytes) -> int:
        """How many of these bytes belong to the body."""
        at = 0
        while at < len(data) and not (self.is_over or self.is_odd):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
            else:
                end = data.find(b"\n", at)
                step = (len(data) if end < 0 else end + 1) - at
                self._line += data[at : at + step]
                if end >= 0:
                    self._ended(self._line)
                    self._line = b""
                self.is_odd |= len(self._line) > LONGEST_CHUNK_LINE
            at += step
        return at

    def _ended(self, line: bytes) -> None:
        self.lines += 1
        if not line.endswith(b"\r\n"):
            self.is_odd = True
        elif self._in_trailer:
            self.is_over = line == b"\r\n"
        elif found := SIZE.fullmatch(line[:-2]):
            size = int(found[1], 16)
            self._in_trailer = not size
            self._left = size + 2 if size else 0
        else:
            self.is_odd = True
