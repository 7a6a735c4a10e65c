"""The OpenAPI 3.1 document of this site, generated from the declared operations (C-60)."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from flask import current_app

from app import site
from app.contracts.text import Text
from app.web.api import BASE, ApiOperation
from app.web.frame import VERSION

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')
EXTENSION = "antstack.openapi"
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "remedy", "traceId"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
        "code": {"type": "string"}, "remedy": {"type": "string"}, "traceId": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}}}},
    },
}  # fmt: skip


def operations() -> list[tuple[Text, ApiOperation]]:
    """Every operation of the site with the title of its area."""
    return [(api.title, operation) for api in site.catalogue().apis for operation in api.operations]


def path_of(operation: ApiOperation) -> str:
    """Its path in the document: ``/api/v1/iam/roles/{role_id}``."""
    return BASE + ARGUMENT.sub(r"{\1}", operation.path)


def described(operation: ApiOperation) -> dict[str, Any]:
    """What the document says of an operation."""
    found: dict[str, Any] = document()["paths"][path_of(operation)][operation.method.lower()]
    return found


def shapes_of(part: Any) -> dict[str, Any]:
    """The schemas that a part of the document refers to, and those that they refer to, by name."""
    schemas, found = document()["components"]["schemas"], {}
    waiting = [part]
    while waiting:
        for name in REFERENCE.findall(json.dumps(waiting.pop())):
            if name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
    return found


def document() -> dict[str, Any]:
    """The whole document; made once per process."""
    held: dict[str, Any] | None = current_app.extensions.get(EXTENSION)
    if held is None:
        held = current_app.extensions[EXTENSION] = _made()
    return held


def _made() -> dict[str, Any]:
    found = operations()
    shapes = [t for _, o in found for t in (o.body, o.query, o.returns) if t is not None]
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    known = iter(schemas)
    paths: dict[str, Any] = {}
    for title, operation in found:
        body = next(known) if operation.body is not None else None
        query = next(known) if operation.query is not None else None
        answer = next(known) if operation.returns is not None else None
        paths.setdefault(path_of(operation), {})[operation.method.lower()] = _described(
            title, operation, body, _resolved(query, components), answer
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "AntStack Console", "version": VERSION, "description": "Everything that the pages do, for programs."},
        "servers": [{"url": site.settings().url}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "signature": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "ACS3-HMAC-SHA256"},
            },
        },
        "security": [{"bearer": []}, {"signature": []}],
    }  # fmt: skip


def _resolved(query: dict[str, Any] | None, components: dict[str, Any]) -> dict[str, Any]:
    if not query:
        return {}
    reference = query.get("$ref", "")
    found: dict[str, Any] = components[reference.rpartition("/")[2]] if reference else query
    return found


def _described(title: Text, operation: ApiOperation, body: Any, query: dict[str, Any], answer: Any) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ARGUMENT.findall(operation.path)
    ]
    required = set(query.get("required", ()))
    parameters += [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in query.get("properties", {}).items()
    ]
    described: dict[str, Any] = {
        "operationId": operation.id, "summary": operation.summary.en, "x-summary-zh": operation.summary.zh, "tags": [title.en],
        "parameters": parameters, "responses": _responses(operation, answer),
    }  # fmt: skip
    if operation.permission is not None:
        described["x-permission"] = operation.permission.name
    else:
        described["security"] = []
    if operation.audit is not None:
        described["x-audit"] = operation.audit.code
    if body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    elif operation.raw_body:
        described["requestBody"] = {"required": True, "content": {operation.raw_body: {"schema": {}}}}
    return described


def _responses(operation: ApiOperation, answer: Any) -> dict[str, Any]:
    good: dict[str, Any] = {"description": operation.summary.en}
    if answer is not None:
        good["content"] = {"application/json": {"schema": answer}}
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    found: dict[str, Any] = {str(operation.status if answer is not None or operation.status != 200 else 200): good}
    for error in operation.errors:
        before = found.get(str(error.status), {}).get("description", "")
        found[str(error.status)] = {"description": f"{before}; {error.code}".strip("; "), **problem}
    found["default"] = {"description": "a problem with code, reason and remedy", **problem}
    return found
