"""Enterprise, tenants, workspaces, people, groups, service accounts, keys, roles and grants (guide chapter 3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, case, func, select
from sqlalchemy.orm import Mapped, column_property, mapped_column

from app.db import Id, Identified, Long, Model, Name, Sealed, TenantOwned, Versioned
from plugins.iam.models import oidc as _provider_models  # noqa: F401 - their tables belong to this plugin

ACTIVE, FROZEN, DISABLED = "active", "frozen", "disabled"
MEMBER, GROUP, SERVICE_ACCOUNT = "member", "group", "serviceAccount"
PLATFORM_TENANT = "ROC"


class Enterprise(Identified, Model):
    """The one enterprise of a site, made by ``antstack init``."""

    __tablename__ = "iam_enterprise"

    name: Mapped[str] = mapped_column(Name)


class Tenant(Identified, Versioned, Model):
    """A subsidiary or department. ``epoch`` moves with every change of what anybody in it may do."""

    __tablename__ = "iam_tenant"

    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(Name)
    state: Mapped[str] = mapped_column(String(16), default=ACTIVE)
    epoch: Mapped[int] = mapped_column(default=1)
    security: Mapped[dict[str, Any]]

    @property
    def enabled(self) -> bool:
        """Whether its members may sign in to it."""
        return self.state == ACTIVE


class Workspace(TenantOwned, Versioned, Model):
    """A workspace of a tenant."""

    __tablename__ = "iam_workspace"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str] = mapped_column(Long, default="")


class Member(Identified, Versioned, Model):
    """A natural person of the enterprise; belongs to any number of tenants."""

    __tablename__ = "iam_member"
    __table_args__ = (Index("ix_iam_member_name", "name", "id"),)

    login: Mapped[str] = mapped_column(Name, unique=True)
    name: Mapped[str] = mapped_column(Name)
    nickname: Mapped[str] = mapped_column(Name, default="")
    mobile: Mapped[str] = mapped_column(String(32), default="")
    landline: Mapped[str] = mapped_column(String(32), default="")
    staff_number: Mapped[str] = mapped_column(String(64), default="")
    password_hash: Mapped[str] = mapped_column(Name, default="")
    password_changed_at: Mapped[datetime | None]
    must_reset: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(16), default=ACTIVE)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    last_login_ip: Mapped[str] = mapped_column(String(64), default="")
    places: ClassVar[Any]


class Membership(TenantOwned, Model):
    """A member's place in a tenant."""

    __tablename__ = "iam_membership"
    __table_args__ = (UniqueConstraint("tenant_id", "member_id"),)

    member_id: Mapped[str] = mapped_column(ForeignKey("iam_member.id"), index=True)


# How many tenants somebody belongs to, disabled ones too; read with the row, so that a list asks once.
Member.places = column_property(
    select(func.count(Membership.id))
    .where(Membership.member_id == Member.id)
    .correlate_except(Membership)
    .scalar_subquery()
)


class Group(TenantOwned, Versioned, Model):
    """A group of members of one tenant; its members hold its roles."""

    __tablename__ = "iam_group"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str] = mapped_column(Long, default="")


class GroupMember(Model):
    """A member in a group."""

    __tablename__ = "iam_group_member"

    group_id: Mapped[str] = mapped_column(ForeignKey("iam_group.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("iam_member.id"), primary_key=True, index=True)


class ServiceAccount(TenantOwned, Versioned, Model):
    """A program of one tenant. It has keys and cannot sign in."""

    __tablename__ = "iam_service_account"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str] = mapped_column(Long, default="")
    state: Mapped[str] = mapped_column(String(16), default=ACTIVE)


class AccessKey(Model):
    """An AccessKey: belongs to a member in one tenant, or to a service account. The secret signs, so it is sealed,
    not hashed.
    """

    __tablename__ = "iam_access_key"
    __table_args__ = (Index("ix_iam_access_key_owner", "tenant_id", "owner_type", "owner_id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime]
    tenant_id: Mapped[str] = mapped_column(Id)
    owner_type: Mapped[str] = mapped_column(String(16))
    owner_id: Mapped[str] = mapped_column(Id)
    secret: Mapped[str] = mapped_column(Sealed)
    state: Mapped[str] = mapped_column(String(16), default=ACTIVE)
    last_used_at: Mapped[datetime | None]
    last_used_ip: Mapped[str] = mapped_column(String(64), default="")


class CustomRole(TenantOwned, Versioned, Model):
    """A role that a tenant made itself. Built-in ones are declared by plugins."""

    __tablename__ = "iam_role"
    __table_args__ = (UniqueConstraint("tenant_id", "code"),)

    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str] = mapped_column(Long, default="")
    permissions: Mapped[list[str]]


def conditions_digest(conditions: Sequence[Mapping[str, Any]]) -> str:
    """What tells two sets of conditions apart: SHA-256 of their canonical JSON, in hexadecimal."""
    return hashlib.sha256(json.dumps(list(conditions), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Grant(TenantOwned, Model):
    """A role held by a member, a group or a service account, perhaps until a time and under conditions.

    Held once under the same conditions: ``conditions_digest`` stands for them in the constraint.
    """

    __tablename__ = "iam_grant"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "principal_type", "principal_id", "conditions_digest", "role", name="uq_iam_grant_held"
        ),
        Index("ix_iam_grant_time", "tenant_id", "created_at", "id"),
        Index("ix_iam_grant_role_time", "tenant_id", "role", "created_at"),
    )

    principal_type: Mapped[str] = mapped_column(String(16))
    principal_id: Mapped[str] = mapped_column(Id)
    role: Mapped[str] = mapped_column(String(64), index=True)
    conditions: Mapped[list[Any]]
    conditions_digest: Mapped[str] = mapped_column(
        String(64), default=lambda context: conditions_digest(context.get_current_parameters()["conditions"])
    )
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    granted_by: Mapped[str] = mapped_column(Name, default="")
    reason: Mapped[str] = mapped_column(Long, default="")
    holder: ClassVar[Any]
    own_role: ClassVar[Any]


def _name_in(model: type[Member] | type[Group] | type[ServiceAccount]) -> Any:
    return select(model.name).where(model.id == Grant.principal_id).correlate_except(model).scalar_subquery()


# What the holder is called, wherever they are, and the role if it is a tenant's own; read with the row, so that a list
# asks once.
Grant.holder = column_property(
    func.coalesce(
        case(
            (Grant.principal_type == MEMBER, _name_in(Member)),
            (Grant.principal_type == GROUP, _name_in(Group)),
            else_=_name_in(ServiceAccount),
        ),
        Grant.principal_id,
    )
)
Grant.own_role = column_property(
    select(CustomRole.name)
    .where(CustomRole.tenant_id == Grant.tenant_id, CustomRole.code == Grant.role)
    .correlate_except(CustomRole)
    .scalar_subquery()
)
