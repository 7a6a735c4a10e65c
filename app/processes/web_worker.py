"""gunicorn's threads, which get only whole requests: who is slow, idle or many costs a socket and no thread.

gunicorn's ``gthread`` gives a connection to a thread as soon as something came, and the thread waits for the rest.
Here the loop that accepts also reads, until a request is whole or too late; closing waits in the loop as well.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

from app.processes.incoming import PIECE, Incoming

HEAD_SECONDS, BODY_SECONDS, CLOSE_SECONDS = 10.0, 20.0, 2.0
SLOWEST_BODY = 32 * 1024  # bytes a second, after BODY_SECONDS
SEND_SECONDS, SENT_AT_ONCE = 10.0, 256 * 1024
LONGEST_BODY = 64 * 1024 * 1024
MOST_HELD = 512 * 1024 * 1024  # bytes of bodies that are not whole yet, of all connections
ALIVE, READY = b"/healthz", b"/readyz"
I_AM_ALIVE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\nCache-Control: no-store\r\n"
    b'Connection: close\r\n\r\n{"status":"ok"}\n'
)
WHO_ASKS = ("COOKIE", "AUTHORIZATION")


class Paced(socket.socket):
    """A connection whose reader has some time for each piece, so that nobody holds a thread by not reading."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        whole = memoryview(data)
        for at in range(0, len(whole), SENT_AT_ONCE):
            super().sendall(whole[at : at + SENT_AT_ONCE], flags)


