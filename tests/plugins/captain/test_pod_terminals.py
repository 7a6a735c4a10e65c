"""A terminal keeps little of what either side says faster than the other takes it (Q-20)."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from simple_websocket import ConnectionClosed

from app.kube import kubeconfig
from app.kube.client import Kube
from plugins.captain.pods import channels
from plugins.captain.pods.terminal import Target, Terminal
from tests.hostile import OK, hostile

pytestmark = [pytest.mark.req("K-34", "Q-20"), pytest.mark.usefixtures("app_context")]
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3


class Browser:
    """The page's end: it takes what comes a little slowly, and leaves after a while."""

    def __init__(self, seconds: float) -> None:
        self.input_buffer: list[Any] = []
        self.taken: list[int] = []
        self._end = time.monotonic() + seconds

    def send(self, data: bytes) -> None:
        self.taken.append(len(data))
        time.sleep(0.005)

    def receive(self, timeout: float) -> None:
        time.sleep(timeout)
        if time.monotonic() > self._end:
            raise ConnectionClosed(1000, "")


def container(say: Callable[[Any], None]) -> Callable[[Any, str], None]:
    """A cluster with one pod, whose channel says this."""

    def answer(sock: Any, head: str) -> None:
        if "upgrade: websocket" not in head.lower():
            sock.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
            return
        key = next(
            line.partition(":")[2].strip() for line in head.splitlines() if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        sock.sendall(
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
            ).encode()
        )
        say(sock)

    return answer


def served(say: Callable[[Any], None], seconds: float) -> tuple[Browser, tuple[str, str]]:
    """The page after a terminal in that pod, and why it ended."""
    document = kubeconfig.of_token("https://203.0.113.1", "", "t")
    browser = Browser(seconds)
    with hostile(container(say)) as server:
        document["clusters"][0]["cluster"]["server"] = f"http://{server.place}"
        why = Terminal(browser, Kube("odd", document), Target("c", "odd", "alpha", "pod", "")).run()
    return browser, why


def without_end(sock: Any) -> None:
    """``yes``: 32 KiB after 32 KiB."""
    message = b"\x82\x7e" + (32_768).to_bytes(2, "big") + b"\x01" + b"y\n" * 16_383 + b"y"
    for _ in range(20_000):
        sock.sendall(message)


def test_what_a_program_writes_without_end_comes_piece_by_piece() -> None:
    browser, (why, _) = served(without_end, 1.5)

    assert why == "left"
    assert len(browser.taken) > 10
    assert max(browser.taken) <= 4 * 32_768


@pytest.mark.parametrize(
    "start", [b"\x82\x7f" + (2**40).to_bytes(8, "big"), b"\x02\x7e\xff\xff"], ids=["one frame", "of fragments"]
)
def test_a_message_without_end_ends_the_terminal(start: bytes) -> None:
    def say(sock: Any) -> None:
        piece = b"\x01" + b"x" * 65_534
        sock.sendall(start + piece)
        for _ in range(2_000):
            sock.sendall(piece + b"x" if start[0] == 0x82 else b"\x00\x7e\xff\xff" + piece)

    browser, (why, _) = served(say, 20)

    assert why == "lost"
    assert browser.taken == []


def test_a_page_that_sends_more_than_the_container_takes_is_left() -> None:
    many, large = channels.Waiting(["held"]), channels.Waiting()
    with pytest.raises(OSError, match="more than the container takes"):
        _ = [many.append("x") for _ in range(channels.MOST_WAITING + 1)]
    with pytest.raises(OSError, match="more than the container takes"):
        _ = [large.append("x" * 200_000) for _ in range(100)]

    assert len(many) == channels.MOST_WAITING
    assert sum(map(len, large)) < 2 * channels.WAITING_SIZE
