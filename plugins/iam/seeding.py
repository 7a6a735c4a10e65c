"""What a site begins with: enterprise, tenants, first administrator; for the demo one account of every role."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import select

from app import site
from app.contracts.seed import Seed
from app.db import Model, db, new_id, now
from plugins.iam import directory, passwords
from plugins.iam.models import (
    GROUP,
    MEMBER,
    PLATFORM_TENANT,
    SERVICE_ACCOUNT,
    AccessKey,
    Enterprise,
    Grant,
    Group,
    GroupMember,
    Member,
    Membership,
    ServiceAccount,
    Tenant,
    Workspace,
)
from plugins.iam.oidc import keys

M = TypeVar("M", bound=Model)
ENVIRONMENT_ADMIN = "yunyou-environment-administrator"
TENANT_ADMIN, PLATFORM_ADMIN = "tenant-administrator", "platform-administrator"
PEOPLE: Sequence[tuple[str, str, str, tuple[Any, ...]]] = (
    ("tenant-admin", "Tang Min", TENANT_ADMIN, ()),
    ("env-admin", "Huang Ling", ENVIRONMENT_ADMIN, ()),
    ("delivery", "De Liu", "yunyou-delivery-engineer", ()),
    (
        "operations",
        "Ops Wei",
        "yunyou-operations-engineer",
        ({"kind": "resource", "attribute": "product", "values": ["VOTE"]},),
    ),
    ("observer", "Guan Cha", "yunyou-observer", ()),
)


def seed(wanted: Seed) -> None:
    """Fill *wanted* with the identifiers of tenant, workspace and administrator, making what is not there."""
    found = _Site(wanted)
    wanted.tenant_id, wanted.workspace_id = found.retail.id, found.space.id
    if wanted.live:
        environment_admin = db.session.scalar(select(Member).where(Member.login == found.login("env-admin")))
        wanted.admin_key = f"{MEMBER}:{environment_admin.id}" if environment_admin else ""
        return
    keys.active()
    found.administrator()
    found.people()
    found.programs()


class _Site:
    """The demo site as it is being made; every method may be repeated."""

    def __init__(self, wanted: Seed) -> None:
        self.wanted = wanted
        first(wanted.enterprise)
        self.platform = tenant(PLATFORM_TENANT, "Platform")
        self.retail = tenant("retail", "Retail Cloud")
        self.lab = tenant("lab", "Research Lab")
        workspace(self.platform, "Platform")
        self.space = workspace(self.retail, "Production")
        workspace(self.lab, "Sandbox")
        self.accounts: list[dict[str, Any]] = wanted.facts.setdefault("accounts", [])
        self.keys: list[dict[str, Any]] = wanted.facts.setdefault("accessKeys", [])

    def login(self, name: str) -> str:
        """A login name beside the administrator's."""
        return f"{name}@{self.wanted.admin_login.partition('@')[2]}"

    def administrator(self) -> None:
        """The platform administrator, who administers both first tenants."""
        member = self._person(self.wanted.admin_login, "Administrator", self.wanted.admin_password)
        roles = known(PLATFORM_ADMIN, TENANT_ADMIN)
        for place in (self.platform, self.retail):
            for role in roles:
                grant(place, MEMBER, member.id, role)
            join(place, member)
        self._account(member, roles, self.retail, self.wanted.admin_password)

    def people(self) -> None:
        """One person for every role of the guide's 2.11.1, and one of another tenant."""
        for name, person, role, conditions in PEOPLE:
            member = self._person(self.login(name), person)
            join(self.retail, member)
            roles = known(role)
            for code in roles:
                grant(self.retail, MEMBER, member.id, code, conditions)
            self._account(member, roles, self.retail)
            if role == ENVIRONMENT_ADMIN:
                self.wanted.admin_key = f"{MEMBER}:{member.id}"
        other = self._person(self.login("lab-admin"), "Ji Lab")
        join(self.lab, other)
        roles = known(TENANT_ADMIN, ENVIRONMENT_ADMIN)
        for code in roles:
            grant(self.lab, MEMBER, other.id, code)
        self._account(other, roles, self.lab)
        self._group()

    def _group(self) -> None:
        group = one(Group, tenant_id=self.retail.id, name="Night shift") or add(
            Group(id=new_id(), tenant_id=self.retail.id, name="Night shift", description="On call from 22:00 to 08:00")
        )
        observer = db.session.scalar(select(Member).where(Member.login == self.login("observer")))
        if observer and one(GroupMember, group_id=group.id, member_id=observer.id) is None:
            add(GroupMember(group_id=group.id, member_id=observer.id))
        for code in known("yunyou-observer"):
            grant(self.retail, GROUP, group.id, code)

    def programs(self) -> None:
        """Two service accounts with a key each."""
        for name, role in (("pipeline", ENVIRONMENT_ADMIN), ("monitor", "yunyou-observer")):
            account = one(ServiceAccount, tenant_id=self.retail.id, name=name) or add(
                ServiceAccount(id=new_id(), tenant_id=self.retail.id, name=name, description="Made by the demo")
            )
            roles = known(role)
            for code in roles:
                grant(self.retail, SERVICE_ACCOUNT, account.id, code)
            key = one(AccessKey, tenant_id=self.retail.id, owner_type=SERVICE_ACCOUNT, owner_id=account.id) or add(
                new_key(self.retail.id, SERVICE_ACCOUNT, account.id)
            )
            self.keys.append({"id": key.id, "secret": key.secret, "roles": roles, "tenant": self.retail.id})

    def _person(self, login: str, name: str, password: str = "") -> Member:
        password = password or passwords.derived(self.wanted.admin_password, login)
        return one(Member, login=login) or add(person(login, name, password))

    def _account(self, member: Member, roles: list[str], place: Tenant, password: str = "") -> None:
        password = password or passwords.derived(self.wanted.admin_password, member.login)
        self.accounts.append({"login": member.login, "password": password, "roles": roles, "tenant": place.id})


