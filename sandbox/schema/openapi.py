"""OpenAPI of what is served, made anew from the compact types (docs: "The Kubernetes API", OpenAPI)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from sandbox.api.discovery import METRICS, groups
from sandbox.resources import REVIEWS, SUBRESOURCE_KINDS, Catalogue, Resource
from sandbox.schema.types import Node, definitions, parse

Obj = dict[str, Any]
_PLAIN: dict[str, Obj] = {
    "s": {"type": "string"},
    "i": {"type": "integer", "format": "int32"},
    "l": {"type": "integer", "format": "int64"},
    "d": {"type": "number", "format": "double"},
    "b": {"type": "boolean"},
    "y": {"type": "string", "format": "byte"},
    "t": {"type": "string", "format": "date-time"},
    "o": {"type": "object"},
    "q": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "I": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
}


def _reference(name: str, v3: bool) -> str:
    return ("#/components/schemas/" if v3 else "#/definitions/") + str(definitions()[name]["n"])


def _field(node: Node, v3: bool) -> Obj:  # noqa: PLR0912 - one branch per trait
    first = node.code[0]
    if first == "@":
        made: Obj = (
            {"allOf": [{"$ref": _reference(node.code[1:], v3)}]} if v3 else {"$ref": _reference(node.code[1:], v3)}
        )
    elif first == "[":
        made = {"type": "array", "items": _field(node.item, v3)}
        made["x-kubernetes-list-type"] = node.list_type or "atomic"
    elif first == "%":
        made = {"type": "object", "additionalProperties": _field(node.item, v3)}
    else:
        made = dict(_PLAIN[node.code])
        if not v3 and "oneOf" in made:
            made = {"type": "string", **({"format": "int-or-string"} if node.code == "I" else {})}
    if node.default is not None and v3:
        made["default"] = node.default
    if node.keys:
        made["x-kubernetes-list-map-keys"] = node.keys
    if node.merge_key:
        made["x-kubernetes-patch-merge-key"] = node.merge_key
    if node.strategy:
        made["x-kubernetes-patch-strategy"] = node.strategy
    if node.atomic and first == "%":
        made["x-kubernetes-map-type"] = "atomic"
    return made


def _schema(name: str, v3: bool) -> Obj:
    body = definitions()[name]
    if "f" not in body:
        return _field(parse(body["c"]), v3)
    made: Obj = {"type": "object", "properties": {key: _field(parse(field), v3) for key, field in body["f"].items()}}
    if body.get("r"):
        made["required"] = body["r"]
    if body.get("a"):
        made["x-kubernetes-map-type"] = "atomic"
    if body.get("g"):
        group, version, kind = body["g"]
        made["x-kubernetes-group-version-kind"] = [{"group": group, "version": version, "kind": kind}]
    return made


@lru_cache(maxsize=2)
def _schemas(v3: bool) -> dict[str, Obj]:
    return {body["n"]: _schema(name, v3) for name, body in definitions().items()}


def _reached(start: list[str]) -> set[str]:
    """The definitions that these ones lead to."""
    seen: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        if name in seen or name not in definitions():
            continue
        seen.add(name)
        for field in definitions()[name].get("f", {}).values():
            code = field if isinstance(field, str) else field[0]
            if "@" in code:
                todo.append(code.split("@", 1)[1])
    return seen


def _query(name: str, kind: str = "string") -> Obj:
    return {"in": "query", "name": name, "schema": {"type": kind, "uniqueItems": True}}


_WRITE = [_query("dryRun"), _query("fieldManager"), _query("fieldValidation"), _query("pretty")]


def _operation(verb: str, resource: Resource, kind: tuple[str, str, str], v3: bool) -> Obj:
    group, version, name = kind
    action = {"get": "get", "put": "put", "patch": "patch", "post": "post", "delete": "delete"}[verb]
    parameters = [*_WRITE, _query("force", "boolean")] if verb == "patch" else _WRITE
    if not v3:
        parameters = [
            {"in": "query", "name": p["name"], "type": p["schema"]["type"], "uniqueItems": True} for p in parameters
        ]
    made: Obj = {
        "operationId": f"{action}{resource.group}{resource.version}{resource.plural}{name}",
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": name},
    }
    if verb != "get":
        made["parameters"] = parameters
    if verb == "patch" and v3:
        kinds = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
        made["requestBody"] = {"content": {k: {} for k in [*kinds, "application/strategic-merge-patch+json"]}}
    if not v3:
        made["consumes"] = ["*/*"]
        made["produces"] = ["application/json"]
    return made


def _paths(resource: Resource, v3: bool) -> dict[str, Obj]:
    base = resource.base + ("/namespaces/{namespace}" if resource.namespaced else "") + f"/{resource.plural}"
    kind = (resource.group, resource.version, resource.kind)
    verbs = ("get", "put", "patch", "delete")
    made = {
        base: {verb: _operation(verb, resource, kind, v3) for verb in ("get", "post", "delete")},
        base + "/{name}": {verb: _operation(verb, resource, kind, v3) for verb in verbs},
    }
    for sub in resource.subresources:
        other = SUBRESOURCE_KINDS.get(sub, kind)
        methods = ("get", "put", "patch") if sub in ("status", "scale", "resize") else ("post",)
        made[f"{base}/{{name}}/{sub}"] = {verb: _operation(verb, resource, other, v3) for verb in methods}
    return made


def _custom_schema(resource: Resource) -> tuple[str, Obj]:
    name = ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
    made: Obj = dict((resource.schema or {}).get("openAPIV3Schema") or {"type": "object"})
    made["properties"] = {**made.get("properties", {}), "apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    made["properties"]["metadata"] = {"allOf": [{"$ref": _reference("meta.v1.ObjectMeta", True)}]}
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return name, made | {"x-kubernetes-group-version-kind": [gvk]}


def document(catalogue: Catalogue, group: str, version: str, host: str) -> Obj | None:
    """The OpenAPI v3 document of one group and version."""
    resources = [r for r in catalogue.all() if (r.group, r.version) == (group, version)]
    reviews = [kind for (owner, _), kind in REVIEWS.items() if owner == group] if version == "v1" else []
    if not resources and not reviews:
        return None
    paths: dict[str, Obj] = {}
    for resource in resources:
        paths |= _paths(resource, True)
    kinds = {r.kind for r in resources} | set(reviews) | {"Scale", "Eviction", "Binding", "TokenRequest"}
    names = [name for name, body in definitions().items() if "g" in body and body["g"][2] in kinds]
    reached = _reached([*names, "meta.v1.Status", "meta.v1.DeleteOptions", "meta.v1.ObjectMeta"])
    schemas = {definitions()[name]["n"]: _schemas(True)[definitions()[name]["n"]] for name in sorted(reached)}
    schemas |= dict(_custom_schema(resource) for resource in resources if resource.custom)
    info = {"title": "Kubernetes", "version": host}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def index(catalogue: Catalogue) -> Obj:
    """``/openapi/v3``."""
    paths = {}
    for group, versions in groups(catalogue).items():
        for version in versions:
            if group == METRICS[0]:
                continue
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            digest = hashlib.sha256(f"{path} {catalogue.generation}".encode()).hexdigest().upper()
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def swagger(catalogue: Catalogue, version: str) -> Obj:
    """``/openapi/v2``."""
    paths: dict[str, Obj] = {}
    for resource in catalogue.all():
        if not resource.custom:
            paths |= _paths(resource, False)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": paths,
        "definitions": _schemas(False),
    }
