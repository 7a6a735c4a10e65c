"""Servers that mean no good: they say byte for byte what a test tells them to, and remember who came."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

Saying = Callable[[socket.socket, str], None]
OK = b"HTTP/1.1 200 OK\r\n"


class Hostile(socketserver.ThreadingTCPServer):
    """``saw`` are the requests' heads, in order. Whoever still speaks at the end of the test is cut off, and waited
    for.
    """

    allow_reuse_address = True

    def __init__(self, say: Saying, host: str = "127.0.0.1") -> None:
        self.say, self.saw, self._open = say, list[str](), set[Any]()
        super().__init__((host, 0), _Handler)

    @property
    def place(self) -> str:
        """Host and port."""
        return f"{self.server_address[0]}:{self.server_address[1]}"  # type: ignore[str-bytes-safe]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)

    def end(self) -> None:
        """Take no more connections, cut off those that are open, and wait for their threads."""
        self.shutdown()
        for request in list(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: Hostile

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while head := self._head():
                self.server.saw.append(head)
                self.server.say(self.request, head)

    def _head(self) -> str:
        """The next head; empty once the other side has gone."""
        read = self.request.makefile("rb", buffering=0)
        lines = []
        while (line := read.readline()) != b"\r\n":
            if not line:
                return ""
            lines.append(line)
        return b"".join(lines).decode("latin-1")


@contextlib.contextmanager
def hostile(say: Saying, host: str = "127.0.0.1") -> Iterator[Hostile]:
    """One at work."""
    server = Hostile(say, host)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield server
    finally:
        server.end()
        serving.join()


def saying(status: str, body: bytes = b"", **headers: str) -> Saying:
    """A whole answer; ``_`` in names of headers is ``-``."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    raw = f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
    return lambda sock, _head: sock.sendall(raw)


def dripping(start: bytes) -> Saying:
    """Begins as told, and then goes on byte by byte, faster than any wait between two of them, for half a minute."""

    def say(sock: Any, _head: str) -> None:
        sock.sendall(start)
        for _ in range(600):
            time.sleep(0.05)
            sock.sendall(b"x")
        sock.close()

    return say


def endless(start: bytes) -> Saying:
    """Begins as told, and then sends as much as it can."""

    def say(sock: Any, _head: str) -> None:
        sock.sendall(start)
        piece = b" " * 1024 * 1024
        for _ in range(2_000):
            sock.sendall(piece)

    return say
