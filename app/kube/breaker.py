"""The circuit breaker of a cluster's client: nobody waits long for a cluster that does not answer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

OPEN_AFTER, OPEN_FOR = 3, 5.0


@dataclass
class Breaker:
    """After some failures in a row nobody waits for the cluster; then one request at a time tries again."""

    failures: int = 0
    open_until: float = 0.0
    trying: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def passes(self) -> bool:
        """Whether a request may go out now."""
        with self.lock:
            if self.failures < OPEN_AFTER:
                return True
            if self.trying or time.monotonic() < self.open_until:
                return False
            self.trying = True
            return True

    def succeeded(self) -> None:
        """Close it."""
        with self.lock:
            self.failures, self.open_until, self.trying = 0, 0.0, False

    def failed(self) -> None:
        """Count a failure; open it after some."""
        with self.lock:
            self.failures += 1
            self.trying = False
            if self.failures >= OPEN_AFTER:
                self.open_until = time.monotonic() + OPEN_FOR
