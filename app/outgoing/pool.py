"""HTTP through the door, on urllib3: checked addresses, a deadline for the whole answer, a cap on its body.

The name stays the name, in ``Host``, SNI and the certificate's check; only the address comes from the door.
"""

from __future__ import annotations

import contextlib
import io
import math
import socket
import time
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3 import connection, exceptions

from app.outgoing.door import AddressRefused, Door
from app.words import Text, _

MIB = 1024 * 1024
PIECE = 256 * 1024
SENT_AT_ONCE = 64 * 1024
ENCODED = _("it compresses its answer without being asked to")
TOO_LARGE = _("its answer is larger than {most} MiB")
# Until when headers, and until when the body, have to be there; moments of time.monotonic().
_until: ContextVar[tuple[float, float]] = ContextVar("until", default=(math.inf, math.inf))


class AnswerRefused(exceptions.HTTPError):
    """An answer that is not read to its end: too large, or compressed."""

    def __init__(self, words: Text) -> None:
        super().__init__(str(words))
        self.words = words


class RefusedConnection(exceptions.NewConnectionError):
    """The door did not let a connection through."""


@contextlib.contextmanager
def within(seconds: float, body: bool = True) -> Iterator[None]:
    """Requests of this thread have their answer after *seconds* in all, whatever the server drips, or fail.

    :param body: whether the body counts; a stream's does not
    """
    end = time.monotonic() + seconds
    token = _until.set((end, end if body else math.inf))
    try:
        yield
    finally:
        _until.reset(token)


class _Timed(io.RawIOBase):
    """What a socket receives until a moment; each read may take its own timeout, all of them together no longer."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self.until = sock, until
        self._raw = sock.makefile("rb", buffering=0)
        self._each = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self.until, self._each))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer whose headers and body have to be there in time."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        headers, self._body_until = _until.get()
        self.fp.close()
        self._timed = _Timed(sock, headers)
        self.fp = io.BufferedReader(self._timed, SENT_AT_ONCE)

    def begin(self) -> None:
        super().begin()
        self._timed.until = self._body_until


def _left(until: float, most: float | None) -> float | None:
    """Seconds that one operation may take.

    :raises TimeoutError: none are left
    """
    if until == math.inf:
        return most
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline of the whole request has passed")
    return left if most is None else min(left, most)


class _Checked(connection.HTTPConnection):
    """Connects through its door; sends and receives within the deadline."""

    door: Door
    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, (int, float)) else 10.0
        try:
            return self.door.connect(self._dns_host, self.port or 0, timeout, self.socket_options or ())
        except AddressRefused as error:
            raise RefusedConnection(self, str(error)) from error
        except socket.gaierror as error:
            raise exceptions.NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise exceptions.ConnectTimeoutError(self, str(error)) from error
        except OSError as error:
            raise exceptions.NewConnectionError(self, str(error)) from error

    def send(self, data: Any) -> None:
        until, __ = _until.get()
        whole = not isinstance(data, bytes)
        for piece in (data,) if whole else (data[at : at + SENT_AT_ONCE] for at in range(0, len(data), SENT_AT_ONCE)):
            if self.sock is not None:
                self.sock.settimeout(_left(until, self.sock.gettimeout()))
            super().send(piece)


@lru_cache(maxsize=64)
def _classes(door: Door) -> dict[str, Any]:
    return {
        "http": type("CheckedHTTP", (_Checked,), {"door": door}),
        "https": type("CheckedHTTPS", (_Checked, connection.HTTPSConnection), {"door": door}),
    }


class PoolManager(urllib3.PoolManager):
    """urllib3's, whose connections go through a door. No proxies, no redirects but the caller's own."""

    def __init__(self, door: Door, **settings: Any) -> None:
        super().__init__(**settings)
        self._door = door

    def _new_pool(self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None) -> Any:
        made = super()._new_pool(scheme, host, port, request_context)
        made.ConnectionCls = _classes(self._door)[scheme]
        return made


def body(answer: Any, most: int) -> bytes:
    """The whole body of an answer that was not loaded yet; its connection is kept for the next request.

    :param most: bytes, after decoding: what is compressed is refused, since nobody asked for it
    :raises AnswerRefused: it is too large, or compressed
    :raises urllib3.exceptions.HTTPError: it broke off, or came too late
    """
    pieces: list[bytes] = []
    size = 0
    try:
        check_encoding(answer)
        while piece := answer.read(PIECE, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise AnswerRefused(TOO_LARGE.format(most=round(most / MIB, 1)))
    except BaseException:
        answer.close()
        raise
    answer.release_conn()
    return b"".join(pieces)


def check_encoding(answer: Any) -> None:
    """Refuse an answer that is compressed.

    :raises AnswerRefused: it is
    """
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise AnswerRefused(ENCODED)
