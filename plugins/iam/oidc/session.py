"""The session at the provider: a row of its own and a cookie of its own, apart from the console's (C-11)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update

from app import caller, crypto, site
from app.auth.cookies import SessionCookie
from app.db import db, new_id, now
from plugins.iam.models import ACTIVE, Member
from plugins.iam.models.oidc import ProviderSession

COOKIE = SessionCookie("antstack-iam")
TOUCH_AFTER = timedelta(seconds=60)


def begin(member: Member, amr: Sequence[str]) -> tuple[ProviderSession, str]:
    """A new session; one that the browser had for the same person goes on under its identifier with a new token.

    :returns: its row, and the token for the cookie, which is nowhere else
    """
    token, moment = secrets.token_urlsafe(32), now()
    row = find()
    if row is None or row.member_id != member.id:
        row = ProviderSession(id=new_id(), member_id=member.id)
        db.session.add(row)
    row.token_digest, row.auth_time, row.amr = crypto.digest(token), moment, list(amr)
    row.last_seen_at, row.expires_at = moment, moment + timedelta(hours=site.settings().session_hours)
    row.source_ip, row.user_agent = caller.current().source_ip, caller.current().user_agent[:400]
    db.session.flush()
    return row, token


def find() -> ProviderSession | None:
    """The live session of this request's cookie, of a person who is not frozen."""
    token = COOKIE.read()
    if not token:
        return None
    mine = ProviderSession.token_digest == crypto.digest(token)
    row: ProviderSession | None = db.session.scalar(select(ProviderSession).where(mine))
    moment = now()
    idle = timedelta(minutes=site.settings().session_idle_minutes)
    if row is None or row.expires_at <= moment or row.last_seen_at + idle <= moment:
        return None
    if db.session.scalar(select(Member.state).where(Member.id == row.member_id)) != ACTIVE:
        return None
    if row.last_seen_at + TOUCH_AFTER < moment:
        db.session.execute(update(ProviderSession).where(ProviderSession.id == row.id).values(last_seen_at=moment))
    return row


def sweep() -> None:
    """Remove sessions that ended by themselves."""
    idle = timedelta(minutes=site.settings().session_idle_minutes)
    dead = (ProviderSession.expires_at <= now()) | (ProviderSession.last_seen_at <= now() - idle)
    db.session.execute(delete(ProviderSession).where(dead))
