"""The outgoing door: what it checks it connects to, within a deadline, and never more than was allowed (Q-30, Q-20)."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import resource
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import urllib3

from app.outgoing import door, pool, proxy, reasons
from app.outgoing.door import AddressRefused, Door
from app.outgoing.session import Session
from tests.hostile import OK, dripping, endless, hostile, saying

pytestmark = pytest.mark.req("Q-30", "Q-20")
OPEN, STRICT = Door(allow_local=True), Door()


def named(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A resolver that answers each time with the next of these; the last one for ever.

    :returns: what it was asked
    """
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [info for address in found for info in real(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(door.socket, "getaddrinfo", resolve)
    return asked


def fetched(url: str, way: Door = OPEN, seconds: float = 5.0, most: int = 65536) -> bytes:
    """The body behind an address, through a door."""
    manager = pool.PoolManager(way)
    with pool.within(seconds):
        answer = manager.request("GET", url, retries=False, redirect=False, preload_content=False, timeout=seconds)
        return pool.body(answer, most)


def words(url: str, way: Door = OPEN, **limits: Any) -> str:
    """Why it cannot be fetched."""
    with pytest.raises(urllib3.exceptions.HTTPError) as refused:
        fetched(url, way, **limits)
    return reasons.why(refused.value).in_("en")


def test_what_is_allowed_is_reached() -> None:
    with hostile(saying("200 OK", b"hello")) as server:
        assert fetched(f"http://{server.place}/") == b"hello"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_reached_where_the_settings_do_not_allow_it(host: str) -> None:
    with hostile(saying("200 OK", b"secret")) as server:
        port = server.server_address[1]
        assert words(f"http://{host}:{port}/", STRICT) == door.REFUSED.in_("en")
        assert server.saw == []


def test_a_host_that_the_operator_named_is_reached_and_no_other() -> None:
    with hostile(saying("200 OK", b"own")) as server:
        port = server.server_address[1]
        mine = Door(named=frozenset({"localhost"}))

        assert fetched(f"http://localhost:{port}/", mine) == b"own"
        assert words(f"http://127.0.0.1:{port}/", mine) == door.REFUSED.in_("en")


def test_one_refused_address_among_others_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, ["10.0.0.1", "127.0.0.1"])

    with pytest.raises(AddressRefused):
        STRICT.connect("two.example", 80)


def test_the_address_that_was_checked_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means another address the next time it is asked for (rebinding) wins nothing."""
    with hostile(saying("200 OK", b"checked")) as first:
        port = first.server_address[1]
        asked = named(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])

        assert fetched(f"http://rebinds.example:{port}/") == b"checked"
        assert asked == ["rebinds.example"]


@contextlib.contextmanager
def silent(host: str, port: int) -> Iterator[None]:
    """An address that answers no more attempts to connect: its queue is full."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((host, port))
        listening.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield


@pytest.mark.parametrize("silent_ones", [["127.0.0.2"], ["127.0.0.2"] * 3])
def test_a_name_is_reached_although_its_first_addresses_are_silent(
    monkeypatch: pytest.MonkeyPatch, silent_ones: list[str]
) -> None:
    with hostile(saying("200 OK", b"second")) as server:
        port = server.server_address[1]
        named(monkeypatch, [*silent_ones, "127.0.0.1"])
        with silent("127.0.0.2", port):
            assert fetched(f"http://several.example:{port}/") == b"second"


def test_a_name_that_turns_to_this_machine_later_is_refused_then(monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile(saying("200 OK", b"secret")) as server:
        named(monkeypatch, ["10.0.0.1"], ["127.0.0.1"])

        assert STRICT.problem("rebinds.example") is None
        assert words(f"http://rebinds.example:{server.server_address[1]}/", STRICT) == door.REFUSED.in_("en")
        assert server.saw == []


def test_a_name_that_is_not_known_is_told() -> None:
    assert words("http://nobody.invalid/") == door.UNKNOWN.in_("en")
    assert OPEN.problem("nobody.invalid") is door.UNKNOWN


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-A: ",
        OK + b"Content-Length: 9000\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2000\r\n",
    ],
)
def test_a_server_that_drips_has_until_the_deadline_of_the_whole_answer(start: bytes) -> None:
    with hostile(dripping(start)) as server:
        assert words(f"http://{server.place}/", seconds=0.5) == reasons.TOO_LATE.in_("en")


