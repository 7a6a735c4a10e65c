"""Granting and revoking roles, with validity and conditions (guide 3.4, C-21)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from app import audit, caller
from app.auth import audience, decisions
from app.db import db, get_scoped, new_id, now, scoped
from app.errors import invalid
from app.words import _
from plugins.iam import delegation, directory
from plugins.iam.catalogue import role_of
from plugins.iam.grants.conditions import check_conditions
from plugins.iam.models import SERVICE_ACCOUNT, Grant, conditions_digest
from plugins.iam.permissions import ACCOUNT_GRANT, EXPIRED
from plugins.iam.principals import holder_name, name_of

WHAT = _("grant")
VALIDITY = (0, 1, 2, 3, 7, 14, 30)


def give(
    kind: str,
    principal_id: str,
    role: str,
    *,
    conditions: Sequence[Mapping[str, Any]] = (),
    expires_at: datetime | None = None,
    reason: str = "",
) -> Grant:
    """Let somebody of this tenant hold a role.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NOT_OF_THIS_TENANT, IAM/ROLE_ABOVE_YOURS, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    me = delegation.me()
    name = holder_name(me.tenant_id, kind, principal_id)
    if kind == SERVICE_ACCOUNT:
        decisions.require(ACCOUNT_GRANT)
    if role_of(me.tenant_id, role) is None:
        raise invalid({"role": _("There is no such role.")})
    delegation.need_grantable(role)
    if expires_at is not None and expires_at.tzinfo is None:
        raise invalid({"expiresAt": _("Give the time zone, such as Z.")})
    if expires_at is not None and expires_at <= now():
        raise invalid({"expiresAt": _("This is in the past.")})
    checked = check_conditions(conditions)
    row = _same(kind, principal_id, role, checked) or Grant(
        id=new_id(),
        created_at=now(),
        tenant_id=me.tenant_id,
        principal_type=kind,
        principal_id=principal_id,
        role=role,
        conditions=checked,
        granted_by=me.name,
    )
    row.expires_at, row.reason = expires_at, reason
    db.session.add(row)
    db.session.flush()
    directory.bump(me.tenant_id)
    audit.note(kind, principal_id, name, role=role, conditions=checked, expires=expires_at and expires_at.isoformat())
    return row


def revoke(grant_id: str) -> None:
    """Take a role back: it stops at the holder's next request.

    :raises ConsoleError: CORE/NOT_FOUND, IAM/ROLE_ABOVE_YOURS, CORE/FORBIDDEN
    """
    row = get_scoped(Grant, grant_id, WHAT)
    if row.principal_type == SERVICE_ACCOUNT:
        decisions.require(ACCOUNT_GRANT)
    if role_of(row.tenant_id, row.role) is not None:
        delegation.need_grantable(row.role)
    audit.note(row.principal_type, row.principal_id, name_of(row.principal_type, row.principal_id), role=row.role)
    db.session.delete(row)
    directory.bump(row.tenant_id)


def _same(kind: str, principal_id: str, role: str, conditions: list[dict[str, Any]]) -> Grant | None:
    query = scoped(Grant).where(Grant.principal_type == kind, Grant.principal_id == principal_id, Grant.role == role)
    return db.session.scalar(query.where(Grant.conditions_digest == conditions_digest(conditions)))


def take_all(tenant_id: str, kind: str, principal_id: str) -> None:
    """Remove every role that somebody holds in a tenant."""
    mine = delete(Grant).where(Grant.tenant_id == tenant_id, Grant.principal_type == kind)
    db.session.execute(mine.where(Grant.principal_id == principal_id))
    directory.bump(tenant_id)


def sweep() -> None:
    """Remove grants that expired, and record it. A grant stops at its time without this (C-21)."""
    for row in db.session.scalars(select(Grant).where(Grant.expires_at <= now())).all():
        name = name_of(row.principal_type, row.principal_id)
        with caller.acting_as(caller.system(row.tenant_id)):
            audit.record(EXPIRED, resource=(row.principal_type, row.principal_id, name), detail={"role": row.role})
        directory.bump(row.tenant_id)
        db.session.delete(row)
    db.session.commit()
