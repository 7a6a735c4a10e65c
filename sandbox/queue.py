"""The controllers' work: keys to look at, each at most once at a time, some of them later."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger("sandbox")
SLICE = 0.01  # seconds of work before requests get their turn
Work = Callable[[Any], None]


class Queue:
    """Runs work in the order it came. Everything happens in the event loop's thread."""

    def __init__(self) -> None:
        self._ready: dict[tuple[Work, Any], None] = {}
        self._later: list[tuple[float, int, tuple[Work, Any]]] = []
        self._due: dict[tuple[Work, Any], float] = {}
        self._failures: dict[tuple[Work, Any], int] = {}
        self._count = 0
        self._wake = asyncio.Event()

    def add(self, work: Work, key: Any) -> None:
        """Look at *key* soon."""
        self._ready[work, key] = None
        self._wake.set()

    def after(self, delay: float, work: Work, key: Any) -> None:
        """Look at *key* in *delay* seconds, or earlier if that was asked for before."""
        when = time.monotonic() + delay
        item = (work, key)
        if self._due.get(item, when + 1) <= when:
            return
        self._due[item] = when
        self._count += 1
        heapq.heappush(self._later, (when, self._count, item))
        if self._later[0][2] == item:
            self._wake.set()

    def _collect(self) -> float | None:
        """Move what is due; return the seconds until the next one."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            when, _, item = heapq.heappop(self._later)
            if self._due.get(item) == when:
                del self._due[item]
                self._ready[item] = None
        return max(self._later[0][0] - now, 0.001) if self._later else None

    async def run(self) -> None:
        """Work for ever, a slice at a time."""
        while True:
            wait = self._collect()
            if not self._ready:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait)
                continue
            until = time.monotonic() + SLICE
            while self._ready and time.monotonic() < until:
                item = next(iter(self._ready))
                del self._ready[item]
                self._do(item)
            await asyncio.sleep(0)

    def _do(self, item: tuple[Work, Any]) -> None:
        work, key = item
        try:
            work(key)
            self._failures.pop(item, None)
        except Exception:
            failures = self._failures[item] = self._failures.get(item, 0) + 1
            log.exception("sandbox: %s of %s failed", getattr(work, "__qualname__", work), key)
            self.after(min(0.05 * 2**failures, 30), work, key)
