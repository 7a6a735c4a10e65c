"""DNS over UDP and TCP (RFC 1035 4.2, RFC 7766): so many connections, each with its deadlines."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)
# Of all clients, and of one address (RFC 7766 6.2.2): the process has a thousand descriptors on most machines.
MOST_CONNECTIONS, MOST_OF_ADDRESS = 500, 20
# Until a whole query is there, and until its answer is taken (RFC 7766 6.2.3: of the order of a few seconds).
READ_SECONDS = WRITE_SECONDS = 10.0
Answer = Callable[[bytes, bool], bytes | None]


class Udp(asyncio.DatagramProtocol):
    """Answers datagrams."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._answer(data, True)
        if answer is not None:
            self._transport.sendto(answer, addr)


class Tcp:
    """Answers connections; ``open`` counts them by address."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.open = Counter[str]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        if self.open.total() >= MOST_CONNECTIONS or self.open[address] >= MOST_OF_ADDRESS:
            writer.transport.abort()
            return
        self.open[address] += 1
        try:
            while await self._one(reader, writer):
                pass
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), WRITE_SECONDS)
        except (TimeoutError, ConnectionError):
            log.debug("a TCP client left, or took too long")
        finally:
            writer.transport.abort()
            self.open -= Counter([address])

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """A query and its answer; False where there is none, or no more.

        :raises TimeoutError: the client sends or takes too slowly
        """
        try:
            wire = await asyncio.wait_for(_framed(reader), READ_SECONDS)
        except asyncio.IncompleteReadError:
            return False
        answer = self._answer(wire, False)
        if answer is None:
            return False
        writer.write(struct.pack("!H", len(answer)) + answer)
        await asyncio.wait_for(writer.drain(), WRITE_SECONDS)
        return True


async def _framed(reader: asyncio.StreamReader) -> bytes:
    size = struct.unpack("!H", await reader.readexactly(2))[0]
    return await reader.readexactly(size)
