"""What the API answers of clusters and the objects in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.kube.models import Cluster, KubeObject
from app.web.api import Out
from plugins.captain import words
from plugins.captain.queries import Mirror, Usage


class UsageOut(Out):
    """CPU in cores, memory in bytes: what pods request of what is allocatable."""

    nodes: int
    nodes_ready: int
    pods: int
    pods_allocatable: int
    cpu_requested: float
    cpu_allocatable: float
    memory_requested: int
    memory_allocatable: int


class ClusterOut(Out):
    """A registered cluster; its credentials are never answered."""

    id: str
    name: str
    description: str
    server: str
    state: str
    version: int
    server_version: str
    error_code: str | None
    error_detail: str | None
    checked_at: datetime | None
    mirror_heard_at: datetime | None
    mirror_fresh: bool
    created_at: datetime
    usage: UsageOut


class ObjectOut(Out):
    """What all objects of the mirror have."""

    name: str
    namespace: str
    uid: str
    state: str
    created_at: datetime | None
    labels: dict[str, str]


class NodeOut(ObjectOut):
    """A node."""

    ip: str
    roles: list[str]
    taints: list[str]
    kubelet_version: str
    pods_allocatable: int
    cpu_allocatable: float
    memory_allocatable: int


class NamespaceOut(ObjectOut):
    """A namespace."""


class PodOut(Out):
    """A pod in a list."""

    name: str
    namespace: str
    uid: str
    state: str
    ready: int
    containers: int
    restarts: int
    node: str
    ip: str
    owner: str | None
    images: list[str]
    cpu_requested: float
    memory_requested: int
    created_at: datetime | None


class PodDetail(Out):
    """A pod with the object as the cluster has it now; null while the cluster is out of reach."""

    pod: PodOut
    object: dict[str, Any] | None
    error: str | None


class WorkloadOut(Out):
    """A workload: its state in words, and how many of its replicas (a Job's completions) are there."""

    name: str
    namespace: str
    uid: str
    kind: str
    state: str
    ready: int
    desired: int
    images: list[str]
    product: str | None
    application: str | None
    created_at: datetime | None


class Count(Out):
    """How many objects are in a state."""

    state: str
    count: int


class OverviewOut(Out):
    """The numbers of a cluster."""

    usage: UsageOut
    nodes: list[Count]
    pods: list[Count]
    workloads: dict[str, list[Count]]


def usage(used: Usage) -> UsageOut:
    """Use in cores and bytes."""
    return UsageOut(
        used.nodes, used.ready, used.pods, used.places, used.cpu_requested / 1000, used.cpu / 1000,
        used.memory_requested, used.memory,
    )  # fmt: skip


def cluster(row: Cluster, used: Usage, mirror: Mirror) -> ClusterOut:
    """A cluster with its use."""
    return ClusterOut(
        row.id, row.name, row.description, row.server, row.state, row.version, row.server_version,
        row.error_code or None, row.error_detail or None, row.checked_at, mirror.heard_at, mirror.fresh,
        row.created_at, usage(used),
    )  # fmt: skip


def _labels(row: KubeObject) -> dict[str, str]:
    return (row.data.get("metadata") or {}).get("labels") or {}


def node(row: KubeObject) -> NodeOut:
    """A node."""
    version = str(words.info(row.data).get("kubeletVersion", ""))
    return NodeOut(
        row.name, row.namespace, row.uid, row.state, row.created_at, _labels(row), row.ip, words.roles(row.data),
        words.taints(row.data), version, row.total, row.cpu / 1000, row.memory,
    )  # fmt: skip


def namespace(row: KubeObject) -> NamespaceOut:
    """A namespace."""
    return NamespaceOut(row.name, row.namespace, row.uid, row.state, row.created_at, _labels(row))


def pod(row: KubeObject) -> PodOut:
    """A pod."""
    return PodOut(
        row.name, row.namespace, row.uid, row.state, row.ready, row.total, row.restarts, row.node, row.ip,
        row.owner or None, _images(row), row.cpu / 1000, row.memory, row.created_at,
    )  # fmt: skip


def workload(row: KubeObject) -> WorkloadOut:
    """A workload."""
    return WorkloadOut(
        row.name, row.namespace, row.uid, row.kind, row.state, row.ready, row.total, _images(row),
        row.product or None, row.application or None, row.created_at,
    )  # fmt: skip


def _images(row: KubeObject) -> list[str]:
    return [image for image in row.images.split("\n") if image]
