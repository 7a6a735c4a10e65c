"""The snapshot of another site's IAM: asked for, verified, shared between processes by Redis, refused when it is old
(C-1).
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import requests
from flask import current_app, g, has_request_context
from joserfc.errors import JoseError
from redis.exceptions import RedisError

from app import site
from app.auth import oidc
from app.auth.codes import NOT_VALID, PROVIDER_AWAY
from app.auth.federation import SNAPSHOT, SNAPSHOT_SECONDS, Content, HeldRole, SnapshotAnswer, SnapshotAsked, declared
from app.errors import ConsoleError
from app.jobs.queue import connection

log = logging.getLogger(__name__)
EXTENSION = "antstack.directory.snapshot"
SHARED_PROOF, SHARED_CONTENT = "antstack:iam:snapshot:proof", "antstack:iam:snapshot:content"
TURN = "antstack:iam:snapshot:asking"
ASK_AGAIN_SECONDS = 1.0


class Book:
    """The content of a snapshot, opened for look-ups."""

    def __init__(self, content: Content) -> None:
        self.tenants = {tenant.id: tenant for tenant in sorted(content.tenants, key=lambda t: t.name)}
        self.workspaces = sorted(content.workspaces, key=lambda w: w.name)
        self.principals = {(p.key, p.tenant_id): p for p in content.principals}
        self.keys = {p.login: p.key for p in content.principals}
        self.groups = content.groups
        self.roles = {(role.tenant_id, role.code): role for role in content.roles}
        self.held: dict[tuple[str, str], list[HeldRole]] = defaultdict(list)
        for grant in content.grants:
            self.held[grant.tenant_id, grant.holder].append(grant)

    def roles_of(self, principal_key: str, tenant_id: str) -> Sequence[HeldRole]:
        """What somebody holds, directly and through groups."""
        holders = (principal_key, *self.groups.get(principal_key, ()))
        return [grant for holder in holders for grant in self.held.get((tenant_id, holder), ())]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A verified snapshot; times in seconds since 1970. ``asked_at`` is by this site's clock, so a wrong one
    elsewhere adds no time.
    """

    digest: str
    book: Book
    asked_at: float
    until: float


def current() -> Snapshot:
    """The snapshot to decide on, the same one for the whole of a request.

    :raises ConsoleError: AUTH/… when there is none that is young enough
    """
    if not has_request_context():
        return _keeper().newest()
    if "directory_snapshot" not in g:
        g.directory_snapshot = _keeper().newest()
    found: Snapshot = g.directory_snapshot
    return found


def _keeper() -> Keeper:
    keeper: Keeper = current_app.extensions.setdefault(EXTENSION, Keeper())
    return keeper


class Keeper:
    """Holds the newest snapshot that this process knows of."""

    def __init__(self) -> None:
        self._held: Snapshot | None = None
        self._asking = threading.Lock()
        self._tried = 0.0
        self._trouble: ConsoleError | None = None

    def newest(self) -> Snapshot:
        """A snapshot of this second if the IAM answers, else one that is not too old.

        While one thread asks, the others wait only at the very first: an IAM that hangs must not hold them all.

        :raises ConsoleError: why there is none
        """
        must_wait = not self._is_usable() and self._trouble is None
        if not self._is_fresh() and self._asking.acquire(blocking=must_wait):
            try:
                self._renew()
            finally:
                self._asking.release()
        held = self._held
        if held is None or held.until <= time.time():
            raise self._trouble or PROVIDER_AWAY(issuer=site.settings().issuer)
        return held

    def _is_fresh(self) -> bool:
        return self._held is not None and time.time() - self._held.asked_at < ASK_AGAIN_SECONDS

    def _is_usable(self) -> bool:
        return self._held is not None and time.time() < self._held.until

    def _renew(self) -> None:
        self._take(_shared(self._held))
        asked_lately = time.monotonic() - self._tried < ASK_AGAIN_SECONDS
        if self._is_fresh() or asked_lately or (self._is_usable() and not _is_our_turn()):
            return
        try:
            self._take(_asked(self._held))
            self._trouble = None
        except ConsoleError as error:
            log.warning("no snapshot: %s", error)
            self._trouble = error
        self._tried = time.monotonic()

    def _take(self, found: Snapshot | None) -> None:
        if found is not None and (self._held is None or found.asked_at > self._held.asked_at):
            self._held = found


def _asked(held: Snapshot | None) -> Snapshot:
    """A snapshot from the IAM, left in Redis for the other processes.

    :raises ConsoleError: AUTH/…
    """
    began = time.time()
    wanted = SnapshotAsked(declared(), held.digest if held else "")
    answer = oidc.ask(SNAPSHOT, SnapshotAnswer, data=msgspec.json.encode(wanted))
    try:
        found = _opened(answer.proof, lambda: answer.content or "", began, held)
    except (JoseError, ValueError, KeyError) as error:
        raise NOT_VALID(issuer=site.settings().issuer, detail=str(error)) from error
    except requests.RequestException as error:
        raise PROVIDER_AWAY(issuer=site.settings().issuer) from error
    _share(answer, began)
    return found


def _opened(proof: str, read: Callable[[], str], asked_at: float, held: Snapshot | None) -> Snapshot:
    """The snapshot, if its proof is the IAM's, for this site, and of the content that *read* gives where it is not
    held.

    :raises JoseError, ValueError, KeyError: it is not
    """
    claims = oidc.verified(proof)
    digest, until = str(claims["sha256"]), min(float(claims["exp"]), asked_at + SNAPSHOT_SECONDS)
    if until <= time.time():
        raise ValueError("it is older than 60 s")
    if held is not None and held.digest == digest:
        return replace(held, asked_at=asked_at, until=until)
    content = read()
    if hashlib.sha256(content.encode()).hexdigest() != digest:
        raise ValueError("the content is not what was signed")
    return Snapshot(digest, Book(msgspec.json.decode(content, type=Content)), asked_at, until)


def _is_our_turn() -> bool:
    """Whether this process asks now: one of them a second. Without Redis each does."""
    try:
        return bool(connection().set(TURN, "1", nx=True, px=int(ASK_AGAIN_SECONDS * 1000)))
    except RedisError:
        return True


def _share(answer: SnapshotAnswer, asked_at: float) -> None:
    try:
        if answer.content is not None:
            connection().set(SHARED_CONTENT, answer.content)
        connection().set(SHARED_PROOF, msgspec.json.encode((answer.proof, asked_at)), ex=SNAPSHOT_SECONDS)
    except RedisError as error:
        log.warning("redis did not take the snapshot: %s", error)


def _shared(held: Snapshot | None) -> Snapshot | None:
    """What another process asked for, if it is newer; verified here again."""
    try:
        proof, asked_at = msgspec.json.decode(_read(SHARED_PROOF), type=tuple[str, float])
        if held is not None and asked_at <= held.asked_at:
            return None
        return _opened(proof, lambda: _read(SHARED_CONTENT), asked_at, held)
    except (RedisError, JoseError, ValueError, KeyError, requests.RequestException):
        return None


def _read(key: str) -> str:
    raw: Any = connection().get(key)
    return bytes(raw or b"").decode()
