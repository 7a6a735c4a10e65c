"""Slow, idle and many connections cost sockets, not threads: pages go on, and health is told whatever hangs (Q-20,
Q-30).
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.serving import THREADS, answers, closed, opened, serving

pytestmark = pytest.mark.req("Q-20", "Q-30")
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as made:
        yield made


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\nX-A: b",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\nx",
    ],
    ids=["idle", "half a header", "half a body", "half a chunk"],
)
def test_who_does_not_finish_a_request_holds_no_thread_and_is_left(port: int, said: bytes) -> None:
    slow = opened(port, said, 150)

    assert answers(port)
    assert answers(port, "/healthz")
    assert closed(slow)


def test_drips_do_not_renew_the_deadline(port: int) -> None:
    (slow,) = opened(port, b"GET / HTTP/1.1\r\n")
    sent = 0
    with contextlib.suppress(OSError):
        while sent < 200:
            slow.sendall(b"X")
            sent += 1
            if select.select([slow], [], [], 0.1)[0] and not slow.recv(1):
                break
    slow.close()

    assert sent < 200


def test_health_is_told_while_every_thread_hangs_and_an_address_has_all_it_may() -> None:
    with serving() as port:
        hanging = opened(port, b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n", THREADS * 2)
        idle = opened(port, b"", 300)

        assert answers(port, "/healthz")
        assert answers(port, "/readyz")
        for one in hanging + idle:
            one.close()


def test_readiness_does_not_depend_on_who_asks(port: int) -> None:
    """A session is looked up in the database, which may be what hangs."""
    found = requests.get(
        f"http://127.0.0.1:{port}/readyz", headers={"Cookie": "a=b", "Authorization": "Bearer x"}, timeout=10
    )

    assert found.text == "[]"


def test_who_does_not_read_the_answer_is_left() -> None:
    with serving() as port:
        deaf = opened(port, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n", THREADS)

        assert answers(port)
        for one in deaf:
            one.close()


def test_an_address_has_half_of_the_threads_at_most() -> None:
    """The others are there for everybody else, however many answers it leaves unread."""
    with serving() as port:
        hanging = opened(port, b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n", THREADS * 3)
        with socket.create_connection(("127.0.0.1", port), 10, source_address=("127.0.0.2", 0)) as neighbour:
            neighbour.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert neighbour.recv(12) == b"HTTP/1.1 200"
        for one in hanging:
            one.close()


def test_what_waits_for_its_turn_is_answered_in_the_end(port: int) -> None:
    many = opened(port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", THREADS * 4)

    assert {one.recv(12) for one in many} == {b"HTTP/1.1 200"}
    for one in many:
        one.close()


def test_who_does_not_close_after_the_last_answer_holds_nobody(port: int) -> None:
    opened_ = opened(port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 60)

    assert answers(port)
    assert closed(opened_)


def test_one_address_keeps_only_so_many_connections_and_its_newest() -> None:
    with serving(ANTSTACK_CONNECTIONS_PER_ADDRESS="10") as port:
        many = opened(port, b"", 40)
        assert answers(port)
        gone = 0
        for one in many[:25]:
            one.settimeout(10)
            gone += one.recv(1) == b""

        assert gone == 25


def test_behind_a_proxy_its_connections_are_not_counted() -> None:
    with serving(ANTSTACK_CONNECTIONS_PER_ADDRESS="10", ANTSTACK_TRUSTED_PROXIES="1") as port:
        said = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        many = opened(port, b"", 40)
        for one in many:
            one.sendall(said)

        assert all(one.recv(12) == b"HTTP/1.1 200" for one in many)
        for one in many:
            one.close()


def raw(port: int, said: bytes) -> bytes:
    """Everything that is answered."""
    (one,) = opened(port, said)
    found = b""
    while piece := one.recv(65536):
        found += piece
    one.close()
    return found


def test_bodies_come_whole_however_they_are_sent(port: int) -> None:
    session = requests.Session()
    url = f"http://127.0.0.1:{port}/length"

    assert session.post(url, data=b"x" * 3_000_000, timeout=10).text == "3000000"
    assert session.post(url, data=(b"y" * 50_000 for _ in range(20)), timeout=10).text == "1000000"
    assert session.post(url, data=b"", timeout=10).text == "0"
    assert session.post(url, data=b"z", headers={"Expect": "100-continue"}, timeout=10).text == "1"


def test_requests_one_behind_the_other_are_all_answered(port: int) -> None:
    first = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    second = b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\nT: 1\r\n\r\n"

    found = raw(port, first + second + LAST)

    assert [part.rpartition(b"\r\n\r\n")[2][:1] for part in found.split(b"HTTP/1.1 200 OK")[1:]] == [b"5", b"2", b"p"]


def test_a_connection_goes_on_as_it_was_said_behind_a_body_that_nobody_read(port: int) -> None:
    unread = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000

    found = raw(port, unread + LAST)

    assert (found.count(b"HTTP/1.1 200"), found.count(b"Connection: keep-alive")) == (2, 1)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length: +5\r\n",
    ],
)
def test_a_request_of_two_lengths_smuggles_no_other(port: int, head: bytes) -> None:
    inner = b"GET /length HTTP/1.1\r\nHost: a\r\n\r\n"
    found = raw(port, b"POST /length HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n0\r\n\r\n" + inner)

    assert found.count(b"HTTP/1.1 200") == 0, found


def test_a_body_of_very_many_tiny_chunks_is_refused_before_its_end(port: int) -> None:
    """Each chunk costs the loop that serves everybody as much as a large one."""
    head = b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert raw(port, head + b"1\r\nx\r\n" * 5_000 + b"0\r\n\r\n" + LAST).count(b"HTTP/1.1 200") == 2
    assert raw(port, head + b"1\r\nx\r\n" * 50_000).count(b"HTTP/1.1 200") == 0


def test_what_hangs_is_not_ready_and_is_not_asked_again(app_context: Any) -> None:
    from app.core import readiness

    calls: list[int] = []
    stop = threading.Event()

    def hangs() -> bool:
        calls.append(1)
        return stop.wait(60)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readiness, "PATIENCE_SECONDS", 0.05)
        found = [readiness.answers({"x-database": hangs, "x-other": lambda: True}) for _ in range(3)]
    stop.set()

    assert [one["x-database"] for one in found] == [False] * 3
    assert len(calls) == 1
