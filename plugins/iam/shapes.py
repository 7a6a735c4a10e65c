"""What the API says of IAM's objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from app.contracts.shapes import Conditions, CreatedAt, Description, Id, Name, Version, doc
from app.web.api import Out
from app.web.language import locale
from app.words import Text
from plugins.iam.directory import roles_of
from plugins.iam.models import ACTIVE, AccessKey, Grant, Member, ServiceAccount, Tenant
from plugins.iam.oidc.models import OidcClient
from plugins.iam.service import grants, handing
from plugins.iam.service.roles import RoleShown

GroupId = Annotated[str, doc("Identifier of the group.")]
MemberId = Annotated[str, doc("Identifier of the member.")]
TenantId = Annotated[str, doc("Identifier of the tenant.")]
WorkspaceId = Annotated[str, doc("Identifier of the workspace.")]
AccountId = Annotated[str, doc("Identifier of the service account.")]
RoleId = Annotated[str, doc("Identifier of a custom role, or the code of a built-in one.")]
GrantId = Annotated[str, doc("Identifier of the grant.")]
KeyId = Annotated[str, doc("Identifier of the AccessKey.")]
ClientId = Annotated[str, doc("Identifier of the client: `id`, not `clientId`.")]


class PrincipalOut(Out):
    """A member, a group or a service account."""

    type: Annotated[str, doc("`member`, `group` or `serviceAccount`.")]
    id: Annotated[str, doc("Identifier.")]
    name: Name


class TenantOut(Out):
    """A tenant."""

    id: Id
    code: Annotated[str, doc("Short name, which tells tenants of one name apart; it never changes.")]
    name: Name
    enabled: Annotated[bool, doc("Whether its members may sign in to it.")]
    version: Version
    created_at: CreatedAt


class NamedOut(Out):
    """Something that has a name, and a sentence that says what it is for."""

    id: Id
    name: Name
    description: Description
    version: Version
    created_at: CreatedAt


class MemberOut(Out):
    """A member. ``password`` is there once: when it was just made."""

    id: Id
    login: Annotated[str, doc("Login name, an e-mail address.")]
    name: Annotated[str, doc("Name of the person.")]
    nickname: Annotated[str, doc("Nickname; empty where there is none.")]
    mobile: Annotated[str, doc("Mobile number; empty where it is not the caller's business.")]
    landline: Annotated[str, doc("Landline number; empty where it is not the caller's business.")]
    staff_number: Annotated[str, doc("Staff number; empty where there is none.")]
    state: Annotated[str, doc("`active` or `frozen`.")]
    must_reset: Annotated[bool, doc("Whether the password must be changed at the next sign-in.")]
    last_login_at: Annotated[datetime | None, doc("When the member last signed in.")]
    version: Version
    created_at: CreatedAt
    password: Annotated[str | None, doc("The new password, shown once; null otherwise.")] = None


class AccountOut(Out):
    """A service account."""

    id: Id
    name: Name
    description: Description
    state: Annotated[str, doc("`active` or `frozen`.")]
    version: Version
    created_at: CreatedAt


class KeyOut(Out):
    """An AccessKey. ``secret`` is there when it was just made or is revealed."""

    id: Annotated[str, doc("Identifier of the AccessKey, which signed requests name.")]
    owner: Annotated[PrincipalOut, doc("Whose it is.")]
    state: Annotated[str, doc("`enabled` or `disabled`.")]
    last_used_at: Annotated[datetime | None, doc("When it was last used; null where never.")]
    last_used_ip: Annotated[str, doc("Address that it was last used from.")]
    created_at: CreatedAt
    secret: Annotated[str | None, doc("The secret, where it was just created or is revealed; null otherwise.")] = None


class PermissionOut(Out):
    """A right that some plugin declares."""

    name: Annotated[str, doc("Name of the permission, `plugin.noun.verb`.")]
    plugin: Annotated[str, doc("Plugin that declares it.")]
    title: Annotated[str, doc("What it allows, in the caller's language.")]
    reads: Annotated[bool, doc("Whether it changes nothing.")]


class RoleOut(Out):
    """A role, built-in or custom."""

    id: Annotated[str, doc("Identifier of a custom role; the code of a built-in one.")]
    code: Annotated[str, doc("Code, by which grants name the role.")]
    name: Annotated[str, doc("Name, in the caller's language.")]
    description: Annotated[str, doc("What it is for, in the caller's language.")]
    built_in: Annotated[bool, doc("Whether it comes with the console and cannot be changed.")]
    permissions: Annotated[list[str], doc("Names of its permissions; `*` at the end stands for all below.")]
    held: Annotated[int, doc("How many grants of it there are.")]
    version: Version


class GrantOut(Out):
    """A role that somebody holds."""

    id: Id
    principal: Annotated[PrincipalOut, doc("Who holds it.")]
    role: Annotated[str, doc("Code of the role.")]
    role_name: Annotated[str, doc("Name of the role, in the caller's language.")]
    conditions: Conditions
    expires_at: Annotated[datetime | None, doc("Until when it lasts; null until it is revoked.")]
    granted_by: Annotated[str, doc("Name of whoever granted it.")]
    reason: Annotated[str, doc("Why it was granted.")]
    created_at: CreatedAt


class ClientOut(Out):
    """An OIDC client. ``apiScope`` is the most that people may let it do at the API; ``secret`` is there once: when it
    was just made."""

    id: Id
    client_id: Annotated[str, doc("The client_id of OpenID Connect.")]
    name: Name
    redirect_uris: Annotated[list[str], doc("Addresses that people may return to after signing in.")]
    post_logout_uris: Annotated[list[str], doc("Addresses that people may return to after signing out.")]
    backchannel_uri: Annotated[str, doc("Address that is told when somebody signs out; empty where none.")]
    audience: Annotated[str, doc("Audience of its tokens, where it reads them itself; empty otherwise.")]
    public: Annotated[bool, doc("Whether it has no secret, as programs on people's own machines.")]
    trusted: Annotated[bool, doc("Whether people are not asked for consent.")]
    site: Annotated[bool, doc("Whether it is the console of another site that uses this IAM.")]
    api_scope: Annotated[
        str, doc("The most that people may let it do at the API: empty, `antstack.api:read` or `antstack.api`.")
    ]
    without_pkce: Annotated[bool, doc("Whether it may sign people in without PKCE.")]
    version: Version
    created_at: CreatedAt
    secret: Annotated[str | None, doc("The secret, shown once, where it was just made; null otherwise.")] = None


def say(text: Text) -> str:
    """The words in the caller's language."""
    return text.in_(locale())


