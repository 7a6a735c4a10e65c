"""The door for libraries that open their own sockets: an HTTP proxy on loopback that knows only CONNECT (RFC 9110,
9.3.6).

Who uses it shows a password of this process, so that no other program of the machine can. TLS stays between the
library and the server that it names.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import secrets
import selectors
import socket
import socketserver
import threading
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from app.outgoing.door import Door

ASKING_SECONDS, SILENT_SECONDS = 10.0, 3600.0
LONGEST_LINE, MOST_LINES = 4096, 50
PIECE = 65536


class _Handler(socketserver.StreamRequestHandler):
    """One tunnel: asked for, checked, connected, carried until either side ends."""

    server: _Proxy
    timeout = ASKING_SECONDS

    def handle(self) -> None:
        target, shown = self._asked()
        if not hmac.compare_digest(shown.encode(), self.server.password.encode()):
            self._refuse("407 Proxy Authentication Required")
        elif not target.hostname or not target.port:
            self._refuse("400 Bad Request")
        else:
            self._carry(target.hostname, target.port)

    def _asked(self) -> tuple[Any, str]:
        """The host and port that are wanted, and the password."""
        method, _, rest = self._line().partition(" ")
        try:
            target = urlsplit("//" + (rest.split(" ")[0] if method == "CONNECT" else ""))
            _ = target.port
        except ValueError:
            target = urlsplit("//")
        shown = ""
        for _ in range(MOST_LINES):
            name, _, value = self._line().partition(":")
            if not name:
                break
            if name.lower() == "proxy-authorization":
                shown = value.strip()
        return target, shown

    def _line(self) -> str:
        return self.rfile.readline(LONGEST_LINE).decode("latin-1").rstrip("\r\n")

    def _carry(self, host: str, port: int) -> None:
        try:
            far = self.server.door.connect(host, port)
        except OSError:
            self._refuse("502 Bad Gateway")
            return
        with far:
            self.connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            relay(self.connection, far)

    def _refuse(self, status: str) -> None:
        self.connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())


def relay(near: socket.socket, far: socket.socket) -> None:
    """Carry both directions until one side ends or both are silent for an hour."""
    for side in (near, far):
        side.settimeout(ASKING_SECONDS)
    with selectors.PollSelector() as waiting:  # select() knows no descriptor above 1023, epoll takes one of its own
        waiting.register(near, selectors.EVENT_READ, far)
        waiting.register(far, selectors.EVENT_READ, near)
        with contextlib.suppress(OSError):
            while ready := waiting.select(SILENT_SECONDS):
                for found, _ in ready:
                    data = found.fileobj.recv(PIECE)  # type: ignore[union-attr]
                    if not data:
                        return
                    found.data.sendall(data)


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, door: Door) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.door = door
        self.password = "Basic " + base64.b64encode(f"door:{secrets.token_urlsafe(24)}".encode()).decode()


@lru_cache(maxsize=8)
def of(door: Door) -> tuple[str, dict[str, str]]:
    """The proxy of a door, started by whoever asks first in this process.

    :returns: its address, and the headers to show it
    """
    made = _Proxy(door)
    threading.Thread(target=made.serve_forever, name="door-proxy", daemon=True).start()
    return f"http://127.0.0.1:{made.server_address[1]}", {"proxy-authorization": made.password}
