"""``/api/v1/openapi``: the catalogue of operations."""

from __future__ import annotations

from typing import Annotated

from app.contracts.shapes import Words, doc
from app.web import openapi
from app.web.api import Api, Out
from app.words import _
from plugins.openapi import permissions

api = Api("openapi", _("OpenAPI platform"))


class OperationOut(Out):
    """An operation of this site."""

    id: Annotated[str, doc("Its operationId, and its `method` at the gateway.")]
    area: Annotated[dict[str, str], doc("Title of the area that it belongs to, by language.")]
    method: Annotated[str, doc("HTTP method.")]
    path: Annotated[str, doc("Path, with its arguments in braces.")]
    summary: Words
    permission: Annotated[str | None, doc("Name of the permission that it needs; null where it is open.")]
    audit: Annotated[str | None, doc("Code that it is recorded as; null where it changes nothing.")]
    errors: Annotated[list[str], doc("Codes of the errors that it may end with, besides those of every operation.")]


class CatalogueOut(Out):
    """Every operation of this site."""

    items: Annotated[list[OperationOut], doc("The operations, area by area.")]


@api.operation(
    "GET",
    "/openapi/catalogue",
    "openapi.catalogue.list",
    _("Every operation of this site"),
    permissions.CATALOGUE_READ,
    returns=CatalogueOut,
)
def catalogue() -> CatalogueOut:
    return CatalogueOut(
        [
            OperationOut(
                one.id,
                title.in_all(),
                one.method,
                openapi.path_of(one),
                one.summary.in_all(),
                one.permission.name if one.permission else None,
                one.audit.code if one.audit else None,
                [error.code for error in one.errors],
            )
            for title, one in openapi.operations()
        ]
    )