def tenant(row: Tenant) -> TenantOut:
    """A tenant as the API shows it."""
    return TenantOut(row.id, row.code, row.name, row.state == ACTIVE, row.version, row.created_at)


def member(row: Member, password: str | None = None) -> MemberOut:
    """A member as the API shows it; without phone numbers, where they are not the caller's business."""
    mobile, landline = (row.mobile, row.landline) if handing.may_see_contact(row) else ("", "")
    return MemberOut(
        row.id,
        row.login,
        row.name,
        row.nickname or "",
        mobile or "",
        landline or "",
        row.staff_number or "",
        row.state,
        bool(row.must_reset),
        row.last_login_at,
        row.version or 1,
        row.created_at,
        password,
    )


def account(row: ServiceAccount) -> AccountOut:
    """A service account as the API shows it."""
    return AccountOut(row.id, row.name, row.description, row.state, row.version, row.created_at)


def keys(rows: Sequence[AccessKey], secret: str | None = None) -> list[KeyOut]:
    """AccessKeys as the API shows them."""
    names = grants.names_of((row.owner_type, row.owner_id) for row in rows)
    return [
        KeyOut(
            row.id,
            PrincipalOut(row.owner_type, row.owner_id, names[row.owner_type, row.owner_id]),
            row.state,
            row.last_used_at,
            row.last_used_ip or "",
            row.created_at,
            secret,
        )
        for row in rows
    ]


def key(row: AccessKey, secret: str | None = None) -> KeyOut:
    """An AccessKey as the API shows it."""
    return keys([row], secret)[0]


def role(found: RoleShown) -> RoleOut:
    """A role as the API shows it."""
    return RoleOut(
        found.id,
        found.code,
        say(found.name),
        say(found.description),
        found.built_in,
        list(found.permissions),
        found.held,
        found.version,
    )


def held(rows: Sequence[Grant]) -> list[GrantOut]:
    """Grants as the API shows them."""
    names = grants.names_of((row.principal_type, row.principal_id) for row in rows)
    titles = {
        code: say(found[0]) for code, found in roles_of(handing.me().tenant_id, {row.role for row in rows}).items()
    }
    return [
        GrantOut(
            row.id,
            PrincipalOut(row.principal_type, row.principal_id, names[row.principal_type, row.principal_id]),
            row.role,
            titles.get(row.role, row.role),
            list(row.conditions),
            row.expires_at,
            row.granted_by,
            row.reason,
            row.created_at,
        )
        for row in rows
    ]


def grant(row: Grant) -> GrantOut:
    """A grant as the API shows it."""
    return held([row])[0]


def client(row: OidcClient, secret: str | None = None) -> ClientOut:
    """An OIDC client as the API shows it."""
    return ClientOut(
        row.id,
        row.client_id,
        row.name,
        list(row.redirect_uris),
        list(row.post_logout_uris),
        row.backchannel_uri,
        row.audience,
        row.public,
        row.trusted,
        row.site,
        row.api_scope,
        row.without_pkce,
        row.version,
        row.created_at,
        secret or None,
    )