@pytest.mark.parametrize("say", [dripping(OK), endless(OK)])
def test_a_hostile_server_ends_with_its_test(say: Any) -> None:
    before = set(threading.enumerate())
    with socket.socket() as client:
        with hostile(say) as server:
            client.connect(server.server_address)
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.recv(len(OK), socket.MSG_WAITALL) == OK

        assert set(threading.enumerate()) <= before


def test_no_more_is_read_than_was_allowed() -> None:
    with hostile(endless(OK + b"Content-Length: 2000000000\r\n\r\n")) as server:
        assert "larger than" in words(f"http://{server.place}/")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_what_is_compressed_is_not_unpacked(encoding: str) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    with hostile(saying("200 OK", bomb, Content_Encoding=encoding)) as server:
        assert words(f"http://{server.place}/") == pool.ENCODED.in_("en")
        assert "accept-encoding: identity" in server.saw[0].lower()


def test_a_session_follows_no_redirect_and_takes_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile(saying("200 OK", b"secret")) as inner:
        monkeypatch.setenv("HTTP_PROXY", f"http://{inner.place}")
        with hostile(saying("302 Found", Location=f"http://{inner.place}/")) as server:
            answer = Session(OPEN).get(f"http://{server.place}/", allow_redirects=True)

        assert (answer.status_code, inner.saw) == (302, [])


@pytest.mark.parametrize(
    ("say", "expected"),
    [
        (dripping(OK + b"Content-Length: 9000\r\n\r\n"), reasons.TOO_LATE.in_("en")),
        (endless(OK + b"Content-Length: 2000000000\r\n\r\n"), "larger than"),
        (saying("200 OK", gzip.compress(b"{}"), Content_Encoding="gzip"), pool.ENCODED.in_("en")),
    ],
)
def test_a_session_is_as_bounded(say: Any, expected: str) -> None:
    with hostile(say) as server, pytest.raises(requests.RequestException) as refused:
        Session(OPEN, seconds=0.5).get(f"http://{server.place}/")

    assert expected in reasons.why(refused.value).in_("en")


def asked(way: Door, target: str, headers: dict[str, str]) -> tuple[socket.socket, bytes]:
    """A tunnel that a library asks the door's proxy for, and the first line that it answers."""
    address, _ = proxy.of(way)
    sock = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 5)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sock.sendall(f"CONNECT {target} HTTP/1.1\r\n{lines}\r\n".encode())
    return sock, sock.recv(4096).split(b"\r\n")[0]


def test_the_proxy_carries_both_ways_to_what_the_door_allows() -> None:
    with hostile(saying("200 OK", b"through")) as server:
        sock, first = asked(OPEN, server.place, proxy.of(OPEN)[1])
        with sock:
            assert first == b"HTTP/1.1 200 Connected"
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert sock.recv(4096).endswith(b"through")


def test_the_proxy_refuses_what_the_door_refuses_and_who_shows_no_password() -> None:
    with hostile(saying("200 OK", b"secret")) as server:
        told = [
            asked(way, target, headers)
            for way, target, headers in (
                (STRICT, server.place, proxy.of(STRICT)[1]),
                (OPEN, server.place, {}),
                (OPEN, server.place, {"Proxy-Authorization": "Basic YTpi"}),
                (OPEN, "127.0.0.1:x", proxy.of(OPEN)[1]),
            )
        ]
        for sock, _ in told:
            sock.close()

        assert [first.split()[1] for _, first in told] == [b"502", b"407", b"407", b"400"]
        assert server.saw == []


@pytest.fixture
def many_files() -> Iterator[None]:
    """A process that may have 2,000 files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_the_proxy_carries_in_a_process_with_more_than_a_thousand_open_files() -> None:
    def moved(sock: socket.socket) -> socket.socket:
        """The same with a high descriptor."""
        with sock:
            return socket.socket(fileno=fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD, 1100))

    (near, client), (far, server) = socket.socketpair(), socket.socketpair()
    with client, server, moved(near) as near, moved(far) as far:
        client.sendall(b"there")
        server.sendall(b"back")
        client.shutdown(socket.SHUT_WR)
        proxy.relay(near, far)

        assert near.fileno() > 1023
        assert (server.recv(10), client.recv(10)) == (b"there", b"back")
