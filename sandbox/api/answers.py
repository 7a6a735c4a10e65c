"""Answers: JSON, tables, metadata only, warnings."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.api import tables
from sandbox.errors import ApiError
from sandbox.resources import Resource
from sandbox.store.records import Record, decode, encode

JSON = "application/json"
PARTIAL = "PartialObjectMetadata"


def raw(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that is JSON already."""
    return web.Response(body=body, status=status, content_type=JSON, headers=headers)


def answer(obj: Any, status: int = 200, warnings: list[str] | None = None) -> web.Response:
    """An answer of JSON."""
    response = raw(encode(obj), status)
    for text in warnings or ():
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response


def refusal(error: ApiError) -> web.Response:
    """The answer of an error."""
    return raw(encode(error.status()), error.code, error.headers)


def shape(request: web.Request) -> str:
    """What form the client asks for: ``Table``, ``PartialObjectMetadata`` or none.

    :raises ApiError: it takes nothing that this server writes
    """
    accept = request.headers.get("Accept", "*/*")
    for offer in accept.split(","):
        media, _, rest = offer.strip().partition(";")
        traits = dict(part.strip().partition("=")[::2] for part in rest.split(";") if part.strip())
        if traits.get("as") == "Table" and traits.get("g") == "meta.k8s.io":
            return "Table"
        if traits.get("as", "").startswith(PARTIAL) and traits.get("g") == "meta.k8s.io":
            return PARTIAL
        if media.strip() in (JSON, "*/*", "application/*", "application/yaml") and "as" not in traits:
            return ""
    message = "406: Not Acceptable\n\nAvailable representations: application/json, application/json;stream=watch"
    raise ApiError(406, "NotAcceptable", message, empty=True)


def partial(record: Record) -> bytes:
    """An object's metadata alone."""
    meta = encode(decode(record.raw)["metadata"])
    return b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":' + meta + b"}"


def one(
    request: web.Request, resource: Resource, obj: dict[str, Any], status: int = 200, warnings: list[str] | None = None
) -> web.Response:
    """One object in the form asked for."""
    form = shape(request)
    if form == "Table" and obj.get("kind") != "Status":
        return answer(tables.table(resource, [obj], {}, request.query.get("includeObject", "")), status, warnings)
    if form == PARTIAL and obj.get("kind") != "Status":
        obj = {"kind": PARTIAL, "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return answer(obj, status, warnings)


def version_of(resource: Resource, record: Record) -> bytes:
    """A record's JSON in the version asked for (custom resources may have several)."""
    if not resource.custom:
        return record.raw
    obj = record.load()
    if obj["apiVersion"] == resource.api_version:
        return record.raw
    return encode({**obj, "apiVersion": resource.api_version})
