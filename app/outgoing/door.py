"""The door itself: resolve a name, check every address that it has, connect to one of those that were checked.

Between check and connection nothing resolves again, so that a name cannot mean one address when it is looked at and
another when it is used (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app import site
from app.outgoing import addresses
from app.words import Text, _

CONNECT_SECONDS = 2.0
RESOLVE_SECONDS = 5.0
LEAST_SECONDS = 0.25  # for one address of several (RFC 8305, 5)
REFUSED = _("its address is loopback, link-local or for metadata, which this site refuses")
UNKNOWN = _("its name is not known")
Option = tuple[int, int, int | bytes]


class AddressRefused(OSError):
    """A name has an address that the site's settings do not let anybody reach. No connection was made."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where one may go. ``named`` are hosts that the operator set, whose addresses are the operator's own business."""

    allow_local: bool = False
    named: frozenset[str] = frozenset()

    def resolved(self, host: str, port: int, seconds: float = RESOLVE_SECONDS) -> Sequence[Any]:
        """The addresses of a host, all of them checked.

        :param seconds: at most so long, however slow the name's servers are
        :returns: as ``socket.getaddrinfo`` does
        :raises AddressRefused: one of them is refused
        :raises socket.gaierror: it has none
        """
        found = _looked_up(host.strip("[]"), port, seconds)
        if not self.allow_local and host.lower() not in self.named:
            for *__, where in found:
                if addresses.is_refused(ipaddress.ip_address(where[0])):
                    raise AddressRefused(f"{host} is {where[0]}")
        return found

    def connect(
        self, host: str, port: int, seconds: float = CONNECT_SECONDS, options: Iterable[Option] = ()
    ) -> socket.socket:
        """A connection to a checked address of a host, with *seconds* as its timeout.

        The addresses are tried in turn; each has its share of the time that is left, so that a silent one hides no
        other.

        :raises AddressRefused, TimeoutError, OSError: it cannot be made within *seconds*
        """
        end = time.monotonic() + seconds
        error: OSError = TimeoutError(f"{host} was not reached in {seconds} s")
        found = self.resolved(host, port, seconds)
        for tried, (family, kind, protocol, __, where) in enumerate(found):
            left = end - time.monotonic()
            if left <= 0:
                break
            made = socket.socket(family, kind, protocol)
            try:
                for option in options:
                    made.setsockopt(*option)
                made.settimeout(min(left, max(LEAST_SECONDS, left / (len(found) - tried))))
                made.connect(where)
                made.settimeout(seconds)
                return made
            except OSError as problem:
                made.close()
                error = problem
        raise error

    def refuses(self, host: str) -> bool:
        """Whether one of the addresses that a host has now is refused; each connection looks again."""
        return not self.allow_local and self.problem(host) is REFUSED

    def problem(self, host: str) -> Text | None:
        """Why nothing can be sent to a host, :data:`REFUSED` or :data:`UNKNOWN`; None when it can."""
        try:
            self.resolved(host, 0)
        except AddressRefused:
            return REFUSED
        except (OSError, ValueError):
            return UNKNOWN
        return None


def of_site(*named: str) -> Door:
    """The door of the running site, where *named* hosts are the operator's."""
    return Door(site.settings().allow_local_addresses, frozenset(host.lower() for host in named))


def _looked_up(host: str, port: int, seconds: float) -> Sequence[Any]:
    """``getaddrinfo`` knows no deadline: it is asked aside, and left alone when it takes too long."""
    told: queue.SimpleQueue[Sequence[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            told.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            told.put(error)

    if _is_address(host):
        ask()
    else:
        threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = told.get(timeout=max(seconds, 0.01))
    except queue.Empty:
        raise socket.gaierror(socket.EAI_AGAIN, f"{host} was not resolved in {seconds} s") from None
    if isinstance(found, UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is no name") from found
    if isinstance(found, Exception):
        raise found
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
