"""Times as the API writes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> str:
    """This second: ``2026-11-23T12:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def at(seconds: float) -> str:
    """That second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def micro() -> str:
    """This microsecond, as leases and new events have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(text: str | None) -> float:
    """Seconds since the epoch of a time as written; 0 without one."""
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def age(text: str | None) -> str:
    """How long ago, as kubectl prints it (duration.HumanDuration)."""
    if not text:
        return "<unknown>"
    return human(time.time() - seconds_of(text))


# Up to so many seconds: the unit shown, and the smaller one shown beside it.
_STEPS = (
    (600, 60, "m", 1, "s"),
    (180 * 60, 60, "m", 0, ""),
    (8 * 3600, 3600, "h", 60, "m"),
    (48 * 3600, 3600, "h", 0, ""),
    (8 * 86400, 86400, "d", 3600, "h"),
    (2 * 365 * 86400, 86400, "d", 0, ""),
    (8 * 365 * 86400, 365 * 86400, "y", 86400, "d"),
)


def human(span: float) -> str:
    """A duration as apimachinery's ``duration.HumanDuration`` prints it."""
    seconds = int(span)
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    for limit, unit, letter, smaller, other in _STEPS:
        if seconds < limit:
            rest = seconds % unit // smaller if smaller else 0
            return f"{seconds // unit}{letter}" + (f"{rest}{other}" if rest else "")
    return f"{seconds // (365 * 86400)}y"
