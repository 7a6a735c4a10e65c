"""Slowing down who guesses passwords: by account, known or not, and by address; in Redis, else in this process."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from app.jobs.queue import connection

FREE_TRIES = 5
LONGEST = 900
WINDOW = 3600
ADDRESS_TRIES, ADDRESS_WINDOW = 100, 300
_local: dict[str, tuple[int, float]] = {}
LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the next attempt must wait; zero when it may come."""

    seconds: int
    by_address: bool = False


def wait(login: str, address: str) -> Wait:
    """What this account and this address have to wait now."""
    account = _read(_account(login))
    left = account[1] - time.time()
    if left > 0:
        return Wait(int(left) + 1)
    count, until = _read(_address(address))
    if count >= ADDRESS_TRIES and until > time.time():
        return Wait(int(until - time.time()) + 1, by_address=True)
    return Wait(0)


def failed(login: str, address: str, free: int = FREE_TRIES) -> int:
    """Count a failure.

    :returns: for how many seconds the account is locked now; doubles with each failure beyond the free ones
    """
    count, _ = _read(_account(login))
    count += 1
    delay = min(LONGEST, 2 ** (count - free) * 5) if count >= free else 0
    _write(_account(login), count, time.time() + delay)
    seen, until = _read(_address(address))
    fresh = until <= time.time()
    _write(_address(address), 1 if fresh else seen + 1, time.time() + ADDRESS_WINDOW if fresh else until)
    return delay


def forget(login: str) -> None:
    """After the right password, or when an administrator unlocks: begin anew."""
    _local.pop(_account(login), None)
    try:
        connection().delete(_account(login))
    except RedisError:
        return


def _account(login: str) -> str:
    return "iam:tries:" + hashlib.sha256(login.strip().lower().encode()).hexdigest()[:32]


def _address(address: str) -> str:
    return f"iam:tries-from:{address}"


def _read(key: str) -> tuple[int, float]:
    try:
        raw = connection().get(key)
    except RedisError:
        return _local.get(key, (0, 0.0))
    if not raw:
        return (0, 0.0)
    count, _, until = bytes(raw).decode().partition(" ")  # type: ignore[arg-type]
    return int(count), float(until)


def _write(key: str, count: int, until: float) -> None:
    if len(_local) > LIMIT:
        _local.clear()
    _local[key] = (count, until)
    try:
        connection().set(key, f"{count} {until}", ex=WINDOW + int(max(0, until - time.time())))
    except RedisError:
        return
