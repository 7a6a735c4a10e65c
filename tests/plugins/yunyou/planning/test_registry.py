"""What keeps a registry from answering is told in the reader's words, not in a library's (Y-3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.outgoing.door import Door
from plugins.yunyou.documents.images import parse
from plugins.yunyou.planning.registry import Registry, ask
from tests.live import free_port

pytestmark = pytest.mark.req("Y-3")


class Odd(BaseHTTPRequestHandler):
    """Answers as registries shouldn't: by the repository that is asked for."""

    def do_GET(self) -> None:
        status, body = (500, b"") if "broken" in self.path else (200, b"<html>a portal</html>")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def odd() -> Iterator[str]:
    """The host of a server that is no registry."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("host", "repository", "words"),
    [
        ("", "broken", "the status 500"),
        ("", "portal", "no registry's answer"),
        ("refused", "shop", "nothing listens there"),
        ("registry.invalid", "shop", "its name is not known"),
    ],
)
def test_why_a_registry_cannot_be_asked(odd: str, host: str, repository: str, words: str) -> None:
    where = {"": odd, "refused": f"127.0.0.1:{free_port()}"}.get(host, host)
    image = parse(f"{where}/{repository}:1.0")
    assert image is not None

    found = ask(Registry(where, True, Door(allow_local=True)), image)

    assert (found.state, found.problem["code"]) == ("unreachable", "YUNYOU/REGISTRY_UNREACHABLE")  # type: ignore[index]
    assert words in found.problem["reason"]["en"]  # type: ignore[index]
    assert not any(letter.isascii() and letter.isalpha() for letter in found.problem["reason"]["zh"].replace(where, ""))  # type: ignore[index]
