"""Subresources that are not the object itself: scale, eviction, binding, token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import times
from sandbox.api import answers
from sandbox.api.cells import selector_text
from sandbox.api.objects import APPLY, PATCHES, how_of, options_of, patched
from sandbox.api.request import Target, body_of, content_type, flag, load_yaml
from sandbox.controllers.budgets import matching_budgets
from sandbox.controllers.scheduler import bind
from sandbox.errors import (
    ApiError,
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    not_found,
    unsupported_media,
    wrong,
)
from sandbox.kubelet.resize import accept
from sandbox.objects import apply
from sandbox.objects.managers import Manager
from sandbox.resources import Resource
from sandbox.schema.types import root_of

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]


def scale_of(obj: Obj) -> Obj:
    """The ``Scale`` of a workload."""
    meta = {key: obj["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    status: Obj = {"replicas": obj.get("status", {}).get("replicas", 0)}
    selector = selector_text(obj["spec"].get("selector"))
    if selector != "<none>":
        status["selector"] = selector
    spec: Obj = {"replicas": obj["spec"]["replicas"]} if obj["spec"].get("replicas") else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}


async def scale(cluster: Cluster, request: web.Request, target: Target) -> web.Response:  # noqa: PLR0912 - one branch per method and kind of patch
    """Read or write the number of replicas."""
    there = cluster.writer.load(target.resource, target.namespace, target.name)
    if request.method == "GET":
        return answers.answer(scale_of(there))
    if request.method not in ("PUT", "PATCH"):
        raise method_not_allowed()
    how = how_of(request, target)
    current = scale_of(there)
    body: Any
    if request.method == "PUT":
        body = await body_of(request)
    elif content_type(request) in APPLY:
        return await _apply_scale(cluster, request, target, there)
    else:
        node = root_of("autoscaling", "v1", "Scale")
        kind = PATCHES.get(content_type(request))
        if kind is None:
            raise unsupported_media()
        body = patched(kind, target, current, await body_of(request), node)
    rv = (body.get("metadata") or {}).get("resourceVersion")
    if rv and rv != there["metadata"]["resourceVersion"]:
        raise conflict(target.resource, target.name)
    wanted = (body.get("spec") or {}).get("replicas", 0)
    if not isinstance(wanted, int):
        raise bad_request(
            'Scale in version "v1" cannot be handled as a Scale: '
            "json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32"
        )
    if wanted < 0:
        scales = Resource("autoscaling", "v1", "scales", "Scale")
        raise invalid(scales, target.name, [wrong("spec.replicas", wanted, "must be greater than or equal to 0")])
    there["spec"]["replicas"] = wanted
    there["metadata"].pop("resourceVersion")
    return answers.answer(scale_of(cluster.writer.update(target.resource, target.namespace, target.name, there, how)))


async def _apply_scale(cluster: Cluster, request: web.Request, target: Target, there: Obj) -> web.Response:
    how = how_of(request, target)
    config = load_yaml((await request.read()).decode())[0]
    resource = target.resource
    obj = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": {"replicas": config.get("spec", {}).get("replicas", 0)},
    }
    manager = Manager(how.manager, "Apply", resource.api_version, "scale")
    node = root_of(resource.group, resource.version, resource.kind)
    made = apply.applied(there, obj, node, manager, flag(request, "force"))
    result = cluster.writer.update(resource, target.namespace, target.name, made, how, own=False)
    return answers.answer(scale_of(result))


async def eviction(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """Delete a pod unless a disruption budget forbids it (docs: "API-initiated Eviction")."""
    body = await body_of(request)
    record = cluster.store.find("/pods", target.namespace, target.name)
    if record is None:
        raise not_found(target.resource, target.name)
    options = body.get("deleteOptions") or {}
    options |= await options_of(request) if request.query else {}
    dry = "All" in (options.get("dryRun") or ())
    pod = record.pod
    if not pod.finished and not record.deleting and pod.phase != "Pending":
        _check_budgets(cluster, target, dry)
    cluster.writer.delete(target.resource, target.namespace, target.name, options, dry)
    return answers.answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def _check_budgets(cluster: Cluster, target: Target, dry: bool) -> None:
    record = cluster.store.find("/pods", target.namespace, target.name)
    assert record is not None
    budgets = matching_budgets(cluster, record)
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(500, "InternalError", "Internal error occurred: " + message)
    if not budgets:
        return
    budget = budgets[0].load()
    status = budget.get("status", {})
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        detail = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(detail, 10, "Cannot evict pod as it would violate the pod's disruption budget.")
    if not record.pod.ready and budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return
    if not record.pod.ready and status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0:
        return  # IfHealthyBudget
    if status.get("disruptionsAllowed", 0) <= 0:
        detail = (
            f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods "
            f"and has {status.get('currentHealthy', 0)} currently"
        )
        raise _too_many(detail, 0, "Cannot evict pod as it would violate the pod's disruption budget.")
    if not dry:
        status = {**status, "disruptionsAllowed": status["disruptionsAllowed"] - 1}
        status["disruptedPods"] = {**status.get("disruptedPods", {}), target.name: times.now()}
        cluster.set_status("policy/poddisruptionbudgets", target.namespace, name, status)


def _too_many(detail: str, retry: int, message: str) -> ApiError:
    cause = {"reason": "DisruptionBudget", "message": detail}
    return ApiError(
        429, "TooManyRequests", message, {"causes": [cause], **({"retryAfterSeconds": retry} if retry else {})}
    )


async def binding(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """Put a pod on a node, as a scheduler does."""
    body = await body_of(request)
    node = (body.get("target") or {}).get("name", "")
    pod = cluster.writer.load(target.resource, target.namespace, target.name)
    if pod["spec"].get("nodeName"):
        why = f'pod {target.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        raise conflict(target.resource, target.name, why, kind="pods/binding")
    bind(cluster, target.namespace, target.name, node)
    return answers.answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


async def token(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """A token of a service account."""
    body = await body_of(request)
    account = cluster.writer.load(target.resource, target.namespace, target.name)
    spec = body.get("spec") or {}
    seconds = spec.get("expirationSeconds", 3600)
    made = cluster.access.issue(target.namespace, target.name)
    meta = {
        "name": target.name,
        "namespace": target.namespace,
        "creationTimestamp": account["metadata"]["creationTimestamp"],
    }
    spec = {"audiences": spec.get("audiences") or ["https://kubernetes.default.svc"], "expirationSeconds": seconds}
    status = {"token": made, "expirationTimestamp": times.at(time.time() + seconds)}
    obj = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": meta,
        "spec": spec,
        "status": status,
    }
    return answers.answer(obj, 201)


async def finalize(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """Set a namespace's finalizers."""
    how = how_of(request, target)
    obj = cluster.writer.decode(target.resource, await body_of(request), how)
    return answers.answer(cluster.writer.update(target.resource, "", target.name, obj, how))


async def resize(cluster: Cluster, request: web.Request, target: Target) -> web.Response:
    """Change a running pod's resources in place (docs: "Resize CPU and Memory Resources assigned to Containers")."""
    there = cluster.writer.load(target.resource, target.namespace, target.name)
    if request.method == "GET":
        return answers.answer(there)
    how = how_of(request, target)
    body = await body_of(request)
    node = root_of("", "v1", "Pod")
    kind = PATCHES.get(content_type(request), "merge")
    made = body if request.method == "PUT" else patched(kind, target, there, body, node)
    made = cluster.writer.decode(target.resource, made, how)
    return answers.answer(accept(cluster, there, made, how))


HANDLERS = {
    "scale": scale,
    "eviction": eviction,
    "binding": binding,
    "token": token,
    "finalize": finalize,
    "resize": resize,
}
