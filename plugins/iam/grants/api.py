"""Grants."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from app.contracts.shapes import Conditions, doc
from app.db import scoped
from app.web.api import In, ListQuery, Page, page_together
from app.words import _
from plugins.iam import errors as e
from plugins.iam import grants
from plugins.iam import permissions as may
from plugins.iam.blueprint import api
from plugins.iam.grants import shapes
from plugins.iam.models import Grant
from plugins.iam.principals import Holder


class GrantWanted(In):
    """A role for somebody. Without ``expiresAt`` it lasts until it is revoked."""

    principal: Annotated[Holder, doc("Who gets the role.")]
    role: Annotated[str, doc("Code of the role.")]
    expires_at: Annotated[datetime | None, doc("Until when it lasts; without it until it is revoked.")] = None
    conditions: Conditions = []
    reason: Annotated[str, doc("Why it is granted.")] = ""


class GrantQuery(ListQuery):
    """Filters of the list of grants."""

    role: Annotated[str, doc("Only grants of the role with this code.")] = ""
    principal_type: Annotated[
        str, doc("Only grants to this kind of principal: `member`, `group` or `serviceAccount`.")
    ] = ""
    principal_id: Annotated[str, doc("Only grants to the principal with this identifier.")] = ""


@api.operation(
    "GET",
    "/iam/grants",
    "iam.grants.list",
    _("List grants"),
    may.GRANT_READ,
    query=GrantQuery,
    returns=Page[shapes.GrantOut],
)
def list_grants(query: GrantQuery) -> Page[shapes.GrantOut]:
    wanted = scoped(Grant)
    filters = (
        (Grant.role, query.role),
        (Grant.principal_type, query.principal_type),
        (Grant.principal_id, query.principal_id),
    )
    for column, value in filters:
        wanted = wanted.where(column == value) if value else wanted
    sorts = {"createdAt": Grant.created_at, "role": Grant.role}
    return page_together(
        wanted, query, shapes.held, sorts=sorts, search=(Grant.role,), key=Grant.id, default="-createdAt"
    )


@api.operation(
    "POST",
    "/iam/grants",
    "iam.grants.create",
    _("Grant a role"),
    may.GRANT_EDIT,
    audit=may.GRANTED,
    body=GrantWanted,
    returns=shapes.GrantOut,
    status=201,
    errors=(e.ABOVE_YOU, e.NOT_OF_TENANT),
)
def create_grant(body: GrantWanted) -> shapes.GrantOut:
    return shapes.grant(
        grants.give(
            body.principal.type,
            body.principal.id,
            body.role,
            conditions=body.conditions,
            expires_at=body.expires_at,
            reason=body.reason,
        )
    )


@api.operation(
    "DELETE",
    "/iam/grants/<grant_id>",
    "iam.grants.delete",
    _("Revoke a role"),
    may.GRANT_EDIT,
    audit=may.REVOKED,
    status=204,
    errors=(e.ABOVE_YOU,),
)
def delete_grant(grant_id: shapes.GrantId) -> None:
    grants.revoke(grant_id)
