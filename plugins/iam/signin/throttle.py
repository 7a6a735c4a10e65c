"""Slowing down who guesses passwords: by account, known or not, and by address; in Redis, else in this process.

An attempt is counted before the password is looked at, in one step of Redis, so that of many at once each counts. The
free ones used up, an attempt must take the account's lock, of which there is one at a time: what guesses in parallel
gets no more tries than what guesses in turn. A browser in which somebody signed in before counts for itself
(:mod:`plugins.iam.signin.device`), so that a stranger cannot lock them out.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from app.jobs.queue import connection

FREE_TRIES = 5
LONGEST = 900
WINDOW = 3600
ADDRESS_TRIES, ADDRESS_WINDOW = 100, 300
LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the next attempt must wait; zero when it may come."""

    seconds: int
    by_address: bool = False


def wait(account: str, address: str) -> Wait:
    """What this account and this address have to wait now."""
    left = _left(_locked(account))
    if left > 0:
        return Wait(left)
    if _count(_address(address)) >= ADDRESS_TRIES:
        return Wait(max(1, _left(_address(address))), by_address=True)
    return Wait(0)


def attempt(account: str, address: str, free: int = FREE_TRIES) -> Wait:
    """Count an attempt whose password is about to be looked at.

    :returns: what it has to wait instead; the last free one and those beyond leave the account locked, for longer
        and longer, until :func:`forget`
    """
    found = wait(account, address)
    if found.seconds:
        return found
    count = _add(_account(account), WINDOW)
    _add(_address(address), ADDRESS_WINDOW)
    delay = _delay(count, free)
    if delay and not _lock(_locked(account), delay):
        return Wait(max(1, _left(_locked(account))))
    return Wait(0)


def locked(account: str) -> int:
    """For how many seconds the account is locked now."""
    return max(0, _left(_locked(account)))


def forget(account: str) -> None:
    """After the right password, or when an administrator unlocks: begin anew."""
    for key in (_account(account), _locked(account)):
        _here.drop(key)
        try:
            connection().delete(key)
        except RedisError:
            continue


def _delay(count: int, free: int) -> int:
    return min(LONGEST, 2 ** min(count - free, 20) * 5) if count >= free else 0


def _account(account: str) -> str:
    return "iam:tries:" + hashlib.sha256(account.strip().lower().encode()).hexdigest()[:32]


def _locked(account: str) -> str:
    return _account(account) + ":locked"


def _address(address: str) -> str:
    return f"iam:tries-from:{address}"


def _add(key: str, window: int) -> int:
    """One more, in a window that begins with the first."""
    try:
        with connection().pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, window, nx=True)
            return int(pipe.execute()[0])
    except RedisError:
        return _here.add(key, window)


def _lock(key: str, seconds: int) -> bool:
    """Take the lock, if nobody has it."""
    try:
        return bool(connection().set(key, "1", nx=True, ex=seconds))
    except RedisError:
        return _here.add(key, seconds) == 1


def _count(key: str) -> int:
    try:
        return int(connection().get(key) or 0)
    except RedisError:
        return _here.look(key)[0]


def _left(key: str) -> int:
    try:
        return -(-int(connection().pttl(key)) // 1000)
    except RedisError:
        return _here.look(key)[1]


class _Process:
    """The same in this process, while Redis is away."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def add(self, key: str, window: int) -> int:
        with self._lock:
            if len(self._held) > LIMIT:
                self._held.clear()
            count, until = self._held.get(key, (0, 0.0))
            if until <= time.monotonic():
                count, until = 0, time.monotonic() + window
            self._held[key] = (count + 1, until)
            return count + 1

    def look(self, key: str) -> tuple[int, int]:
        """How many, and for how many seconds still."""
        with self._lock:
            count, until = self._held.get(key, (0, 0.0))
        left = until - time.monotonic()
        return (count, int(left) + 1) if left > 0 else (0, 0)

    def drop(self, key: str) -> None:
        with self._lock:
            self._held.pop(key, None)


_here = _Process()
