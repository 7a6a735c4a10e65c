"""Periodic work of the provider, and what doctor checks of it."""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import delete, func, or_, select

from app import audit, caller, crypto
from app.db import db, now
from app.words import Text, _
from plugins.iam import permissions
from plugins.iam.models import PLATFORM_TENANT, Tenant
from plugins.iam.models.oidc import AuthorizationCode, SigningKey, Token
from plugins.iam.oidc import keys, session

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
