"""What the API says of grants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from app.contracts.shapes import Conditions, CreatedAt, Id, doc
from app.web.api import Out
from app.web.language import t
from plugins.iam import delegation
from plugins.iam.catalogue import roles_of
from plugins.iam.models import Grant
from plugins.iam.principals import PrincipalOut, names_of

GrantId = Annotated[str, doc("Identifier of the grant.")]


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


def held(rows: Sequence[Grant]) -> list[GrantOut]:
    """Grants as the API shows them."""
    names = names_of((row.principal_type, row.principal_id) for row in rows)
    titles = {
        code: t(found[0]) for code, found in roles_of(delegation.me().tenant_id, {row.role for row in rows}).items()
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
