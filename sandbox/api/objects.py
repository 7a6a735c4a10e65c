"""Single objects: get, create, replace, patch, apply, delete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from sandbox.api import answers, lists
from sandbox.api.request import Target, body_of, content_type, flag, load_yaml
from sandbox.errors import (
    ApiError,
    Cause,
    bad_option,
    bad_request,
    conflict,
    method_not_allowed,
    not_found,
    required,
    unsupported,
    unsupported_media,
)
from sandbox.objects import apply
from sandbox.objects.admission import copy_of
from sandbox.objects.managers import Manager
from sandbox.objects.patch import json_patch, merge_patch
from sandbox.objects.strategic import strategic
from sandbox.schema.types import Node, root_of
from sandbox.writes import How

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")
PATCHES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}


def how_of(request: web.Request, target: Target) -> How:
    """In what way the request asks to write.

    :raises ApiError: a parameter is wrong
    """
    dry = request.query.getall("dryRun", [])
    kind = {"POST": "CreateOptions", "PUT": "UpdateOptions"}.get(request.method, "PatchOptions")
    if dry not in ([], ["All"], [""]):
        raise bad_option(kind, unsupported("dryRun", dry, ["All"]))
    agent = request.headers.get("User-Agent", "unknown").split("/", 1)[0][:128]
    default = "Ignore" if content_type(request) in APPLY else "Warn"
    validation = request.query.get("fieldValidation") or default
    if validation not in ("Ignore", "Warn", "Strict"):
        raise bad_option(kind, unsupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]))
    return How(
        manager=request.query.get("fieldManager") or agent,
        subresource=target.subresource,
        dry_run=bool(dry and dry[0]),
        validation=validation,
    )


async def get(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """One object."""
    record = cluster.store.find(target.resource.id, target.namespace, target.name)
    if record is None:
        raise not_found(target.resource, target.name)
    form = answers.shape(request)
    if form:
        return answers.one(request, target.resource, record.load())
    return answers.raw(answers.version_of(target.resource, record))


async def create(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """A new object."""
    if target.name:
        raise method_not_allowed()
    how = how_of(request, target)
    obj = cluster.writer.decode(target.resource, await body_of(request), how)
    if target.resource.namespaced and not target.namespace:
        raise bad_request("an empty namespace may not be set during creation")
    made = cluster.writer.create(target.resource, target.namespace, obj, how)
    return answers.one(request, target.resource, made, 201, how.warnings)


async def replace(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """The whole object anew."""
    how = how_of(request, target)
    obj = cluster.writer.decode(target.resource, await body_of(request), how)
    there = cluster.store.find(target.resource.id, target.namespace, target.name)
    if there is None and target.resource.id in ("coordination.k8s.io/leases", "/endpoints", "/events"):
        obj["metadata"].setdefault("name", target.name)
        return answers.answer(cluster.writer.create(target.resource, target.namespace, obj, how), 201)
    made = cluster.writer.update(target.resource, target.namespace, target.name, obj, how)
    return answers.one(request, target.resource, made, 200, how.warnings)


def patched(kind: str, target: Target, there: Obj, patch: Any, node: Node) -> Obj:
    """The object after a patch of one of the three older kinds.

    :raises ApiError: it cannot be applied
    """
    if kind == "json":
        made: Obj = json_patch(there, patch)
    elif not isinstance(patch, dict):
        raise bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}")
    elif kind == "merge":
        made = merge_patch(there, patch)
    elif target.resource.custom:
        raise unsupported_media()
    else:
        made = strategic(there, patch, node)
    return made


def go_text(value: Any) -> str:
    """A value as Go's ``%v`` prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(entry)}" for key, entry in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(entry) for entry in value) + "]"
    return (
        {True: "true", False: "false", None: "<nil>"}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value)
    )


