"""The site's own directory: answers core's questions about people, tenants, grants and keys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select, update

from app import caller, site
from app.contracts.identity import AccessKeyRef, Directory, Principal, RoleGrant, TenantRef, TokenRef, WorkspaceRef
from app.contracts.text import Text, plain
from app.db import db, now
from app.errors import ErrorCode
from app.web.listing import matching
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

KEY_DISABLED = ErrorCode(
    "IAM/ACCESS_KEY_DISABLED",
    401,
    Text("The AccessKey {key} is disabled.", "AccessKey {key} 已被禁用。"),
    Text("Enable it, or use another one.", "请启用该 AccessKey 或改用其他 AccessKey。"),
)
OWNER_FROZEN = ErrorCode(
    "IAM/OWNER_NOT_ACTIVE",
    401,
    Text("The owner of the AccessKey {key} is frozen or has left the tenant.", "AccessKey {key} 的所有者已被冻结或已离开租户。"),
    Text("Ask a tenant administrator.", "请联系租户管理员。"),
)
ERRORS = (KEY_DISABLED, OWNER_FROZEN)
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

    def epoch(self, tenant_id: str) -> int:
        return db.session.scalar(select(Tenant.epoch).where(Tenant.id == tenant_id)) or 0

    def grants(self, principal: Principal) -> Sequence[RoleGrant]:
        groups = select(GroupMember.group_id).where(GroupMember.member_id == principal.id)
        mine = (Grant.principal_type == principal.type) & (Grant.principal_id == principal.id)
        through = (Grant.principal_type == GROUP) & Grant.principal_id.in_(groups)
        query = (
            select(Grant, Group.name)
            .outerjoin(Group, (Group.id == Grant.principal_id) & (Grant.principal_type == GROUP))
            .where(Grant.tenant_id == principal.tenant_id, or_(mine, through) if principal.type == MEMBER else mine)
            .where(or_(Grant.expires_at.is_(None), Grant.expires_at > now()))
            .order_by(Grant.created_at)
        )
        found = []
        for grant, group in db.session.execute(query):
            role = role_of(principal.tenant_id, grant.role)
            if role is not None:
                source = f"group {group}" if group else DIRECT
                found.append(RoleGrant(grant.role, role[0], role[1], source, grant.expires_at, tuple(grant.conditions)))
        return found

    def access_key(self, key_id: str) -> AccessKeyRef | None:
        found = self.peek_key(key_id)
        if found is not None:
            note_use(key_id)
        return found

    def peek_key(self, key_id: str) -> AccessKeyRef | None:
        """The key as :meth:`access_key` gives it, its use not noted: nobody has proved to hold it yet."""
        row = db.session.get(AccessKey, key_id)
        if row is None:
            return None
        if row.state != ACTIVE:
            raise KEY_DISABLED(key=key_id)
        principal = self.principal(f"{row.owner_type}:{row.owner_id}", row.tenant_id)
        if principal is None:
            raise OWNER_FROZEN(key=key_id)
        return AccessKeyRef(row.id, row.secret, principal)

    def token(self, bearer: str) -> TokenRef | None:
        from plugins.iam.oidc.tokens import find_access_token

        return find_access_token(bearer)

    def key_of(self, login: str) -> str:
        """The principal key of a login name, or of a service account's name; empty when nobody has it."""
        member = db.session.scalar(select(Member.id).where(Member.login == login.strip().lower()))
        if member:
            return f"{MEMBER}:{member}"
        account = db.session.scalar(select(ServiceAccount.id).where(ServiceAccount.name == login))
        return f"{SERVICE_ACCOUNT}:{account}" if account else ""

    def search_members(self, tenant_id: str, text: str, limit: int = 20) -> Sequence[Principal]:
        query = select(Member).join(Membership, Membership.member_id == Member.id)
        query = query.where(Membership.tenant_id == tenant_id, Member.state == ACTIVE)
        if text:
            query = query.where(matching(text, (Member.name, Member.login, Member.nickname)))
        found = db.session.scalars(query.order_by(Member.login).limit(limit))
        return [Principal("member", m.id, m.name, m.login, tenant_id) for m in found]


def role_of(tenant_id: str, code: str) -> tuple[Text, frozenset[str]] | None:
    """Name and permissions of a built-in or custom role; None when there is none."""
    built_in = site.catalogue().roles.get(code)
    if built_in is not None:
        return built_in.title, frozenset(built_in.permissions)
    query = select(CustomRole).where(CustomRole.tenant_id == tenant_id, CustomRole.code == code)
    custom = db.session.scalar(query)
    return (plain(custom.name), frozenset(custom.permissions)) if custom else None


def bump(tenant_id: str) -> None:
    """Say that what somebody of the tenant may do has changed; in the transaction of the change."""
    from app.auth.decisions import forget_epoch

    db.session.execute(update(Tenant).where(Tenant.id == tenant_id).values(epoch=Tenant.epoch + 1))
    forget_epoch()


def note_use(key_id: str) -> None:
    """Note when and from where a key was used, once a minute at most."""
    row = db.session.get(AccessKey, key_id)
    moment = now()
    if row is None or (row.last_used_at and (moment - row.last_used_at).total_seconds() <= USED_EVERY_SECONDS):
        return
    values = {"last_used_at": moment, "last_used_ip": caller.current().source_ip}
    db.session.execute(update(AccessKey).where(AccessKey.id == key_id).values(values))
    db.session.commit()
