"""What the API says of IAM's objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.contracts.text import Text
from app.web.api import Out
from app.web.language import locale
from plugins.iam.directory import roles_of
from plugins.iam.models import ACTIVE, AccessKey, Grant, Group, Member, ServiceAccount, Tenant, Workspace
from plugins.iam.oidc.models import OidcClient
from plugins.iam.service import grants, handing
from plugins.iam.service.roles import RoleShown


class TenantOut(Out):
    """A tenant."""

    id: str
    code: str
    name: str
    enabled: bool
    version: int
    created_at: datetime


class WorkspaceOut(Out):
    """A workspace."""

    id: str
    name: str
    description: str
    version: int
    created_at: datetime


class MemberOut(Out):
    """A member. ``password`` is there once: when it was just made."""

    id: str
    login: str
    name: str
    nickname: str
    mobile: str
    landline: str
    staff_number: str
    state: str
    must_reset: bool
    last_login_at: datetime | None
    version: int
    created_at: datetime
    password: str | None = None


class GroupOut(Out):
    """A group."""

    id: str
    name: str
    description: str
    version: int
    created_at: datetime


class AccountOut(Out):
    """A service account."""

    id: str
    name: str
    description: str
    state: str
    version: int
    created_at: datetime


class KeyOut(Out):
    """An AccessKey. ``secret`` is there when it was just made or is revealed."""

    id: str
    owner: dict[str, str]
    state: str
    last_used_at: datetime | None
    last_used_ip: str
    created_at: datetime
    secret: str | None = None


class PermissionOut(Out):
    """A right that some plugin declares."""

    name: str
    plugin: str
    title: str
    reads: bool


class RoleOut(Out):
    """A role, built-in or custom."""

    id: str
    code: str
    name: str
    description: str
    built_in: bool
    permissions: list[str]
    held: int
    version: int


class GrantOut(Out):
    """A role that somebody holds."""

    id: str
    principal: dict[str, str]
    role: str
    role_name: str
    conditions: list[Any]
    expires_at: datetime | None
    granted_by: str
    reason: str
    created_at: datetime


class ClientOut(Out):
    """An OIDC client. ``apiScope`` is the most that people may let it do at the API; ``secret`` is there once: when it
    was just made."""

    id: str
    client_id: str
    name: str
    redirect_uris: list[str]
    post_logout_uris: list[str]
    backchannel_uri: str
    audience: str
    public: bool
    trusted: bool
    site: bool
    api_scope: str
    without_pkce: bool
    version: int
    created_at: datetime
    secret: str | None = None


def say(text: Text) -> str:
    """The words in the caller's language."""
    return text.in_(locale())


def tenant(row: Tenant) -> TenantOut:
    """A tenant as the API shows it."""
    return TenantOut(row.id, row.code, row.name, row.state == ACTIVE, row.version, row.created_at)


def workspace(row: Workspace) -> WorkspaceOut:
    """A workspace as the API shows it."""
    return WorkspaceOut(row.id, row.name, row.description, row.version, row.created_at)


def member(row: Member, password: str | None = None) -> MemberOut:
    """A member as the API shows it; without phone numbers, where they are not the caller's business."""
    mobile, landline = (row.mobile, row.landline) if handing.may_see_contact(row) else ("", "")
    return MemberOut(
        row.id, row.login, row.name, row.nickname or "", mobile or "", landline or "", row.staff_number or "",
        row.state, bool(row.must_reset), row.last_login_at, row.version or 1, row.created_at, password,
    )  # fmt: skip


def group(row: Group) -> GroupOut:
    """A group as the API shows it."""
    return GroupOut(row.id, row.name, row.description, row.version, row.created_at)


def account(row: ServiceAccount) -> AccountOut:
    """A service account as the API shows it."""
    return AccountOut(row.id, row.name, row.description, row.state, row.version, row.created_at)


def keys(rows: Sequence[AccessKey], secret: str | None = None) -> list[KeyOut]:
    """AccessKeys as the API shows them."""
    names = grants.names_of((row.owner_type, row.owner_id) for row in rows)
    return [
        KeyOut(
            row.id, {"type": row.owner_type, "id": row.owner_id, "name": names[row.owner_type, row.owner_id]}, row.state,
            row.last_used_at, row.last_used_ip or "", row.created_at, secret,
        )
        for row in rows
    ]  # fmt: skip


def key(row: AccessKey, secret: str | None = None) -> KeyOut:
    """An AccessKey as the API shows it."""
    return keys([row], secret)[0]


def role(found: RoleShown) -> RoleOut:
    """A role as the API shows it."""
    return RoleOut(
        found.id, found.code, say(found.name), say(found.description), found.built_in, list(found.permissions),
        found.held, found.version,
    )  # fmt: skip


def held(rows: Sequence[Grant]) -> list[GrantOut]:
    """Grants as the API shows them."""
    names = grants.names_of((row.principal_type, row.principal_id) for row in rows)
    titles = {code: say(found[0]) for code, found in roles_of(handing.me().tenant_id, {row.role for row in rows}).items()}
    return [
        GrantOut(
            row.id,
            {"type": row.principal_type, "id": row.principal_id, "name": names[row.principal_type, row.principal_id]},
            row.role, titles.get(row.role, row.role), list(row.conditions), row.expires_at, row.granted_by, row.reason, row.created_at,
        )
        for row in rows
    ]  # fmt: skip


def grant(row: Grant) -> GrantOut:
    """A grant as the API shows it."""
    return held([row])[0]


def client(row: OidcClient, secret: str | None = None) -> ClientOut:
    """An OIDC client as the API shows it."""
    return ClientOut(
        row.id, row.client_id, row.name, list(row.redirect_uris), list(row.post_logout_uris), row.backchannel_uri,
        row.audience, row.public, row.trusted, row.site, row.api_scope, row.without_pkce, row.version, row.created_at, secret or None,
    )  # fmt: skip


