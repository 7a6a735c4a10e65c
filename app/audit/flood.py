"""Bounds what callers that nobody knows can write to the audit: the first refusals of an address are rows, the rest is
counted.

After the first, a row is written each time the number doubled, and tells it: ten thousand refusals of an hour are
twenty rows. Each process counts for itself. Tries to sign in that were checked do not pass here: the provider throttles
and records them.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from dataclasses import dataclass, field

WINDOW_SECONDS = 3_600
FREE, FREE_IN_ALL = 10, 500
MOST_ADDRESSES = 10_000
EVERYBODY = "*"


@dataclass
class Flood:
    """Refusals by address since the window began."""

    counts: dict[str, int] = field(default_factory=dict)
    began: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, address: str) -> int | None:
        """Count a refusal.

        :returns: how many came from that address within the window, 0 if so few that each is a row of its own,
            None if this one is counted only
        """
        with self.lock:
            moment = time.monotonic()
            if not self.counts or moment - self.began > WINDOW_SECONDS:
                self.counts, self.began = {}, moment
            mine, in_all = self._more(_network(address), FREE), self._more(EVERYBODY, FREE_IN_ALL)
        return None if mine is None or in_all is None else mine or in_all

    def _more(self, name: str, free: int) -> int | None:
        if name not in self.counts and len(self.counts) > MOST_ADDRESSES:
            return 0  # bounded by what everybody may
        count = self.counts[name] = self.counts.get(name, 0) + 1
        if count <= free:
            return 0
        return count if count % free == 0 and (count // free).bit_count() == 1 else None


def _network(address: str) -> str:
    """An IPv6 address counts by its /64, which one customer has whole (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


_flood = Flood()
admit = _flood.admit
