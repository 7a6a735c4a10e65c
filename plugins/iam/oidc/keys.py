"""Signing keys: next → active → retired; each is published long enough before it signs and after (RFC 7517)."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from functools import lru_cache

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import delete, select

from app import site
from app.db import db, now
from plugins.iam.models.oidc import ACTIVE_KEY, NEXT, RETIRED, SigningKey

JWKS_MAX_AGE = 300
PUBLISHED_BEFORE = timedelta(seconds=2 * JWKS_MAX_AGE)
SIGNS_FOR = timedelta(days=30)
LONGEST_TOKEN = timedelta(hours=12)
ALGORITHM = "RS256"


def issuer() -> str:
    """The provider's identifier: the ``iss`` of all that its keys sign."""
    return site.settings().url


def active() -> RSAKey:
    """The one key that signs now; made at first use, since a site that begins has no relying party to warn."""
    row = _newest(ACTIVE_KEY)
    if row is None:
        row = _make(ACTIVE_KEY)
    return _imported(row.private)


def public_keys() -> list[dict[str, object]]:
    """All published keys, public halves only."""
    active()
    rows = db.session.scalars(select(SigningKey).order_by(SigningKey.created_at)).all()
    return [dict(_imported(row.private).as_dict(private=False)) for row in rows]


def key_set() -> KeySet:
    """All published keys, to verify what this site signed."""
    return KeySet.import_key_set({"keys": public_keys()})  # type: ignore[typeddict-item]


def sign(claims: dict[str, object], kind: str = "JWT") -> str:
    """*claims* as a signed token that always names its key."""
    key = active()
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": kind}, claims, key, [ALGORITHM])


def verified(token: str) -> dict[str, object]:
    """The claims of a token that this site signed, whatever its age.

    :raises JoseError, ValueError: it did not
    """
    return dict(jwt.decode(token, key_set(), algorithms=[ALGORITHM]).claims)


def rotate(force: bool = False) -> str:
    """Take the step that is due: publish a next key, let it sign, drop what nobody needs any more. Safe to repeat.

    :param force: publish a next key now, though the active one is young
    :returns: what was done: ``""``, ``published``, ``promoted``
    """
    moment = now()
    active()
    current, following = _newest(ACTIVE_KEY), _newest(NEXT)
    assert current is not None
    gone = delete(SigningKey).where(SigningKey.state == RETIRED, SigningKey.changed_at < moment - LONGEST_TOKEN)
    db.session.execute(gone)
    if following is not None and following.changed_at <= moment - PUBLISHED_BEFORE:
        current.state, current.changed_at = RETIRED, moment
        following.state, following.changed_at = ACTIVE_KEY, moment
        return "promoted"
    if following is None and (force or current.changed_at <= moment - SIGNS_FOR):
        _make(NEXT)
        return "published"
    return ""


def _newest(state: str) -> SigningKey | None:
    return db.session.scalar(
        select(SigningKey).where(SigningKey.state == state).order_by(SigningKey.created_at.desc()).limit(1)
    )


def _make(state: str) -> SigningKey:
    kid = secrets.token_hex(8)
    key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": ALGORITHM}, private=True)
    row = SigningKey(kid=kid, private=json.dumps(key.as_dict(private=True)), state=state, changed_at=now())
    db.session.add(row)
    db.session.flush()
    return row


@lru_cache(maxsize=8)
def _imported(private: str) -> RSAKey:
    """The key. OpenSSL checks it at each import, which takes longer than signing: 50 ms."""
    return RSAKey.import_key(json.loads(private))
