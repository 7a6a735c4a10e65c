"""``/api/v1/openapi``: the catalogue of operations."""

from __future__ import annotations

from typing import Any

from app.contracts.text import Text
from app.web import openapi
from app.web.api import BASE, Api
from plugins.openapi import permissions

api = Api("openapi", Text("OpenAPI platform", "开放平台"))


@api.operation(
    "GET", "/openapi/catalogue", "openapi.catalogue.list", Text("Every operation of this site", "接口目录"), permissions.CATALOGUE_READ, returns=dict[str, Any]
)  # fmt: skip
def catalogue() -> dict[str, Any]:
    return {
        "items": [
            {
                "id": operation.id,
                "area": title.both(),
                "method": operation.method,
                "path": BASE + openapi.ARGUMENT.sub(r"{\1}", operation.path),
                "summary": operation.summary.both(),
                "permission": operation.permission.name if operation.permission else None,
                "audit": operation.audit.code if operation.audit else None,
                "errors": [error.code for error in operation.errors],
            }
            for title, operation in openapi.operations()
        ]
    }
