"""``metrics.k8s.io``: how much nodes and pods use, made up plausibly and steadily.

After the Kubernetes docs' "Resource metrics pipeline".
"""

from __future__ import annotations

import math
import time
import zlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import times
from sandbox.api import answers
from sandbox.errors import ApiError, method_not_allowed, no_such_path
from sandbox.objects.quantity import value
from sandbox.store.records import Record
from sandbox.store.selectors import Selection

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
API = "metrics.k8s.io/v1beta1"
WINDOW = "15s"


def _wave(key: str, period: float) -> float:
    """Between 0 and 1, slowly moving, at its own place for each key."""
    phase = zlib.crc32(key.encode()) % 1000 / 1000
    return 0.5 + 0.5 * math.sin(2 * math.pi * (time.time() / period + phase))


def usage(pod: Obj) -> list[tuple[str, float, float]]:
    """Each container with its cores and bytes: between a fifth and four fifths of what it asked for."""
    rows = []
    for container in pod["spec"]["containers"]:
        key = f"{pod['metadata']['uid']}/{container['name']}"
        requests = container.get("resources", {}).get("requests", {})
        cpu = value(requests.get("cpu", "100m")) * (0.2 + 0.6 * _wave(key, 300))
        memory = value(requests.get("memory", "128Mi")) * (0.5 + 0.3 * _wave(key + "m", 1800))
        rows.append((container["name"], cpu, memory))
    return rows


def _amounts(cpu: float, memory: float) -> Obj:
    return {"cpu": f"{int(cpu * 1e9)}n", "memory": f"{int(memory / 1024)}Ki"}


def _head(kind: str, record: Record) -> Obj:
    meta: Obj = {"name": record.name, "creationTimestamp": times.now()}
    if record.namespace:
        meta["namespace"] = record.namespace
    if record.labels:
        meta["labels"] = record.labels
    return {"kind": kind, "apiVersion": API, "metadata": meta, "timestamp": times.now(), "window": WINDOW}


def _pod(record: Record) -> Obj:
    containers = [{"name": name, "usage": _amounts(cpu, memory)} for name, cpu, memory in usage(record.load())]
    return _head("PodMetrics", record) | {"containers": containers}


def _nodes(cluster: Cluster, records: list[Record]) -> list[Obj]:
    totals: dict[str, list[float]] = {}
    for pod in cluster.store.all("/pods"):
        if pod.pod.phase == "Running":
            total = totals.setdefault(pod.pod.node, [0.0, 0.0])
            for _, cpu, memory in usage(pod.load()):
                total[0] += cpu
                total[1] += memory
    made = []
    for record in records:
        cpu, memory = totals.get(record.name, [0.0, 0.0])
        own = _wave(record.name, 600)
        made.append(
            _head("NodeMetrics", record)
            | {"usage": _amounts(cpu + 0.1 + 0.1 * own, memory + (0.6 + 0.2 * own) * 2**30)}
        )
    return made


def respond(cluster: Cluster, request: web.Request) -> web.Response:
    """One object or a list.

    :raises ApiError: it is not there
    """
    if request.method != "GET":
        raise method_not_allowed()
    parts = request.path.strip("/").split("/")[3:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) >= 3:
        namespace, parts = parts[1], parts[2:]
    if parts[0] not in ("nodes", "pods") or len(parts) > 2:
        raise no_such_path()
    place = f"/{parts[0]}"
    wanted = Selection(namespace, request.query.get("labelSelector", ""), "", place)
    records = [r for r in cluster.store.sorted(place, namespace) if wanted.matches(r)]
    if place == "/pods":
        records = [record for record in records if record.pod.phase == "Running"]
    else:
        records = [record for record in records if record.name not in cluster.down_nodes]
    if len(parts) == 2:
        records = [record for record in records if record.name == parts[1]]
        if not records:
            kind = "podmetrics" if place == "/pods" else "nodemetrics"
            where = f"{namespace}/{parts[1]}" if namespace else parts[1]
            raise ApiError(
                404,
                "NotFound",
                f'{kind}.metrics.k8s.io "{where}" not found',
                {"name": where, "group": "metrics.k8s.io", "kind": parts[0]},
            )
    items = [_pod(record) for record in records] if place == "/pods" else _nodes(cluster, records)
    if len(parts) == 2:
        return answers.answer(items[0])
    kind = "PodMetricsList" if place == "/pods" else "NodeMetricsList"
    return answers.answer({"kind": kind, "apiVersion": API, "metadata": {}, "items": items})
