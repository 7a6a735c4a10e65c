"""Everything that one application becomes in a cluster, exactly as contract objects.md says."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.contracts.json import Json
from plugins.yunyou.documents.application import Application, Storage
from plugins.yunyou.documents.quantities import canonical
from plugins.yunyou.documents.solution import Cell, LoadBalancer, Product
from plugins.yunyou.manifests.labels import (
    NETWORK,
    ORDER,
    PLAN,
    Place,
    in_cell,
    job_name,
    labels,
    online_selector,
    selector,
    workload_name,
)
from plugins.yunyou.manifests.pod_template import EnvValue, parameters_secret, port_name, template

WORKLOADS = ("StatefulSet", "Deployment", "DaemonSet", "Job")
STEADY_DEPLOYMENT: Mapping[str, Any] = {
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
    "minReadySeconds": 0,
    "progressDeadlineSeconds": 600,
}


def render(
    product: Product,
    application: Application,
    place: Place,
    values: Sequence[EnvValue],
    *,
    cell: Cell | None = None,
    claims: Mapping[str, str] | None = None,
    order: str = "",
    attempt: int = 1,
) -> list[Json]:
    """The objects of one application, or of one cell of it, in the order in which they are applied.

    :param values: its start-up parameters (:func:`pods.env_of`)
    :param claims: existing claims by volume name, in place of those that would be made (not for StatefulSets)
    :param order: the order that runs a task or test, which is part of the Job's name with *attempt*
    """
    app = in_cell(application, cell)
    workload = workload_name(app.name, cell)
    made: list[Json] = []
    if any(value.secret for value in values):
        made.append(_secret(product, app, place, values, cell))
    bound = dict(claims or {})
    if app.kind != "StatefulSet":
        for volume in app.storage:
            if not volume.anonymous and volume.name not in bound:
                bound[volume.name] = f"{workload}-{volume.name}"
                made.append(_claim(product, app, place, volume, bound[volume.name], cell))
    made.extend(_services(product, app, place, cell))
    pod = template(product, app, place, values, cell, bound)
    made.append(_WORKLOADS[app.kind](product, app, place, pod, cell, job_name(workload, order, attempt)))
    return made


def workload_of(objects: Iterable[Json]) -> Json:
    """The workload among the objects of an application, or of one cell of it."""
    return next(item for item in objects if item["kind"] in WORKLOADS)


def workloads_of(objects: Iterable[Json]) -> list[Json]:
    """The workloads among the objects of an application in all of its cells."""
    return [item for item in objects if item["kind"] in WORKLOADS]


def _object(api: str, kind: str, name: str, place: Place, labels: Mapping[str, str], fields: Json) -> Json:
    metadata = {"name": name, "namespace": place.namespace, "labels": dict(labels)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def _secret(product: Product, app: Application, place: Place, values: Sequence[EnvValue], cell: Cell | None) -> Json:
    data = {value.key: base64.b64encode(value.text.encode()).decode() for value in values if value.secret}
    name = parameters_secret(workload_name(app.name, cell))
    fields = {"type": "Opaque", "data": data}
    return _object("v1", "Secret", name, place, labels(product, app.name, place, cell), fields)


def _claim_spec(volume: Storage, place: Place) -> Json:
    spec: Json = {
        "accessModes": [volume.access_mode],
        "resources": {"requests": {"storage": canonical(volume.size or place.storage_size)}},
    }
    storage_class = volume.storage_class or place.storage_class
    return {**spec, "storageClassName": storage_class} if storage_class else spec


def _claim(product: Product, app: Application, place: Place, volume: Storage, name: str, cell: Cell | None) -> Json:
    fields = {"spec": _claim_spec(volume, place)}
    return _object("v1", "PersistentVolumeClaim", name, place, labels(product, app.name, place, cell), fields)


def _services(product: Product, app: Application, place: Place, cell: Cell | None) -> list[Json]:
    """The headless Service of a StatefulSet, and the one by which others find the application (and its cell)."""
    ports = [
        {"name": port_name(app, at), "port": port.port, "targetPort": port.port, "protocol": port.protocol}
        for at, port in enumerate(app.ports)
    ]
    made: list[Json] = []
    name = workload_name(app.name, cell)

    def add(name: str, chosen: Cell | None, spec: Json) -> None:
        chooses = online_selector(product.code, app.name, place, chosen)
        fields = {"spec": {**spec, "selector": chooses, **({"ports": ports} if ports else {})}}
        made.append(_object("v1", "Service", name, place, labels(product, app.name, place, chosen), fields))

    if app.kind == "StatefulSet":
        add(headless(name), cell, {"clusterIP": "None", "publishNotReadyAddresses": True})
    if ports:
        if cell in (None, *product.cells_of(app)[:1]):  # one of the cells brings what all of them share
            add(app.name, None, {"type": "ClusterIP"})
        if cell:
            add(name, cell, {"type": "ClusterIP"})
    return made


def headless(workload: str) -> str:
    """The name of a StatefulSet's headless Service."""
    return f"{workload}-headless"


