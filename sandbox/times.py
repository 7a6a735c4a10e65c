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


def human(span: float) -> str:
    """A duration as apimachinery's ``duration.HumanDuration`` prints it."""
    seconds = int(span)
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes = seconds // 60
    if minutes < 10:
        return f"{minutes}m" + (f"{seconds % 60}s" if seconds % 60 else "")
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    if years < 8:
        return f"{years}y" + (f"{days % 365}d" if days % 365 else "")
    return f"{years}y"
