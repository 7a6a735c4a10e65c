"""Faults on demand: ``/sandbox/faults`` (not part of Kubernetes).

POST adds one, GET lists them, DELETE clears them. A fault is one of::

    {"status": 429, "match": {"verb": "create", "resource": "pods", "namespace": "a"}, "count": 3}
    {"latency": 2.0, "match": {…}, "count": 10}     {"hang": 30, "match": {…}}
    {"dropWatches": true}                           {"nodeDown": "node-2"}   {"nodeUp": "node-2"}
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.access import User
from sandbox.api import answers
from sandbox.api.request import Target, body_of
from sandbox.errors import ApiError, bad_request, forbidden, method_not_allowed

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

_REASONS = {
    409: ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "Internal error occurred: injected by the sandbox"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}


@dataclass
class Fault:
    """One fault that requests can meet."""

    spec: dict[str, Any]
    left: int
    match: dict[str, str] = field(default_factory=dict)

    def meets(self, target: Target, verb: str) -> bool:
        """Whether it is meant for this request."""
        facts = {
            "verb": verb,
            "resource": target.resource.plural,
            "namespace": target.namespace,
            "name": target.name,
            "subresource": target.subresource,
        }
        return all(value in ("*", facts.get(key)) for key, value in self.match.items())

    def as_json(self) -> dict[str, Any]:
        """As GET lists it."""
        return {**self.spec, "left": self.left}


async def inject(cluster: Cluster, request: web.Request, target: Target, verb: str) -> None:
    """Let the request meet the faults that are meant for it.

    :raises ApiError: the fault says so
    """
    for fault in list(cluster.faults):
        if not fault.meets(target, verb):
            continue
        if fault.left > 0:
            fault.left -= 1
            if fault.left == 0:
                cluster.faults.remove(fault)
        wait = fault.spec.get("latency") or fault.spec.get("hang")
        if wait:
            await asyncio.sleep(float(wait))
        if fault.spec.get("hang"):
            raise _error(504)
        if fault.spec.get("status"):
            raise _error(int(fault.spec["status"]))


def _error(code: int) -> ApiError:
    reason, message = _REASONS.get(code, ("", f"injected by the sandbox: {code}"))
    headers = {"Retry-After": "1"} if code in (429, 503) else {}
    return ApiError(code, reason, message, {"retryAfterSeconds": 1} if headers else {}, headers)


async def respond(cluster: Cluster, request: web.Request) -> web.Response:
    """Add, list or clear faults; only for the administrator."""
    user: User = request["user"]
    if "system:masters" not in user.groups:
        raise forbidden(f'User "{user.name}" may not inject faults')
    if request.method == "POST":
        spec = await body_of(request)
        if not isinstance(spec, dict):
            raise bad_request("a fault is an object")
        _add(cluster, spec)
    elif request.method == "DELETE":
        cluster.faults.clear()
        for name in list(cluster.down_nodes):
            cluster.controllers.nodes.up(name)
    elif request.method != "GET":
        raise method_not_allowed()
    listed = [fault.as_json() for fault in cluster.faults]
    body = {"faults": listed, "downNodes": sorted(cluster.down_nodes), "impersonated": cluster.access.impersonated}
    return answers.answer(body, 201 if request.method == "POST" else 200)


def _add(cluster: Cluster, spec: dict[str, Any]) -> None:
    if spec.get("dropWatches"):
        for stream in list(cluster.streams):
            stream.closed = True
            stream.wake.set()
    elif spec.get("nodeDown"):
        if cluster.store.find("/nodes", "", spec["nodeDown"]) is None:
            raise bad_request(f"there is no node {spec['nodeDown']}")
        cluster.controllers.nodes.down(spec["nodeDown"])
    elif spec.get("nodeUp"):
        cluster.controllers.nodes.up(spec["nodeUp"])
    elif not any(spec.get(key) for key in ("status", "latency", "hang")):
        raise bad_request("a fault has status, latency, hang, dropWatches, nodeDown or nodeUp")
    else:
        cluster.faults.append(Fault(spec, int(spec.get("count", -1)), dict(spec.get("match") or {})))