def first(enterprise: str) -> Enterprise:
    """The one enterprise of the site."""
    return db.session.scalar(select(Enterprise)) or add(Enterprise(id=new_id(), name=enterprise))


def tenant(code: str, name: str) -> Tenant:
    """The tenant of this code."""
    return one(Tenant, code=code) or add(Tenant(id=new_id(), code=code, name=name, security={}))


def workspace(place: Tenant, name: str) -> Workspace:
    """The workspace of this name."""
    found = one(Workspace, tenant_id=place.id, name=name)
    return found or add(Workspace(id=new_id(), tenant_id=place.id, name=name))


def person(login: str, name: str, password: str) -> Member:
    """A member, not yet of any tenant."""
    return Member(
        id=new_id(), login=login, name=name, password_hash=passwords.hashed(password), password_changed_at=now()
    )


def join(place: Tenant, member: Member) -> None:
    """Make *member* belong to a tenant."""
    if one(Membership, tenant_id=place.id, member_id=member.id) is None:
        add(Membership(id=new_id(), tenant_id=place.id, member_id=member.id))


def grant(place: Tenant, kind: str, principal_id: str, role: str, conditions: Sequence[Any] = ()) -> None:
    """Give a role, unless it is held already."""
    if one(Grant, tenant_id=place.id, principal_type=kind, principal_id=principal_id, role=role) is None:
        add(
            Grant(
                id=new_id(),
                tenant_id=place.id,
                principal_type=kind,
                principal_id=principal_id,
                role=role,
                conditions=list(conditions),
                granted_by="system",
            )
        )
        directory.bump(place.id)


def new_key(tenant_id: str, owner_type: str, owner_id: str) -> AccessKey:
    """A fresh AccessKey."""
    return AccessKey(
        id=f"AK{new_id().upper()}",
        created_at=now(),
        tenant_id=tenant_id,
        owner_type=owner_type,
        owner_id=owner_id,
        secret=secrets.token_urlsafe(30),
    )


def known(*roles: str) -> list[str]:
    """Those of the roles that this site declares."""
    return [role for role in roles if role in site.catalogue().roles]


def one(model: type[M], **wanted: object) -> M | None:
    """The row with these values."""
    return db.session.scalar(select(model).filter_by(**wanted).limit(1))


def add(row: M) -> M:
    """Store a row now, so that the next query finds it."""
    db.session.add(row)
    db.session.flush()
    return row
