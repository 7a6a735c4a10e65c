"""The OpenAPI 3.1 document of this site, generated from the declared operations (C-60)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, get_type_hints

import msgspec
from flask import current_app

from app import site
from app.contracts.shapes import doc
from app.web.api import BASE, ApiOperation
from app.web.frame import VERSION
from app.words import Text

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')
EXTENSION = "antstack.openapi"
Schema = dict[str, Any]
DRY_RUN: Schema = {
    "name": "dryRun",
    "in": "query",
    "required": False,
    "schema": {"type": "boolean", "default": False},
    "description": "Whether the answer is given that the change would give, and nothing is changed.",
}
IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 128},
    "description": (
        "A key of the caller's own: sent again with it, the same request is answered as before for 24 hours."
    ),
}
IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": (
        "The `ETag` that was answered, or the `version` in quotes: the change is of this version only, and refused "
        "with `CORE/CHANGED_MEANWHILE` (412) where another is stored. Without it, what is there is changed."
    ),
}


class FieldProblem(msgspec.Struct, rename="camel"):
    """What is wrong with one field."""

    pointer: Annotated[str, doc("JSON pointer (RFC 6901) to the field.")]
    code: Annotated[str, doc("Why, for programs: `required`, `too-long`, `choice` …, or `invalid`.")]
    message: Annotated[str, doc("What is wrong with it, in the caller's language.")]


class Problem(msgspec.Struct, rename="camel"):
    """Why a request was not done (RFC 9457). A code may bring further fields."""

    type: Annotated[str, doc("URN of the error, `urn:antstack:error:` with its code.")]
    title: Annotated[str, doc("What went wrong, in the caller's language.")]
    status: Annotated[int, doc("HTTP status.")]
    code: Annotated[str, doc("Two parts, such as `CORE/NOT_FOUND`; programs decide by it.")]
    remedy: Annotated[str, doc("What to do about it.")]
    trace_id: Annotated[str, doc("Trace of the request; the audit and the logs have the same.")]
    detail: Annotated[str, doc("What went wrong here.")] = ""
    errors: Annotated[list[FieldProblem], doc("For invalid input, every field that is wrong.")] = []


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
    """The whole document."""
    found: dict[str, Any] = msgspec.json.decode(written())
    return found


def written() -> bytes:
    """The document as JSON; made once per process, and kept so: its parts as objects weigh ten times as much."""
    held: bytes | None = current_app.extensions.get(EXTENSION)
    if held is None:
        held = current_app.extensions[EXTENSION] = msgspec.json.encode(_made())
    return held


def _made() -> dict[str, Any]:
    found = operations()
    schemas, components = _schemas(found)
    paths: dict[str, Any] = {}
    for title, operation in found:
        paths.setdefault(path_of(operation), {})[operation.method.lower()] = _described(title, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AntStack Console",
            "version": VERSION,
            "description": "Everything that the pages do, for programs.",
        },
        "servers": [{"url": site.settings().url}],
        "tags": [{"name": str(api.title)} for api in site.catalogue().apis],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token of `/oauth/token`."},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "ACS3-HMAC-SHA256",
                },
            },
        },
        "security": [{"bearer": []}, {"signature": []}],
    }


def returned(operation: ApiOperation) -> tuple[Any, ...]:
    """The shapes of which an operation answers one."""
    shapes = operation.returns
    return shapes if isinstance(shapes, tuple) else () if shapes is None else (shapes,)


def arguments_of(operation: ApiOperation) -> Iterator[tuple[str, Any]]:
    """The arguments in the path of an operation, with their types as its function has them."""
    names = ARGUMENT.findall(operation.path)
    hints = get_type_hints(operation.run, include_extras=True) if names else {}
    return ((name, hints.get(name, str)) for name in names)


def _schemas(found: list[tuple[Text, ApiOperation]]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """The schema of every type that the operations take and answer, and what these refer to, by name."""
    types: dict[Any, None] = {Problem: None}
    for _, operation in found:
        types |= dict.fromkeys((operation.body, *returned(operation), *(kind for _, kind in arguments_of(operation))))
    types.pop(None, None)
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    for field in (field for shape in components.values() for field in shape.get("properties", {}).values()):
        if "pattern" in field and field.get("default") == "":  # stands for "not given", which its pattern refuses
            del field["default"]
    return dict(zip(types, schemas, strict=True)), components


def _query_parameters(query: type) -> Iterator[Schema]:
    found = msgspec.json.schema(query)
    shape = found["$defs"][query.__name__]
    for name, schema in shape["properties"].items():
        yield _parameter("query", name, schema, name in shape["required"])


def _described(title: Text, operation: ApiOperation, schemas: dict[Any, Schema]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": str(operation.summary),
        "x-summary-zh": operation.summary.in_("zh"),
        "tags": [str(title)],
        "parameters": list(_parameters(operation, schemas)),
        "responses": _responses(operation, schemas),
    }
    if operation.permission is not None:
        described["x-permission"] = operation.permission.name
    else:
        described["security"] = []
    if operation.deprecated:
        described["deprecated"] = True
    if operation.audit is not None:
        described["x-audit"] = operation.audit.code
    if operation.body is not None or operation.raw_body:
        content = {"schema": schemas.get(operation.body, {})}
        media = (operation.raw_body or "application/json").split(", ")
        described["requestBody"] = {"required": True, "content": dict.fromkeys(media, content)}
    return described


def _parameters(operation: ApiOperation, schemas: dict[Any, Schema]) -> Iterator[Schema]:
    for name, kind in arguments_of(operation):
        yield _parameter("path", name, schemas[kind], True)
    if operation.query is not None:
        yield from _query_parameters(operation.query)
    if operation.audit is not None and (operation.dry_run or not operation.external):
        yield DRY_RUN
    if operation.versioned:
        yield IF_MATCH
    if operation.method == "POST":
        yield IDEMPOTENCY_KEY


def _parameter(place: str, name: str, schema: Schema, required: bool) -> Schema:
    """A parameter; what its schema says of it is its own description."""
    said, rest = ({k: v for k, v in schema.items() if (k == "description") is own} for own in (True, False))
    return {"name": name, "in": place, "required": required, **said, "schema": rest}


def _responses(operation: ApiOperation, schemas: dict[Any, Schema]) -> Schema:
    good: Schema = {"description": str(operation.summary), **_content(operation, schemas)}
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    found: Schema = {str(operation.status): good}
    for error in operation.errors:
        before = found.get(str(error.status), {}).get("description", "")
        found[str(error.status)] = {"description": f"{before}; {error.code}".strip("; "), **problem}
    found["default"] = {"description": "a problem with code, reason and remedy", **problem}
    return found


def _content(operation: ApiOperation, schemas: dict[Any, Schema]) -> Schema:
    if operation.answers:
        return {"content": {media: {"schema": {"type": "string"}} for media in operation.answers}}
    shapes = [schemas[shape] for shape in returned(operation)]
    if not shapes:
        return {}
    return {"content": {"application/json": {"schema": shapes[0] if len(shapes) == 1 else {"oneOf": shapes}}}}
