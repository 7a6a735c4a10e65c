"""Both ends of a terminal, bounded: what a cluster sends at once, and what a page sends that nobody took yet (Q-20)."""

from __future__ import annotations

from typing import Any

LARGEST_MESSAGE = 1024 * 1024  # bytes; Kubernetes sends at most 32 KiB at once
MOST_WAITING, WAITING_SIZE = 500, 1024 * 1024  # messages of the page, and their characters together


class Waiting(list[Any]):
    """What the page sent and nobody took yet. A page that sends more meanwhile than anybody types is left."""

    def append(self, message: Any) -> None:
        """Keep one more.

        :raises OSError: there are too many; what reads the socket closes it then
        """
        if len(self) >= MOST_WAITING or sum(map(len, self)) > WAITING_SIZE:
            raise OSError("the page sends more than the container takes")
        super().append(message)


class Said:
    """What a container says, message by message, none of them large.

    The library reads on for as long as there is something to read: what a program writes without end would be kept
    without
    end, and never given on. Here what it writes faster than the browser takes it waits in the container.
    """

    def __init__(self, stream: Any) -> None:
        self._stream, self._left = stream, LARGEST_MESSAGE
        self._receive = stream.sock.frame_buffer.recv
        stream.sock.frame_buffer.recv = self._received
        stream._frames_immediately_available = lambda: False

    def wait(self, seconds: float) -> None:
        """Have the next message read into its channel, if one comes.

        :raises OSError: it is too large
        """
        self._left = LARGEST_MESSAGE
        self._stream.update(timeout=seconds)

    def _received(self, size: int) -> bytes:
        data: bytes = self._receive(size)
        self._left -= len(data)
        if self._left < 0:
            raise OSError(f"a message is larger than {LARGEST_MESSAGE} bytes")
        return data
