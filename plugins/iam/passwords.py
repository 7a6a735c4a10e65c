"""Passwords: Argon2id at OWASP's first recommended cost (19 MiB, two passes, one lane), rules, and making them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.words import Text, _

SHORTEST, LONGEST = 10, 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hasher_of_random = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1)
TOO_SHORT = _("Use at least {n} characters.")
TOO_LONG = _("Use at most {n} characters.")
TOO_COMMON = _("This is among the passwords that are tried first.")
NAMES_YOU = _("It must not contain the login name.")
SAME = _("Choose another one than before.")
COMMON = ("password", "123456", "qwerty", "letmein", "iloveyou", "welcome", "admin", "abc123", "111111", "antstack")
SYLLABLES = [a + b for a in "bdfghjkmnprstvz" for b in "aeiou"]


def hashed(password: str) -> str:
    """The password as it is kept."""
    return _hasher.hash(password)


def hashed_random(password: str) -> str:
    """As :func:`hashed`, of a password that was made at random and is changed at its first use, at less cost: there
    may be thousands at once, and its 62 bits need no stretching.
    """
    return _hasher_of_random.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether it is the password. Without a stored one, or with one that costs less, it takes the same time."""
    if stored and _hasher.check_needs_rehash(stored):
        _matches(_nobody(), password)
    return _matches(stored or _nobody(), password) and bool(stored)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password[: LONGEST * 4])
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def problem(password: str, login: str, shortest: int = SHORTEST) -> Text | None:
    """What is wrong with a new password (NIST SP 800-63B-4: length and a blocklist, no composition rules)."""
    lowered = password.lower()
    if len(password) < shortest:
        return TOO_SHORT.format(n=shortest)
    if len(password) > LONGEST:
        return TOO_LONG.format(n=LONGEST)
    if len(set(password)) < 5 or any(lowered.strip("0123456789!@#$.-_") == word for word in COMMON):
        return TOO_COMMON
    name = login.partition("@")[0].lower()
    return NAMES_YOU if len(name) > 3 and name in lowered else None


def made() -> str:
    """A new random password that can be read out: about 62 bits."""
    return _readable(secrets.token_bytes(32))


def derived(secret: str, login: str) -> str:
    """The demo's password of one account: always the same for the same secret."""
    return _readable(hmac.new(secret.encode(), login.encode(), hashlib.sha256).digest())


def _readable(seed: bytes) -> str:
    number = int.from_bytes(seed, "big")
    words = []
    for __ in range(3):
        word = ""
        for __ in range(3):
            number, place = divmod(number, len(SYLLABLES))
            word += SYLLABLES[place]
        words.append(word)
    return "-".join((*words, f"{number % 100:02d}"))