async def patch(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """A change of an object."""
    kind = content_type(request)
    if kind in APPLY:
        return await _apply(cluster, request, target)
    if kind not in PATCHES:
        raise unsupported_media()
    how, body = how_of(request, target), await body_of(request)
    there = cluster.writer.load(target.resource, target.namespace, target.name)
    node = root_of(target.resource.group, target.resource.version, target.resource.kind)
    made = patched(PATCHES[kind], target, there, body, node)
    if made.get("metadata", {}).get("resourceVersion") not in (None, there["metadata"]["resourceVersion"]):
        raise conflict(target.resource, target.name)
    text = go_text(body) if PATCHES[kind] == "strategic" else json.dumps(made, separators=(",", ":"))
    made = cluster.writer.decode(target.resource, made, how, quote_patch=text)
    result = cluster.writer.update(target.resource, target.namespace, target.name, made, how)
    return answers.one(request, target.resource, result, 200, how.warnings)


def _undeclared(value: Any, node: Node, path: str) -> str:  # noqa: PLR0912 - one branch per case
    """The first field that the schema does not have."""
    if node.kind == "object" and isinstance(value, dict):
        for key, entry in value.items():
            child = node.fields.get(key)
            if child is None:
                return f"{path}.{key}"
            if found := _undeclared(entry, child, f"{path}.{key}"):
                return found
    elif node.kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            if node.list_type == "map" and isinstance(item, dict):
                pairs = ",".join(f'{key}="{item.get(key)}"' for key in node.keys if key in item)
                place = f"{path}[{pairs}]"
            if found := _undeclared(item, node.item, place):
                return found
    elif node.kind == "map" and isinstance(value, dict):
        for key, entry in value.items():
            if found := _undeclared(entry, node.item, f"{path}.{key}"):
                return found
    return ""


def _check_config(target: Target, config: Any, manager: str) -> None:
    resource = target.resource
    if not manager:
        raise bad_option("PatchOptions", required("fieldManager", "is required for apply patch"))
    if not isinstance(config, dict) or not isinstance(config.get("metadata", {}), dict):
        raise bad_request("error decoding YAML: cannot unmarshal into an object")
    config.setdefault("metadata", {}).setdefault("name", target.name)
    if config["metadata"].get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    if not config.get("kind") or not config.get("apiVersion"):
        raise bad_request("invalid object type: /, Kind=")
    node = root_of(resource.group, resource.version, resource.kind)
    where = f"({config['metadata'].get('namespace', '')}/{target.name}; {resource.api_version}, Kind={resource.kind})"
    missing = _undeclared(config, node, "") if not resource.custom else ""
    why = f"{missing}: field not declared in schema" if missing else apply.repeated(config, node, "")
    if why:
        raise ApiError(500, "", f"failed to create typed patch object {where}: {why}")


async def _apply(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """Server-side apply: creates the object where it is not there."""
    how = how_of(request, target)
    raw = await request.read()
    documents = load_yaml(raw.decode())
    config = documents[0] if documents else None
    resource = target.resource
    _check_config(target, config, request.query.get("fieldManager", ""))
    record = cluster.store.find(resource.id, target.namespace, target.name)
    if record is None and target.subresource:
        raise not_found(resource, target.name)
    config = cluster.writer.decode(resource, config, how)
    if resource.namespaced:
        config["metadata"].setdefault("namespace", target.namespace)
    live = record.load() if record else None
    given = {key: config["metadata"][key] for key in ("resourceVersion", "uid") if config["metadata"].get(key)}
    if any(live is None or live["metadata"][key] != value for key, value in given.items()):
        raise conflict(resource, target.name)
    manager = Manager(how.manager, "Apply", resource.api_version, target.subresource)
    node = root_of(resource.group, resource.version, resource.kind)
    made = apply.applied(live, config, node, manager, flag(request, "force"))
    made["kind"], made["apiVersion"] = resource.kind, resource.api_version
    made = copy_of(made)  # it shares parts with what is there
    if live is None:
        how.manage = False
        result = cluster.writer.create(resource, target.namespace, made, how)
        return answers.one(request, resource, result, 201, how.warnings)
    result = cluster.writer.update(resource, target.namespace, target.name, made, how, own=False)
    return answers.one(request, resource, result, 200, how.warnings)


async def options_of(request: web.Request) -> Obj:
    """The options of a deletion, from the body and the query."""
    body = await body_of(request)
    found: Obj = body if isinstance(body, dict) else {}
    query = request.query
    if "propagationPolicy" in query:
        found["propagationPolicy"] = query["propagationPolicy"]
    if "gracePeriodSeconds" in query:
        found["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
    if "orphanDependents" in query:
        found["orphanDependents"] = flag(request, "orphanDependents")
    if "All" in query.getall("dryRun", []):
        found["dryRun"] = ["All"]
    policy = found.get("propagationPolicy")
    if policy not in (None, "", "Background", "Foreground", "Orphan"):
        words = ", ".join(f'"{word}"' for word in ("Foreground", "Background", "Orphan", "nil"))
        text = f'Unsupported value: "{policy}": supported values: {words}'
        raise bad_option("DeleteOptions", Cause("FieldValueNotSupported", text, "propagationPolicy"))
    return found


async def delete(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """One object goes, or begins to."""
    options = await options_of(request)
    dry = "All" in (options.get("dryRun") or ())
    result = cluster.writer.delete(target.resource, target.namespace, target.name, options, dry)
    return answers.one(request, target.resource, result)


async def delete_many(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """Every object that the selectors name."""
    options = await options_of(request)
    dry = "All" in (options.get("dryRun") or ())
    wanted = lists.selection(request, target)
    if target.resource.id == "/namespaces" or (target.resource.namespaced and not target.namespace):
        raise method_not_allowed()
    records = [r for r in cluster.store.sorted(target.resource.id, target.namespace) if wanted.matches(r)]
    for record in records:
        cluster.writer.delete(target.resource, record.namespace, record.name, options, dry)
    head = f'{{"kind":"{target.resource.kind}List","apiVersion":"{target.resource.api_version}","metadata":'.encode()
    meta = msgspec.json.encode({"resourceVersion": str(cluster.store.revision)})
    return answers.raw(head + meta + b',"items":[' + b",".join(record.bare for record in records) + b"]}")


def written(cluster: Cluster, target: Target, obj: Obj, how: How) -> Obj:
    """Write one object's subresource."""
    return cluster.writer.update(target.resource, target.namespace, target.name, obj, how)


HANDLERS = {
    ("GET", True): get,
    ("PUT", True): replace,
    ("PATCH", True): patch,
    ("DELETE", True): delete,
    ("POST", False): create,
    ("DELETE", False): delete_many,
}
