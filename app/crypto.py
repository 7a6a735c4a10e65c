"""Secrets at rest: AES-256-GCM under a ring of named keys (C-70)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class KeyMissing(Exception):
    """A secret was sealed under a key that the ring no longer holds, or was altered."""


class KeyRing:
    """Named keys; the first one seals, any of them opens."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self._active = next(iter(self._keys))

    def seal(self, text: str) -> str:
        """``name:base64(nonce + ciphertext)`` of *text*."""
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self._keys[self._active]).encrypt(nonce, text.encode(), self._active.encode())
        return f"{self._active}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str) -> str:
        """The text that was sealed.

        :raises KeyMissing: its key is not in the ring, or the value was altered
        """
        name, _, encoded = sealed.partition(":")
        if name not in self._keys:
            raise KeyMissing(f"ANTSTACK_KEYS lacks the key {name!r} that a stored secret was sealed with")
        raw = base64.b64decode(encoded)
        try:
            return AESGCM(self._keys[name]).decrypt(raw[:12], raw[12:], name.encode()).decode()
        except InvalidTag as error:
            raise KeyMissing(f"a stored secret does not open with the key {name!r}") from error

    def is_current(self, sealed: str) -> bool:
        """Whether the value is sealed under the key that seals now."""
        return sealed.startswith(self._active + ":")

    def sign(self, purpose: str, message: str) -> str:
        """A keyed digest of *message* for one purpose, 64 hexadecimal characters."""
        return hmac.new(self.derive(purpose), message.encode(), hashlib.sha256).hexdigest()

    def verify(self, purpose: str, message: str, signature: str, length: int = 64) -> bool:
        """Whether :meth:`sign` with any key of the ring gave *signature*, or its first characters; in constant time."""
        found = False
        for key in self._keys.values():
            expected = hmac.new(_derived(key, purpose), message.encode(), hashlib.sha256).hexdigest()[:length]
            found |= hmac.compare_digest(expected.encode(), signature.encode())
        return found

    @property
    def active(self) -> str:
        """The name of the key that seals now."""
        return self._active

    def derive(self, purpose: str, name: str = "") -> bytes:
        """A 32-byte key of its own for one purpose, from the key *name* (by default the one that seals now).

        :raises KeyMissing: the ring has no such key
        """
        if (name or self._active) not in self._keys:
            raise KeyMissing(f"ANTSTACK_KEYS lacks the key {name!r}")
        return _derived(self._keys[name or self._active], purpose)


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, b"antstack:" + purpose.encode(), hashlib.sha256).digest()


_ring: KeyRing | None = None


def use(keys: Mapping[str, bytes]) -> None:
    """Install the process's key ring; a process serves one site."""
    global _ring
    _ring = KeyRing(keys)


def ring() -> KeyRing:
    """The process's key ring."""
    if _ring is None:
        raise RuntimeError("no key ring yet: create_app installs it")
    return _ring


def digest(secret: str) -> str:
    """SHA-256 of a random token, for looking it up without keeping it. Not for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()
