"""What the sealer and the verification share: which columns are sealed, a row's digest, its HMAC under the key ring."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Text, cast

from app import crypto
from app.audit.models import AuditEvent
from app.audit.offline import SEALED

PURPOSE = "audit-seal"
OF_THE_EVENT = SEALED[:-3]  # the seal adds seq, previous, sealed_after
CREATED = OF_THE_EVENT.index("created_at")
# ``detail`` is taken as the text that is stored, so that reading it back changes nothing.
EVENT_COLUMNS = tuple(
    cast(AuditEvent.detail, Text) if name == "detail" else getattr(AuditEvent, name) for name in OF_THE_EVENT
)


def written(moment: datetime) -> str:
    """A time as it is sealed: RFC 3339 in UTC at the precision that is stored."""
    return moment.isoformat(timespec="microseconds")


def digest(event: Sequence[Any], seq: int, previous: str, sealed_after: str | None) -> str:
    """The digest of a row, given its values in the order of :data:`EVENT_COLUMNS`, the time already :func:`written`.

    As :func:`app.audit.offline.digest_of`, which says what it is, but five times as fast.
    """
    return hashlib.sha256(msgspec.json.encode([*event, seq, previous, sealed_after])).hexdigest()


def mac(found: str, key: hmac.HMAC) -> str:
    """The HMAC-SHA-256 of a digest."""
    own = key.copy()
    own.update(found.encode())
    return own.hexdigest()


def mac_key(name: str = "") -> hmac.HMAC:
    """The key that seals rows, from the key *name* of the ring, made ready: a copy costs less than a beginning.

    :raises KeyMissing: the ring has no such key
    """
    return hmac.new(crypto.ring().derive(PURPOSE, name), digestmod="sha256")


class MacKeys:
    """The keys that sealed the rows of a walk, looked up once each."""

    def __init__(self) -> None:
        self._of = cache(self._find)

    @staticmethod
    def _find(name: str) -> hmac.HMAC | None:
        try:
            return mac_key(name)
        except crypto.KeyMissing:
            return None

    def of(self, name: str) -> hmac.HMAC | None:
        """The key with this name; None if the ring has it no more."""
        return self._of(name)
