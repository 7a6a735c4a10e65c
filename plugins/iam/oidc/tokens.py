"""Issuing, finding and taking back tokens. Only digests are stored; a family of refresh tokens dies as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update

from app import crypto
from app.db import affected, db, new_id, now
from plugins.iam.models import MEMBER
from plugins.iam.models.oidc import ProviderSession, Token

ACCESS = timedelta(hours=1)
REFRESH = timedelta(hours=12)


def find_access(bearer: str) -> Token | None:
    """The row of an access token that is neither expired nor taken back."""
    query = select(Token).where(Token.access_digest == crypto.digest(bearer))
    row: Token | None = db.session.scalar(query.where(Token.revoked_at.is_(None), Token.expires_at > now()))
    if row is None or not session_lives(row.session_id):
        return None
    return row


def session_lives(session_id: str | None) -> bool:
    """Whether the session that a token came from has not been ended; a token of a program has none."""
    return session_id is None or db.session.get(ProviderSession, session_id) is not None


def find_refresh(token: str) -> Token | None:
    """The row of a refresh token, in whatever state."""
    return db.session.scalar(select(Token).where(Token.refresh_digest == crypto.digest(token)))


def store(
    token: dict[str, Any],
    *,
    client_id: str,
    principal: tuple[str, str],
    tenant_id: str | None,
    family: str | None = None,
    code_id: str | None = None,
    session_id: str | None = None,
    auth_time: datetime | None = None,
    amr: Sequence[str] = (),
    refresh_until: datetime | None = None,
) -> Token:
    """Keep the digests of a token that is about to be handed out."""
    moment = now()
    refresh = token.get("refresh_token")
    row = Token(
        id=new_id(),
        access_digest=crypto.digest(token["access_token"]),
        refresh_digest=crypto.digest(refresh) if refresh else None,
        family=family or new_id(),
        code_id=code_id,
        client_id=client_id,
        principal_type=principal[0],
        principal_id=principal[1],
        tenant_id=tenant_id,
        session_id=session_id,
        scope=token.get("scope", ""),
        auth_time=auth_time,
        amr=list(amr),
        expires_at=moment + timedelta(seconds=int(token["expires_in"])),
        refresh_expires_at=(refresh_until or moment + REFRESH) if refresh else None,
    )
    db.session.add(row)
    db.session.flush()
    return row


def claim_refresh(row: Token) -> bool:
    """Use a refresh token up. Of several attempts at once, one wins (RFC 9700, 4.14.2)."""
    moment = now()
    live = update(Token).where(Token.id == row.id, Token.rotated_at.is_(None), Token.revoked_at.is_(None))
    return bool(affected(live.where(Token.refresh_expires_at > moment).values(rotated_at=moment, revoked_at=moment)))


def revoke(condition: ColumnElement[bool]) -> int:
    """Take back the tokens that fit; at once, everywhere, since a token is looked up at every use.

    :returns: how many there were
    """
    return affected(update(Token).where(condition, Token.revoked_at.is_(None)).values(revoked_at=now()))


def revoke_member(member_id: str, tenant_id: str | None = None) -> int:
    """Take back the tokens of a member, in one tenant or everywhere."""
    condition = (Token.principal_type == MEMBER) & (Token.principal_id == member_id)
    return revoke(condition & (Token.tenant_id == tenant_id) if tenant_id else condition)
