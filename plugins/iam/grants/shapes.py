"""What is asked and answered of grants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from app.contracts.shapes import Conditions, CreatedAt, Id, doc
from app.web.api import In, Out
from plugins.iam.catalogue import title_of
from plugins.iam.models import Grant
from plugins.iam.principals import Holder, PrincipalOut

GrantId = Annotated[str, doc("Identifier of the grant.")]


class GrantWanted(In):
    """A role for somebody. Without ``expiresAt`` it lasts until it is revoked."""

    principal: Annotated[Holder, doc("Who gets the role.")]
    role: Annotated[str, doc("Code of the role.")]
    expires_at: Annotated[datetime | None, doc("Until when it lasts; without it until it is revoked.")] = None
    conditions: Conditions = []
    reason: Annotated[str, doc("Why it is granted.")] = ""


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


def shaped(rows: Sequence[Grant]) -> list[GrantOut]:
    """Grants as the API answers them."""
    return [
        GrantOut(
            row.id,
            PrincipalOut(row.principal_type, row.principal_id, row.holder),
            row.role,
            title_of(row),
            list(row.conditions),
            row.expires_at,
            row.granted_by,
            row.reason,
            row.created_at,
        )
        for row in rows
    ]
