"""What a path of the API stands for (Kubernetes docs: "API Concepts")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec
import yaml
from aiohttp import web

from sandbox.errors import bad_request, no_such_path, unsupported_media
from sandbox.resources import REVIEWS, Catalogue, Resource
from sandbox.schema import protobuf

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass
class Target:
    """The resource, object and subresource that a request is about."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    review: str = ""
    rest: str = ""

    def verb(self, request: web.Request) -> str:
        """What RBAC calls it."""
        method = request.method
        if method in ("GET", "HEAD"):
            if self.name:
                return "get"
            return "watch" if flag(request, "watch") else "list"
        if method == "DELETE":
            return "delete" if self.name else "deletecollection"
        return _VERBS.get(method, method.lower())


def flag(request: web.Request, name: str) -> bool:
    """A boolean query parameter."""
    return request.query.get(name, "").lower() in ("true", "1", "t")


def parse(path: str, catalogue: Catalogue) -> Target:  # noqa: PLR0912 - one branch per part of a path
    """What the path stands for.

    :raises ApiError: nothing is served there
    """
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) >= 3:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        raise no_such_path()
    namespace = ""
    if parts[0] == "namespaces" and len(parts) >= 3 and not (group == "" and parts[2] in ("status", "finalize")):
        namespace, parts = parts[1], parts[2:]
    if parts[0] == "watch":  # the deprecated form, not served
        raise no_such_path()
    plural = parts[0]
    if (group, plural) in REVIEWS and version == "v1":
        kind = REVIEWS[group, plural]
        return Target(Resource(group, version, plural, kind, bool(namespace)), namespace, review=kind)
    resource = catalogue.find(group, version, plural)
    if resource is None or (namespace and not resource.namespaced):
        raise no_such_path()
    target = Target(resource, namespace)
    target.name = parts[1] if len(parts) > 1 else ""
    target.subresource = parts[2] if len(parts) > 2 else ""
    target.rest = "/".join(parts[3:])
    if target.subresource and target.subresource not in resource.subresources:
        raise no_such_path()
    if resource.namespaced and target.name and not namespace:
        raise no_such_path()
    return target


def content_type(request: web.Request) -> str:
    """The media type of the body."""
    return request.headers.get("Content-Type", "application/json").split(";")[0].strip()


async def body_of(request: web.Request) -> Any:
    """The decoded body, JSON or YAML.

    :raises ApiError: it cannot be read
    """
    raw = await request.read()
    if not raw:
        return {}
    kind = content_type(request)
    try:
        if "yaml" in kind:
            return yaml.load(raw, Loader=_LOADER)  # noqa: S506 - a safe loader
        if kind == protobuf.MEDIA:
            return protobuf.decode(raw)
        if kind == "application/cbor":
            raise unsupported_media()
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, yaml.YAMLError, ValueError) as exc:
        raise bad_request(
            f"the object provided is unrecognized: couldn't get version/kind; json parse error: {exc}"
        ) from exc


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without times: the API's are strings."""


_Loader.yaml_implicit_resolvers = {
    mark: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for mark, rules in _Loader.yaml_implicit_resolvers.items()
}
_LOADER = _Loader


def load_yaml(text: str) -> list[Any]:
    """Every document of a YAML text."""
    return [document for document in yaml.load_all(text, Loader=_LOADER) if document]
