"""Members and service accounts as principals."""

from __future__ import annotations

from sqlalchemy import select

from app.contracts.identity import Principal
from app.db import db
from plugins.iam.models import ACTIVE, MEMBER, SERVICE_ACCOUNT, AccessKey, Member, Membership, ServiceAccount, Tenant


def find_principal(principal_key: str, tenant_id: str) -> Principal | None:
    """The member or service account acting in a tenant, or None when it is unknown, frozen, removed or not of that
    tenant.
    """
    kind, _, identifier = principal_key.partition(":")
    if kind == MEMBER:
        found = db.session.execute(
            select(Member.name, Member.login)
            .join(Membership, Membership.member_id == Member.id)
            .join(Tenant, Tenant.id == Membership.tenant_id)
            .where(Member.id == identifier, Member.state == ACTIVE)
            .where(Membership.tenant_id == tenant_id, Tenant.state == ACTIVE)
        ).first()
        return Principal("member", identifier, found[0], found[1], tenant_id) if found else None
    if kind == SERVICE_ACCOUNT:
        name = db.session.scalar(
            select(ServiceAccount.name).where(
                ServiceAccount.id == identifier, ServiceAccount.tenant_id == tenant_id, ServiceAccount.state == ACTIVE
            )
        )
        return Principal("serviceAccount", identifier, name, name, tenant_id) if name else None
    return None


def owner_of(key: AccessKey) -> Principal | None:
    """Whom a key acts for, while they are active."""
    return find_principal(f"{key.owner_type}:{key.owner_id}", key.tenant_id)
