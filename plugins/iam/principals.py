"""Members, groups and service accounts as principals: where they belong, what they hold, what they are called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any

from sqlalchemy import Select, null, or_, select, update

from app.contracts.identity import Principal, RoleGrant, TenantRef, WorkspaceRef
from app.contracts.shapes import Name, doc
from app.db import db, now
from app.errors import invalid
from app.web.api import In, Out
from app.words import _
from plugins.iam.catalogue import roles_of
from plugins.iam.errors import NOT_OF_TENANT
from plugins.iam.models import (
    ACTIVE,
    GROUP,
    MEMBER,
    PLATFORM_TENANT,
    SERVICE_ACCOUNT,
    AccessKey,
    Grant,
    Group,
    GroupMember,
    Member,
    Membership,
    ServiceAccount,
    Tenant,
    Workspace,
)

DIRECT = "direct"
USED_EVERY_SECONDS = 60


class Holder(In):
    """Who: a member, a group or a service account."""

    type: Annotated[str, doc("`member`, `group` or `serviceAccount`.")]
    id: Annotated[str, doc("Identifier.")]


class PrincipalOut(Out):
    """A member, a group or a service account."""

    type: Annotated[str, doc("`member`, `group` or `serviceAccount`.")]
    id: Annotated[str, doc("Identifier.")]
    name: Name


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


def tenants_of(principal_key: str) -> Sequence[TenantRef]:
    """Enabled tenants that a principal belongs to, by name."""
    kind, _, identifier = principal_key.partition(":")
    query = select(Tenant).where(Tenant.state == ACTIVE).order_by(Tenant.name)
    if kind == MEMBER:
        mine = select(Membership.tenant_id).join(Member, Member.id == Membership.member_id)
        query = query.where(Tenant.id.in_(mine.where(Member.id == identifier, Member.state == ACTIVE)))
    else:
        query = query.where(Tenant.id.in_(select(ServiceAccount.tenant_id).where(ServiceAccount.id == identifier)))
    return [TenantRef(t.id, t.name, t.code) for t in db.session.scalars(query)]


def workspaces_of(tenant_id: str) -> Sequence[WorkspaceRef]:
    """Workspaces of a tenant, by name."""
    query = select(Workspace).where(Workspace.tenant_id == tenant_id).order_by(Workspace.name)
    return [WorkspaceRef(w.id, w.name, w.tenant_id) for w in db.session.scalars(query)]


def grants_of(principal: Principal) -> Sequence[RoleGrant]:
    """The roles that a principal holds now, directly and through groups, oldest first."""
    rows = db.session.execute(_held_by(principal)).all()
    roles = roles_of(principal.tenant_id, {role for role, *_ in rows})
    return [
        RoleGrant(role, *roles[role], f"group {group}" if group else DIRECT, expires_at, tuple(conditions))
        for role, expires_at, conditions, group, _ in rows
        if role in roles
    ]


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


def roles_held(tenant_id: str, member_ids: Collection[str]) -> dict[str, set[str]]:
    """The roles that each of these members holds now in a tenant, directly and through groups."""
    found: dict[str, set[str]] = {}
    in_force = (Grant.tenant_id == tenant_id, or_(Grant.expires_at.is_(None), Grant.expires_at > now()))
    own = select(Grant.principal_id, Grant.role).where(*in_force, Grant.principal_type == MEMBER)
    through = select(GroupMember.member_id, Grant.role).join(Grant, Grant.principal_id == GroupMember.group_id)
    for query, column in (
        (own, Grant.principal_id),
        (through.where(*in_force, Grant.principal_type == GROUP), GroupMember.member_id),
    ):
        for member_id, role in db.session.execute(query.where(column.in_(member_ids))):
            found.setdefault(member_id, set()).add(role)
    return found


def note_use(key_id: str, source_ip: str) -> None:
    """Note when and from where a key was used, once a minute at most."""
    row = db.session.get(AccessKey, key_id)
    moment = now()
    if row is None or (row.last_used_at and (moment - row.last_used_at).total_seconds() <= USED_EVERY_SECONDS):
        return
    values = {"last_used_at": moment, "last_used_ip": source_ip}
    db.session.execute(update(AccessKey).where(AccessKey.id == key_id).values(values))
    db.session.commit()


def holder_name(tenant_id: str, kind: str, principal_id: str) -> str:
    """The name of somebody of a tenant.

    :raises ConsoleError: IAM/NOT_OF_THIS_TENANT
    """
    if kind == MEMBER:
        query = select(Member.name).join(Membership, Membership.member_id == Member.id)
        name = db.session.scalar(query.where(Member.id == principal_id, Membership.tenant_id == tenant_id))
    else:
        model: Any = {GROUP: Group, SERVICE_ACCOUNT: ServiceAccount}.get(kind)
        if model is None:
            raise invalid({"principal/type": _("member, group or serviceAccount")})
        name = db.session.scalar(select(model.name).where(model.id == principal_id, model.tenant_id == tenant_id))
    if name is None:
        raise NOT_OF_TENANT(name=principal_id)
    return name


def name_of(kind: str, principal_id: str) -> str:
    """The name of a holder, wherever they are."""
    return names_of([(kind, principal_id)])[kind, principal_id]


def names_of(holders: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The names of holders by kind and identifier, read at once for each kind; whoever is gone has their identifier."""
    found = {holder: holder[1] for holder in holders}
    models: tuple[tuple[str, Any], ...] = ((MEMBER, Member), (GROUP, Group), (SERVICE_ACCOUNT, ServiceAccount))
    for kind, model in models:
        if wanted := {identifier for of, identifier in found if of == kind}:
            query = select(model.id, model.name).where(model.id.in_(wanted))
            found |= {(kind, row[0]): row[1] for row in db.session.execute(query)}
    return found


def members_of(tenant_id: str) -> Select[Member]:
    """Members of a tenant."""
    return select(Member).join(Membership, Membership.member_id == Member.id).where(Membership.tenant_id == tenant_id)


def home_tenant(member: Member | None) -> str:
    """The tenant whose audit tells of a person's sign-ins: their first; the platform's for unknown names."""
    if member is not None:
        mine = select(Membership.tenant_id).where(Membership.member_id == member.id).order_by(Membership.created_at)
        if found := db.session.scalar(mine.limit(1)):
            return found
    return db.session.scalar(select(Tenant.id).where(Tenant.code == PLATFORM_TENANT)) or ""