class Connection(TConn):
    """A connection, the request that arrives on it, and until when the loop waits for what it waits for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.incoming = Incoming(LONGEST_BODY)
        self.since = self.until = time.monotonic()

    @property
    def address(self) -> str:
        return str(self.client[0]) if isinstance(self.client, tuple) else ""


class Worker(ThreadWorker):
    """``most_per_address`` connections of one address are kept; 0 is no bound, as behind a proxy, which is one
    address.
    """

    most_per_address = 0

    def init_process(self) -> None:
        self.waiting: dict[Connection, None] = {}
        self.closing: dict[Connection, None] = {}
        self.addresses: Counter[str] = Counter()
        self.reserved = ThreadPoolExecutor(2)
        self.busy: Counter[str] = Counter()
        self.queued: dict[str, deque[Connection]] = {}
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, if its address has not too many; the one that waits longest makes room."""
        try:
            accepted, client = listener.accept()
        except OSError:
            return
        conn = Connection(self.cfg, Paced(fileno=accepted.detach()), client, listener.getsockname())
        self.nr_conns += 1
        self.addresses[conn.address] += 1
        if self._is_one_too_many(conn):
            self._end(conn)
        else:
            self._await(conn, HEAD_SECONDS)

    def _is_one_too_many(self, conn: Connection) -> bool:
        """Whether there is no room: what waits longest, of this address or of all, makes some."""
        mine = bool(self.most_per_address) and self.addresses[conn.address] > self.most_per_address
        if not mine and self.nr_conns < self.worker_connections:
            return False
        longest = next((one for one in self.waiting if not mine or one.address == conn.address), None)
        if longest is not None:
            self._end(longest)
        return longest is None

    def _await(self, conn: Connection, seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.since = time.monotonic()
        conn.until = conn.since + seconds
        self.waiting[conn] = None
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_readable, conn))

    def _on_readable(self, conn: Connection, _sock: socket.socket) -> None:
        try:
            data = conn.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end(conn)
        else:
            self._arrived(conn, data)

    def _arrived(self, conn: Connection, data: bytes) -> None:
        incoming = conn.incoming
        had_head, had_some = incoming.has_head, bool(incoming.rest)
        incoming.feed(data)
        if incoming.is_whole:
            self.poller.unregister(conn.sock)
            del self.waiting[conn]
            self._serve(conn)
        elif incoming.has_head:
            if not had_head:
                conn.since = time.monotonic()
                if b"100-continue" in incoming.head.lower():
                    with contextlib.suppress(OSError):
                        conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            conn.until = conn.since + BODY_SECONDS + incoming.received / SLOWEST_BODY
            if incoming.received > SLOWEST_BODY and self._held() > MOST_HELD:
                self._end(conn)
        elif not had_some:  # the first bytes of a request on a connection that was idle
            conn.until = time.monotonic() + HEAD_SECONDS

    def _held(self) -> int:
        return sum(conn.incoming.received for conn in self.waiting)

    def _serve(self, conn: Connection) -> None:
        """Give a whole request to a thread. Whether the process lives is said here, whatever the threads do."""
        incoming = conn.incoming
        if incoming.path == ALIVE:
            with contextlib.suppress(OSError):
                conn.sock.send(I_AM_ALIVE)
            self._linger(conn)
            return
        if incoming.path != READY and self._has_its_share(conn.address):
            self.queued.setdefault(conn.address, deque()).append(conn)
            return
        self.busy[conn.address] += 1
        conn.parser = http.get_parser(self.cfg, incoming.pieces(), conn.client)
        conn.initialized = conn.data_ready = True
        pool = self.reserved if incoming.path == READY else self.tpool
        work: Future[bool] = pool.submit(self.handle, conn)
        work.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def _has_its_share(self, address: str) -> bool:
        """Whether an address has half of the threads already: who reads no answer, or asks too much, leaves the rest
        to others.
        """
        return bool(self.most_per_address) and self.busy[address] >= max(1, self.cfg.threads // 2)

    def _is_done(self, address: str) -> None:
        """One request of an address less; the next of it that waits has its turn."""
        self.busy[address] -= 1
        if self.busy[address] <= 0:
            del self.busy[address]
        waiting = self.queued.get(address)
        if waiting:
            conn = waiting.popleft()
            if not waiting:
                del self.queued[address]
            self._serve(conn)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Serve it; the client has some time to read each piece. Whether the site is ready does not depend on who
        asks.
        """
        conn.sock.settimeout(SEND_SECONDS)
        if conn.incoming.path == READY:
            req.headers = [(name, value) for name, value in req.headers if name not in WHO_ASKS]
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """As the answer said, unless the body is malformed: gunicorn would leave a long one that the view did not
        read.
        """
        return keepalive and bool(conn.parser.finish_body())  # all of it is here, so that no deadline is due

    def finish_request(self, conn: Connection, done: Future[bool]) -> None:
        """Wait for the connection's next request, or end it."""
        self._is_done(conn.address)
        old, conn.incoming = conn.incoming, Incoming(LONGEST_BODY)
        old.close()
        keep = not done.cancelled() and done.exception() is None and done.result()
        if not keep or old.last or not self.alive:
            self._linger(conn)
            return
        self._await(conn, self.cfg.keepalive)
        if old.rest:
            self._arrived(conn, old.rest)

    def _linger(self, conn: Connection) -> None:
        """Say that nothing more comes, and wait in the loop for the client to have read it (RFC 9112, 9.6)."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._on_last_words, conn))
        except (OSError, ValueError):
            self._end(conn)
            return
        conn.until = time.monotonic() + CLOSE_SECONDS
        self.closing[conn] = None

    def _on_last_words(self, conn: Connection, _sock: socket.socket) -> None:
        try:
            if conn.sock.recv(PIECE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end(conn)

    def _end(self, conn: Connection) -> None:
        if self.waiting.pop(conn, 0) is None or self.closing.pop(conn, 0) is None:
            self.poller.unregister(conn.sock)
        conn.incoming.close()
        self.nr_conns -= 1
        self.addresses[conn.address] -= 1
        if self.addresses[conn.address] <= 0:
            del self.addresses[conn.address]
        conn.close()

    def murder_pending(self) -> None:
        """End what waited too long; a worker that stops waits for nobody who has asked for nothing yet."""
        now = time.monotonic()
        for conn in [*self.waiting, *self.closing]:
            idle = not self.alive and not conn.incoming.has_head and not conn.incoming.rest
            if now >= conn.until or (idle and conn in self.waiting):
                self._end(conn)
