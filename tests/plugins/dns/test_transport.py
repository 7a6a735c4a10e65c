"""Connections to the embedded server: so many in all and of an address, each with its deadlines (RFC 7766 6.2)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from plugins.dns import transport

pytestmark = pytest.mark.req("D-4", "Q-20")
SECONDS = 20.0
QUERY = struct.pack("!H", 5) + b"query"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Served:
    """A server whose answers are what a test says; ``ended`` has the address of each connection that it is done
    with.
    """

    def __init__(self, answer: bytes | None) -> None:
        self.tcp = transport.Tcp(lambda _wire, _udp: answer)
        self.ended: asyncio.Queue[str] = asyncio.Queue()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.tcp.serve(reader, writer)
        await self.ended.put(writer.get_extra_info("peername")[0])

    async def connect(self, address: str = "127.0.0.1") -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))


@asynccontextmanager
async def served(answer: bytes | None) -> AsyncIterator[Served]:
    made = Served(answer)
    async with asyncio.timeout(SECONDS):
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        yield made
        server.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    """In a thread of its own: the browser of other tests leaves its loop running in this one."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(test())).result()  # type: ignore[arg-type]


async def asked(streams: Streams) -> bytes:
    """What a query is answered; nothing where the server closed the connection."""
    reader, writer = streams
    try:
        writer.write(QUERY)
        return (await reader.read(100))[2:]
    except ConnectionError:
        return b""


@pytest.mark.parametrize(("limit", "other"), [("MOST_OF_ADDRESS", b"answer"), ("MOST_CONNECTIONS", b"")])
def test_so_many_connections_are_served_and_others_closed_until_one_ends(
    monkeypatch: pytest.MonkeyPatch, limit: str, other: bytes
) -> None:
    monkeypatch.setattr(transport, limit, 2)

    async def test() -> None:
        async with served(b"answer") as server:
            two = [await server.connect(), await server.connect()]
            assert [await asked(one) for one in two] == [b"answer"] * 2
            assert await asked(await server.connect()) == b""
            assert await server.ended.get() == "127.0.0.1"
            elsewhere = await server.connect("127.0.0.2")
            assert await asked(elsewhere) == other
            elsewhere[1].close()
            await server.ended.get()
            two[0][1].close()
            await server.ended.get()
            assert await asked(await server.connect()) == b"answer"

    run(test)


def test_a_client_that_takes_no_answers_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "WRITE_SECONDS", 0.1)

    async def test() -> None:
        async with served(b"x" * 60_000) as server:
            _, writer = await server.connect()
            writer.write(QUERY * 1000)
            await server.ended.get()
            assert server.tcp.open.total() == 0

    run(test)


@pytest.mark.parametrize("sent", [b"", b"\x00", QUERY[:-1]])
def test_a_client_that_sends_no_whole_query_is_left_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.1)

    async def test() -> None:
        async with served(b"answer") as server:
            _reader, writer = await server.connect()
            writer.write(sent)
            await server.ended.get()
            assert server.tcp.open.total() == 0

    run(test)


def test_a_client_that_sends_all_its_queries_first_has_every_answer() -> None:
    async def test() -> None:
        async with served(b"x" * 60_000) as server:
            reader, writer = await server.connect()
            writer.write(QUERY * 20)
            writer.write_eof()
            assert len(await reader.read()) == 20 * 60_002

    run(test)


def test_a_connection_whose_query_has_no_answer_ends() -> None:
    async def test() -> None:
        async with served(None) as server:
            assert await asked(await server.connect()) == b""
            await server.ended.get()
            assert server.tcp.open.total() == 0

    run(test)
