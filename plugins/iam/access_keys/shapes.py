"""What is asked and answered of AccessKeys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from app.contracts.shapes import CreatedAt, doc
from app.web.api import In, ListQuery, Out
from plugins.iam import principals
from plugins.iam.models import AccessKey
from plugins.iam.principals import Holder, PrincipalOut

KeyId = Annotated[str, doc("Identifier of the AccessKey.")]


class KeyOut(Out):
    """An AccessKey. ``secret`` is there when it was just made or is revealed."""

    id: Annotated[str, doc("Identifier of the AccessKey, which signed requests name.")]
    owner: Annotated[PrincipalOut, doc("Whose it is.")]
    state: Annotated[str, doc("`enabled` or `disabled`.")]
    last_used_at: Annotated[datetime | None, doc("When it was last used; null where never.")]
    last_used_ip: Annotated[str, doc("Address that it was last used from.")]
    created_at: CreatedAt
    secret: Annotated[str | None, doc("The secret, where it was just created or is revealed; null otherwise.")] = None


class KeyWanted(In):
    """Whose key; one's own without a principal."""

    principal: Annotated[Holder | None, doc("Whose key it will be; one's own without it.")] = None


class KeyQuery(ListQuery):
    """Filters of the list of AccessKeys."""

    principal_type: Annotated[str, doc("Only keys of this kind of principal: `member` or `serviceAccount`.")] = ""
    principal_id: Annotated[str, doc("Only keys of the principal with this identifier.")] = ""


def shaped(rows: Sequence[AccessKey]) -> list[KeyOut]:
    """AccessKeys as the API answers them."""
    names = principals.names_of((row.owner_type, row.owner_id) for row in rows)
    return [
        KeyOut(
            row.id,
            PrincipalOut(row.owner_type, row.owner_id, names[row.owner_type, row.owner_id]),
            row.state,
            row.last_used_at,
            row.last_used_ip or "",
            row.created_at,
        )
        for row in rows
    ]
