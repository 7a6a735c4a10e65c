"""Periodic work of IAM, what doctor checks, and what the palette finds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

from flask import url_for
from sqlalchemy import delete, func, or_, select

from app import audit, caller, crypto
from app.contracts.declarations import Found
from app.db import db, now, scoped
from app.web.listing import matching
from app.words import Text, _
from plugins.iam import members, permissions, roles
from plugins.iam.models import PLATFORM_TENANT, Group, Member, Membership, Tenant
from plugins.iam.oidc import keys
from plugins.iam.oidc.models import AuthorizationCode, SigningKey, Token
from plugins.iam.service import handing
from plugins.iam.signin import session

KEPT = timedelta(days=1)
EARLIEST = 1_700_000_000


def rotate_keys() -> None:
    """Take the step of key rotation that is due."""
    done = keys.rotate()
    if done:
        tenant_id = db.session.scalar(select(Tenant.id).where(Tenant.code == PLATFORM_TENANT)) or ""
        with caller.acting_as(caller.system(tenant_id)):
            audit.record(permissions.KEYS_ROTATED, detail={"step": done})
    db.session.commit()


def sweep() -> None:
    """Remove what expired: codes, tokens (kept a day, so that a reuse is noticed), sessions at the provider."""
    moment = now() - KEPT
    db.session.execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at < moment))
    over = or_(Token.refresh_expires_at.is_(None), Token.refresh_expires_at < moment)
    db.session.execute(delete(Token).where(Token.expires_at < moment, over))
    session.sweep()
    db.session.commit()


def check_keys() -> Text | None:
    """Whether the signing keys open with the site's key ring."""
    try:
        keys.active()
    except crypto.KeyMissing as error:
        return _("The signing key cannot be opened: {error}. Put the key back into ANTSTACK_KEYS.").format(error=error)
    many = db.session.scalar(select(func.count()).select_from(SigningKey)) or 0
    return None if many else _("There is no signing key.")


def check_clock() -> Text | None:
    """Whether the clock is plausible: tokens live by it."""
    if time.time() > EARLIEST:
        return None
    return _("The clock is in the past; set it, or tokens are refused.")


def find_members(text: str, limit: int) -> Sequence[Found]:
    """Members by name or login."""
    query = (
        members.of_tenant(handing.me().tenant_id).where(matching(text, (Member.login, Member.name)))
        if text.strip()
        else None
    )
    rows = db.session.scalars(query.order_by(Member.login).limit(limit)).all() if query is not None else ()
    return [Found(_("Member"), m.name, url_for("iam.member", member_id=m.id), m.login) for m in rows]


def find_groups(text: str, limit: int) -> Sequence[Found]:
    """Groups by name."""
    if not text.strip():
        return []
    rows = db.session.scalars(scoped(Group).where(matching(text, (Group.name,))).order_by(Group.name).limit(limit))
    return [Found(_("Group"), g.name, url_for("iam.group", group_id=g.id), g.description) for g in rows]


def find_roles(text: str, limit: int) -> Sequence[Found]:
    """Roles by name or code."""
    found = roles.all_of(handing.me().tenant_id, text)[:limit] if text.strip() else []
    return [Found(_("Role"), str(r.name), url_for("iam.role", role_id=r.id), r.code) for r in found]


def others_are_in() -> bool:
    """Whether the tenant has more than its first member."""
    mine = select(func.count()).where(Membership.tenant_id == handing.me().tenant_id)
    return (db.session.scalar(mine) or 0) > 1
