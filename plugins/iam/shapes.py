"""What the API says of IAM's objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from app.contracts.shapes import Conditions, CreatedAt, Description, Id, Name, Version, doc
from app.web.api import In, Out
from app.web.language import locale
from app.words import Text
from plugins.iam.directory import roles_of
from plugins.iam.models import Grant
from plugins.iam.service import grants, handing

GroupId = Annotated[str, doc("Identifier of the group.")]
MemberId = Annotated[str, doc("Identifier of the member.")]
TenantId = Annotated[str, doc("Identifier of the tenant.")]
WorkspaceId = Annotated[str, doc("Identifier of the workspace.")]
AccountId = Annotated[str, doc("Identifier of the service account.")]
RoleId = Annotated[str, doc("Identifier of a custom role, or the code of a built-in one.")]
GrantId = Annotated[str, doc("Identifier of the grant.")]
KeyId = Annotated[str, doc("Identifier of the AccessKey.")]
ClientId = Annotated[str, doc("Identifier of the client: `id`, not `clientId`.")]


class Holder(In):
    """Who: a member, a group or a service account."""

    type: Annotated[str, doc("`member`, `group` or `serviceAccount`.")]
    id: Annotated[str, doc("Identifier.")]


class PrincipalOut(Out):
    """A member, a group or a service account."""

    type: Annotated[str, doc("`member`, `group` or `serviceAccount`.")]
    id: Annotated[str, doc("Identifier.")]
    name: Name


class NamedOut(Out):
    """Something that has a name, and a sentence that says what it is for."""

    id: Id
    name: Name
    description: Description
    version: Version
    created_at: CreatedAt


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


def say(text: Text) -> str:
    """The words in the caller's language."""
    return text.in_(locale())


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
