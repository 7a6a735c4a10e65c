"""A small site, served as ``antstack web`` serves, and clients of it that are slow."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from tests.live import free_port

ROOT = Path(__file__).parent.parent
THREADS = 4
# A site of one page that answers, one that hangs, one that tells its body's length, and one that says more than anybody
# reads.
SITE = """
import json, sys, threading
from app.processes import web, web_worker
web_worker.HEAD_SECONDS, web_worker.BODY_SECONDS, web_worker.SEND_SECONDS = 1.0, 1.0, 1.0
hang = threading.Event()
def stream():
    yield b"data: first\\n\\n"
    hang.wait(20)
    yield b"data: last\\n\\n"
def site(environ, start):
    path = environ["PATH_INFO"]
    if path == "/hang":
        hang.wait(60)
    body = b"page"
    if path == "/length":
        body = str(len(environ["wsgi.input"].read())).encode()
    if path == "/large":
        body = b"x" * 50_000_000
    if path == "/asked":
        names = ("UPGRADE", "CONNECTION", "HOST", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST")
        body = json.dumps({f"HTTP_{name}": environ.get(f"HTTP_{name}") for name in names}).encode()
    if path == "/stream":
        start("200 OK", [("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "no")])
        return stream()
    if path == "/readyz":
        body = repr(sorted(name for name in environ if name in ("HTTP_COOKIE", "HTTP_AUTHORIZATION"))).encode()
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
web.Server.load = lambda self: site
web.serve("127.0.0.1", int(sys.argv[1]))
"""


@contextlib.contextmanager
def serving(**settings: str) -> Iterator[int]:
    """The port of that site, served as ``antstack web`` serves."""
    port = free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "ANTSTACK_DEMO": "1",
        "PYTHONPATH": str(ROOT),
        "ANTSTACK_THREADS": str(THREADS),
        **settings,
    }
    process = subprocess.Popen([sys.executable, "-c", SITE, str(port)], cwd=ROOT, env=environment)
    try:
        end = time.monotonic() + 30
        while not answers(port, "/healthz"):
            assert time.monotonic() < end
            assert process.poll() is None
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def answers(port: int, path: str = "/") -> bool:
    """Whether a page comes within some seconds."""
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=10).status_code == 200
    except requests.RequestException:
        return False


def opened(port: int, said: bytes, many: int = 1) -> list[socket.socket]:
    """Connections on which something was said."""
    found = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(many)]
    for one in found:
        one.sendall(said)
    return found


def closed(connections: list[socket.socket]) -> bool:
    """Whether the server ends all of them by itself."""
    for one in connections:
        one.settimeout(20)
        with contextlib.suppress(ConnectionError):
            while one.recv(65536):
                pass
        one.close()
    return True
