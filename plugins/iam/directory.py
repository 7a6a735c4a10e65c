"""The site's own directory: answers core's questions about people, tenants, grants and keys."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import null, or_, select, update

from app import site
from app.auth.decisions import forget_epoch
from app.contracts.identity import Directory, Principal, RoleGrant, Signer, TenantRef, TokenRef, WorkspaceRef
from app.db import db, now
from app.words import Text, plain
from plugins.iam import offered
from plugins.iam.models import (
    ACTIVE,
    GROUP,
    MEMBER,
    SERVICE_ACCOUNT,
    AccessKey,
    CustomRole,
    Grant,
    Group,
    GroupMember,
    Member,
    Membership,
    ServiceAccount,
    Tenant,
    Workspace,
)
from plugins.iam.principals import find_principal, owner_of

DIRECT = "direct"
USED_EVERY_SECONDS = 60


class LocalDirectory(Directory):
    """Answers from this site's database."""

    def tenants_of(self, principal_key: str) -> Sequence[TenantRef]:
        kind, _, identifier = principal_key.partition(":")
        query = select(Tenant).where(Tenant.state == ACTIVE).order_by(Tenant.name)
        if kind == MEMBER:
            mine = select(Membership.tenant_id).join(Member, Member.id == Membership.member_id)
            query = query.where(Tenant.id.in_(mine.where(Member.id == identifier, Member.state == ACTIVE)))
        else:
            query = query.where(Tenant.id.in_(select(ServiceAccount.tenant_id).where(ServiceAccount.id == identifier)))
        return [TenantRef(t.id, t.name, t.code) for t in db.session.scalars(query)]

    def workspaces_of(self, tenant_id: str) -> Sequence[WorkspaceRef]:
        query = select(Workspace).where(Workspace.tenant_id == tenant_id).order_by(Workspace.name)
        return [WorkspaceRef(w.id, w.name, w.tenant_id) for w in db.session.scalars(query)]

    def principal(self, principal_key: str, tenant_id: str) -> Principal | None:
        return find_principal(principal_key, tenant_id)

    def epoch(self, tenant_id: str) -> int:
        return db.session.scalar(select(Tenant.epoch).where(Tenant.id == tenant_id)) or 0

    def grants(self, principal: Principal) -> Sequence[RoleGrant]:
        rows = db.session.execute(_held_by(principal)).all()
        roles = roles_of(principal.tenant_id, {role for role, *_ in rows})
        return [
            RoleGrant(role, *roles[role], f"group {group}" if group else DIRECT, expires_at, tuple(conditions))
            for role, expires_at, conditions, group, _ in rows
            if role in roles
        ]

    def signer(self, key_id: str, text: str, signature: str, source_ip: str) -> Signer:
        row = db.session.get(AccessKey, key_id)
        if row is None:
            return Signer("unknown")
        if row.state != ACTIVE:
            return Signer("disabled")
        principal = owner_of(row)
        if principal is None:
            return Signer("owner-not-active")
        expected = hmac.new(row.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return Signer("wrong")
        note_use(key_id, source_ip)
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


def _held_by(principal: Principal) -> Any:
    """Role, end and conditions of each grant in force of a principal, and the group that it is held through, oldest
    first.

    Two look-ups in one index, not a scan.
    """
    in_force = or_(Grant.expires_at.is_(None), Grant.expires_at > now())
    told = (Grant.role, Grant.expires_at, Grant.conditions)
    mine = (Grant.tenant_id == principal.tenant_id, in_force)
    own = select(*told, null().label("group"), Grant.id).where(
        *mine, Grant.principal_type == principal.type, Grant.principal_id == principal.id
    )
    through = (
        select(*told, Group.name, Grant.id)
        .join(Group, Group.id == Grant.principal_id)
        .join(GroupMember, GroupMember.group_id == Group.id)
        .where(
            *mine,
            Grant.principal_type == GROUP,
            GroupMember.member_id == principal.id,
            Group.tenant_id == principal.tenant_id,
        )
    )
    held = own.union_all(through) if principal.type == MEMBER else own
    return held.order_by("id")


def role_of(tenant_id: str, code: str) -> tuple[Text, frozenset[str]] | None:
    """Name and permissions of a built-in or custom role; None when there is none. What only joined sites have allows
    nothing here.
    """
    return roles_of(tenant_id, {code}).get(code)


def roles_of(tenant_id: str, codes: Collection[str]) -> dict[str, tuple[Text, frozenset[str]]]:
    """Name and permissions of roles by code, read at once; those that do not exist are left out."""
    known = site.catalogue().roles
    found = {code: (known[code].title, frozenset(known[code].permissions)) for code in codes if code in known}
    if others := set(codes) - found.keys():
        query = select(CustomRole).where(CustomRole.tenant_id == tenant_id, CustomRole.code.in_(others))
        found |= {row.code: (plain(row.name), frozenset(row.permissions)) for row in db.session.scalars(query)}
    if others := set(codes) - found.keys():
        elsewhere = offered.roles()
        found |= {code: (elsewhere[code].title, frozenset()) for code in others if code in elsewhere}
    return found


def bump(tenant_id: str) -> None:
    """Say that what somebody of the tenant may do has changed; in the transaction of the change."""
    db.session.execute(update(Tenant).where(Tenant.id == tenant_id).values(epoch=Tenant.epoch + 1))
    forget_epoch()


def note_use(key_id: str, source_ip: str) -> None:
    """Note when and from where a key was used, once a minute at most."""
    row = db.session.get(AccessKey, key_id)
    moment = now()
    if row is None or (row.last_used_at and (moment - row.last_used_at).total_seconds() <= USED_EVERY_SECONDS):
        return
    values = {"last_used_at": moment, "last_used_ip": source_ip}
    db.session.execute(update(AccessKey).where(AccessKey.id == key_id).values(values))
    db.session.commit()