def load_balancer(product: Product, balancer: LoadBalancer, place: Place, cell: Cell | None = None) -> Json:
    """The Service of a load balancer whose provider is *Kubernetes Service*."""
    ports = []
    for listener in balancer.listeners:
        transport = "UDP" if listener.protocol == "UDP" else "TCP"
        port: Json = {
            "name": f"{listener.protocol.lower()}-{listener.port}",
            "port": listener.port,
            "targetPort": listener.target_port,
            "protocol": transport,
        }
        if listener.protocol in ("HTTP", "HTTPS"):
            port["appProtocol"] = listener.protocol.lower()
        ports.append(port)
    chooses = online_selector(product.code, balancer.application, place, cell)
    marks = labels(product, balancer.application, place, cell)
    fields = {"spec": {"type": "LoadBalancer", "selector": chooses, "ports": ports}}
    made = _object("v1", "Service", workload_name(balancer.name, cell), place, marks, fields)
    made["metadata"]["annotations"] = {NETWORK: balancer.network}
    return made


def _stateful_set(product: Product, app: Application, place: Place, pod: Json, cell: Cell | None, _: str) -> Json:
    name, marks = workload_name(app.name, cell), labels(product, app.name, place, cell)
    spec: Json = {
        "replicas": app.replicas,
        "serviceName": headless(name),
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": selector(product.code, app.name, place, cell)},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "template": pod,
    }
    kept = [volume for volume in app.storage if not volume.anonymous]
    if kept:
        stable = selector(product.code, app.name, place, cell)  # claim templates can't change, so no version here
        spec["volumeClaimTemplates"] = [
            {"metadata": {"name": volume.name, "labels": stable}, "spec": _claim_spec(volume, place)} for volume in kept
        ]
    return _object("apps/v1", "StatefulSet", name, place, marks, {"spec": spec})


def _deployment(product: Product, app: Application, place: Place, pod: Json, cell: Cell | None, _: str) -> Json:
    chosen = {"matchLabels": selector(product.code, app.name, place, cell)}
    spec = {"replicas": app.replicas, "selector": chosen, **copy.deepcopy(dict(STEADY_DEPLOYMENT)), "template": pod}
    marks = labels(product, app.name, place, cell)
    return _object("apps/v1", "Deployment", workload_name(app.name, cell), place, marks, {"spec": spec})


def _daemon_set(product: Product, app: Application, place: Place, pod: Json, cell: Cell | None, _: str) -> Json:
    chosen = {"matchLabels": selector(product.code, app.name, place, cell)}
    spec = {"selector": chosen, "updateStrategy": {"type": "OnDelete"}, "template": pod}
    marks = labels(product, app.name, place, cell)
    return _object("apps/v1", "DaemonSet", workload_name(app.name, cell), place, marks, {"spec": spec})


def _job(product: Product, app: Application, place: Place, pod: Json, cell: Cell | None, run: str) -> Json:
    pod["spec"]["restartPolicy"] = "Never"
    spec: Json = {"backoffLimit": 0, "template": pod}
    if app.role == "test":
        spec["activeDeadlineSeconds"] = app.test.timeout_seconds
    return _object("batch/v1", "Job", run, place, labels(product, app.name, place, cell), {"spec": spec})


_WORKLOADS = {"StatefulSet": _stateful_set, "Deployment": _deployment, "DaemonSet": _daemon_set, "Job": _job}


def plan_hash(objects: Iterable[Json]) -> str:
    """SHA-256 of a frozen plan, whatever the order of its objects.

    What Secrets hold is left out: their keyed checksum stands in the pod templates that use them.
    """
    texts = []
    for item in objects:
        shown = {**item, "data": sorted(item["data"])} if item["kind"] == "Secret" else item
        texts.append(json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def marked(objects: Iterable[Json], order: str, plan: str) -> list[Json]:
    """The objects with the order and the hash of its plan noted on the workloads."""
    made = []
    for item in copy.deepcopy(list(objects)):
        if item["kind"] in WORKLOADS:
            item["metadata"].setdefault("annotations", {}).update({ORDER: str(order), PLAN: plan})
        made.append(item)
    return made
