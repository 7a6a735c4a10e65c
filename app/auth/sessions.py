"""Server-side sessions: begun at sign-in, rotated, ended, with an idle and an absolute limit (C-11)."""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import request
from sqlalchemy import delete, select, update

from app import crypto, site
from app.auth.cookies import SessionCookie
from app.auth.models import ConsoleSession
from app.contracts.identity import Directory, Principal
from app.db import affected, db, new_id, now
from app.services import need_service

COOKIE = SessionCookie("antstack")
TOUCH_AFTER = timedelta(seconds=60)


def begin(
    principal_key: str, login: str, name: str, *, sid: str = "", id_token: str = "", mfa: bool = False
) -> tuple[ConsoleSession, str]:
    """A new session without a tenant yet.

    :returns: its row, and the token for the cookie, which is nowhere else
    """
    token = secrets.token_urlsafe(32)
    settings = site.settings()
    row = ConsoleSession(
        id=new_id(),
        token_digest=crypto.digest(token),
        principal_key=principal_key,
        login=login,
        name=name,
        last_seen_at=now(),
        expires_at=now() + timedelta(hours=settings.session_hours),
        source_ip=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", "")[:400],
        mfa=mfa,
        provider_sid=sid,
        id_token=id_token or None,
    )
    db.session.add(row)
    return row, token


def find() -> ConsoleSession | None:
    """The live session of this request's cookie; its last-seen time moves at most once a minute."""
    token = COOKIE.read()
    if not token:
        return None
    row = db.session.scalar(select(ConsoleSession).where(ConsoleSession.token_digest == crypto.digest(token)))
    if row is None:
        return None
    moment = now()
    idle = timedelta(minutes=site.settings().session_idle_minutes)
    if row.expires_at <= moment or row.last_seen_at + idle <= moment:
        return None
    if row.last_seen_at + TOUCH_AFTER < moment:
        db.session.execute(update(ConsoleSession).where(ConsoleSession.id == row.id).values(last_seen_at=moment))
    return row


def principal_of(row: ConsoleSession) -> Principal | None:
    """Whom the session acts as: None before a tenant is chosen, or when the directory no longer knows them there."""
    if not row.tenant_id:
        return None
    return need_service(Directory).principal(row.principal_key, row.tenant_id)


def choose(row: ConsoleSession, tenant_id: str, workspace_id: str | None) -> str:
    """Bind the session to a tenant and workspace under a new token.

    :returns: the new token for the cookie
    """
    token = secrets.token_urlsafe(32)
    row.token_digest = crypto.digest(token)
    row.tenant_id = tenant_id
    row.workspace_id = workspace_id
    return token


def end(row: ConsoleSession) -> None:
    """End one session at once."""
    db.session.delete(row)


def end_all(principal_key: str) -> int:
    """End every session of a principal: frozen, removed, password changed.

    :returns: how many there were
    """
    return affected(delete(ConsoleSession).where(ConsoleSession.principal_key == principal_key))


def end_by_provider(sid: str) -> int:
    """End the sessions that came from one session at the provider (back-channel logout).

    :returns: how many there were
    """
    return affected(delete(ConsoleSession).where(ConsoleSession.provider_sid == sid))


def sweep() -> None:
    """Remove sessions that ended by themselves."""
    idle = timedelta(minutes=site.settings().session_idle_minutes)
    dead = (ConsoleSession.expires_at <= now()) | (ConsoleSession.last_seen_at <= now() - idle)
    db.session.execute(delete(ConsoleSession).where(dead))
    db.session.commit()
