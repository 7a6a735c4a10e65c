"""The site's own directory: answers core's questions about people, tenants, grants and keys."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import select, update

from app.auth.decisions import forget_epoch
from app.contracts.identity import Directory, Principal, RoleGrant, Signer, TenantRef, TokenRef, WorkspaceRef
from app.db import db
from plugins.iam import principals
from plugins.iam.models import (
    ACTIVE,
    MEMBER,
    SERVICE_ACCOUNT,
    AccessKey,
    Member,
    ServiceAccount,
    Tenant,
)


class LocalDirectory(Directory):
    """Answers from this site's database."""

    def tenants_of(self, principal_key: str) -> Sequence[TenantRef]:
        return principals.tenants_of(principal_key)

    def workspaces_of(self, tenant_id: str) -> Sequence[WorkspaceRef]:
        return principals.workspaces_of(tenant_id)

    def principal(self, principal_key: str, tenant_id: str) -> Principal | None:
        return principals.find_principal(principal_key, tenant_id)

    def epoch(self, tenant_id: str) -> int:
        return db.session.scalar(select(Tenant.epoch).where(Tenant.id == tenant_id)) or 0

    def grants(self, principal: Principal) -> Sequence[RoleGrant]:
        return principals.grants_of(principal)

    def signer(self, key_id: str, text: str, signature: str, source_ip: str) -> Signer:
        row = db.session.get(AccessKey, key_id)
        if row is None:
            return Signer("unknown")
        if row.state != ACTIVE:
            return Signer("disabled")
        principal = principals.owner_of(row)
        if principal is None:
            return Signer("owner-not-active")
        expected = hmac.new(row.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return Signer("wrong")
        principals.note_use(key_id, source_ip)
        return Signer("right", principal)

    def token(self, bearer: str) -> TokenRef | None:
        from plugins.iam.oidc import access  # with Authlib, which a start does without

        found = access.find(bearer)
        if found is None:
            return None
        row = found.row
        principal = found.client.principal or self.principal(
            f"{row.principal_type}:{row.principal_id}", row.tenant_id or ""
        )
        if principal is None:
            return None
        return TokenRef(
            principal, row.client_id, frozenset(found.audience), found.scopes, found.delegated, "mfa" in row.amr
        )

    def key_of(self, login: str) -> str:
        """The principal key of a login name, or of a service account's name; empty when nobody has it."""
        member = db.session.scalar(select(Member.id).where(Member.login == login.strip().lower()))
        if member:
            return f"{MEMBER}:{member}"
        account = db.session.scalar(select(ServiceAccount.id).where(ServiceAccount.name == login))
        return f"{SERVICE_ACCOUNT}:{account}" if account else ""


def bump(tenant_id: str) -> None:
    """Say that what somebody of the tenant may do has changed; in the transaction of the change."""
    db.session.execute(update(Tenant).where(Tenant.id == tenant_id).values(epoch=Tenant.epoch + 1))
    forget_epoch()
