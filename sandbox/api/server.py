"""The HTTPS server: authentication, then the path decides."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.access import User
from sandbox.api import (
    answers,
    discovery,
    faults,
    lists,
    logs,
    metrics,
    objects,
    reviews,
    streams,
    subresources,
    watches,
)
from sandbox.api.request import Target, flag, parse
from sandbox.errors import ApiError, method_not_allowed, no_such_path
from sandbox.schema import openapi
from sandbox.store.records import encode

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

log = logging.getLogger("sandbox")
_PUBLIC = ("/version", "/healthz", "/livez", "/readyz")
_AGGREGATED = ("as=APIGroupDiscoveryList", "g=apidiscovery.k8s.io", "v=v2")
_AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class NoSuchGroup(Exception):
    """A path of a group that nothing serves: the real server answers in plain text."""


class Server:
    """Answers requests for one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._documents: dict[tuple[str, int], bytes] = {}

    def app(self) -> web.Application:
        """The application to serve."""
        made = web.Application(client_max_size=8 << 20)
        made.router.add_route("*", "/{path:.*}", self.handle)
        return made

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; an error becomes a ``Status``."""
        try:
            user = self._user(request)
            request["user"] = user
            if request.path.startswith(_PUBLIC):
                return self._public(request)
            if user is None:
                raise ApiError(401, "Unauthorized", "Unauthorized")
            if request.path.startswith("/sandbox/faults"):
                return await faults.respond(self.cluster, request)
            found = self._general(request)
            if found is not None:
                return found
            return await self._resource(request, user)
        except NoSuchGroup:
            return web.Response(status=404, text="404 page not found\n")
        except ApiError as error:
            return answers.refusal(error)
        except (web.HTTPException, asyncio.CancelledError, ConnectionResetError):
            raise
        except Exception:
            log.exception("sandbox: %s %s", request.method, request.rel_url)
            return answers.refusal(ApiError(500, "InternalError", "Internal error occurred: see the sandbox's log"))

    def _user(self, request: web.Request) -> User | None:
        user = self.cluster.access.find(request.headers.get("Authorization", ""))
        name = request.headers.get("Impersonate-User")
        if user is None or not name:
            return user
        if "system:masters" not in user.groups:
            message = f'users "{name}" is forbidden: User "{user.name}" cannot impersonate resource "users" '
            message += 'in API group "" at the cluster scope'
            raise ApiError(403, "Forbidden", message, {"name": name, "kind": "users"})
        counts = self.cluster.access.impersonated
        counts[name] = counts.get(name, 0) + 1
        groups = request.headers.getall("Impersonate-Group", [])
        return User(name, (*groups, "system:authenticated"))

    def _public(self, request: web.Request) -> web.Response:
        if request.path != "/version":
            return web.Response(text="ok")
        version = self.cluster.options.version
        major, minor = version.lstrip("v").split(".")[:2]
        body = {"major": major, "minor": minor, "emulationMajor": major, "emulationMinor": minor}
        body |= {"minCompatibilityMajor": major, "minCompatibilityMinor": str(int(minor) - 1)}
        body |= {"gitVersion": version, "gitCommit": "", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z"}
        return answers.answer(body | {"goVersion": "go1.26", "compiler": "gc", "platform": "linux/amd64"})

    def _general(self, request: web.Request) -> web.Response | None:  # noqa: PLR0912 - one branch per kind of path
        """Discovery and OpenAPI; None where the path is a resource's."""
        parts = request.path.strip("/").split("/")
        catalogue = self.cluster.catalogue
        accept = request.headers.get("Accept", "")
        if parts in (["api"], ["apis"]):
            if any(all(word in offer for word in _AGGREGATED) for offer in accept.split(",")):
                response = answers.answer(discovery.aggregated(catalogue, parts == ["api"]))
                response.headers["Content-Type"] = _AGGREGATED_TYPE
                return response
            if parts == ["api"]:
                return answers.answer(discovery.api_versions(request.host))
            return answers.answer(discovery.group_list(catalogue))
        if parts == [""]:
            return answers.answer(
                {"paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]}
            )
        body: Any = None
        if len(parts) == 2 and parts[0] == "api":
            body = discovery.resource_list(catalogue, "", parts[1])
        elif len(parts) == 2 and parts[0] == "apis":
            body = discovery.group(catalogue, parts[1])
        elif len(parts) == 3 and parts[0] == "apis":
            body = discovery.resource_list(catalogue, parts[1], parts[2])
        elif parts[0] == "openapi":
            return self._openapi(parts[1:], accept)
        else:
            return None
        if body is None:
            raise no_such_path()
        return answers.answer(body)

    def _openapi(self, parts: list[str], accept: str) -> web.Response:
        catalogue, version = self.cluster.catalogue, self.cluster.options.version
        path = "/".join(parts)
        key = (path, catalogue.generation)
        if parts == ["v2"] and "proto" in accept and "json" not in accept:
            raise ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")
        if key not in self._documents:
            body: Any = None
            if parts == ["v2"]:
                body = openapi.swagger(catalogue, version)
            elif parts == ["v3"]:
                body = openapi.index(catalogue)
            elif parts[:2] == ["v3", "api"] and len(parts) == 3:
                body = openapi.document(catalogue, "", parts[2], version)
            elif parts[:2] == ["v3", "apis"] and len(parts) == 4:
                body = openapi.document(catalogue, parts[2], parts[3], version)
            if body is None:
                raise no_such_path()
            self._documents[key] = encode(body)
        return answers.raw(self._documents[key])

    async def _resource(self, request: web.Request, user: User) -> web.StreamResponse:  # noqa: PLR0912 - one branch per kind of path
        if request.path.startswith("/apis/metrics.k8s.io/v1beta1/"):
            return metrics.respond(self.cluster, request)
        parts = request.path.strip("/").split("/")
        if (
            len(parts) >= 3
            and parts[0] == "apis"
            and parts[2] not in discovery.groups(self.cluster.catalogue).get(parts[1], ())
        ):
            raise NoSuchGroup
        target = parse(request.path, self.cluster.catalogue)
        verb = target.verb(request)
        if not user.may(verb, target.resource.plural, target.resource.group):
            raise reviews.deny(user, verb, target)
        await faults.inject(self.cluster, request, target, verb)
        if target.review:
            return await reviews.respond(self.cluster, request, target)
        if target.subresource:
            return await self._subresource(request, target)
        if request.method in ("GET", "HEAD") and not target.name:
            if flag(request, "watch"):
                return await watches.respond(self.cluster, request, target)
            return await lists.respond(self.cluster, request, target)
        if flag(request, "watch"):
            return await watches.respond(self.cluster, request, target)
        handler = objects.HANDLERS.get(("GET" if request.method == "HEAD" else request.method, bool(target.name)))
        if handler is None:
            raise method_not_allowed()
        return await handler(self.cluster, request, target)

    async def _subresource(self, request: web.Request, target: Target) -> web.StreamResponse:
        name = target.subresource
        if name in subresources.HANDLERS:
            return await subresources.HANDLERS[name](self.cluster, request, target)
        if name == "log":
            return await logs.respond(self.cluster, request, target)
        if name in ("exec", "attach", "portforward"):
            return await streams.respond(self.cluster, request, target)
        handler = objects.HANDLERS.get((request.method, True))
        if handler is None or request.method == "DELETE":
            raise method_not_allowed()
        return await handler(self.cluster, request, target)
