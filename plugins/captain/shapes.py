"""What the API answers of clusters and the objects in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from app.contracts.shapes import CreatedAt, Description, Id, Labels, Name, Version, doc
from app.kube.models import Cluster, KubeObject
from app.web.api import Out
from plugins.captain import words
from plugins.captain.queries import Mirror, Usage

ClusterId = Annotated[str, doc("Identifier of the cluster.")]
Namespace = Annotated[str, doc("Name of the namespace.")]
ObjectName = Annotated[str, doc("Name of the object in the cluster.")]
Plural = Annotated[str, doc("Kind of workload: `deployments`, `statefulsets`, `daemonsets` or `jobs`.")]


class UsageOut(Out):
    """CPU in cores, memory in bytes: what pods request of what is allocatable."""

    nodes: Annotated[int, doc("Nodes of the cluster.")]
    nodes_ready: Annotated[int, doc("Nodes that are ready.")]
    pods: Annotated[int, doc("Pods that run or wait to run.")]
    pods_allocatable: Annotated[int, doc("Pods that the nodes take at most.")]
    cpu_requested: Annotated[float, doc("CPU cores that pods request.")]
    cpu_allocatable: Annotated[float, doc("CPU cores that pods may request.")]
    memory_requested: Annotated[int, doc("Bytes of memory that pods request.")]
    memory_allocatable: Annotated[int, doc("Bytes of memory that pods may request.")]


class ClusterOut(Out):
    """A registered cluster; its credentials are never answered."""

    id: Id
    name: Name
    description: Description
    server: Annotated[str, doc("Address of its API server.")]
    state: Annotated[str, doc("Whether it answers: `ready`, or why not.")]
    version: Version
    server_version: Annotated[str, doc("Version of Kubernetes.")]
    error_code: Annotated[str | None, doc("Code of the error at the last check; null where it went well.")]
    error_detail: Annotated[str | None, doc("What the last check ran into; null where it went well.")]
    checked_at: Annotated[datetime | None, doc("When it was last checked.")]
    mirror_heard_at: Annotated[datetime | None, doc("When the mirror last heard of it.")]
    mirror_fresh: Annotated[bool, doc("Whether lists show the cluster as it is now.")]
    created_at: CreatedAt
    usage: Annotated[UsageOut, doc("What pods request of what there is.")]


class ObjectOut(Out):
    """What all objects of the mirror have."""

    name: Annotated[str, doc("Name of the object.")]
    namespace: Annotated[str, doc("Namespace that it is in; empty where it is in none.")]
    uid: Annotated[str, doc("UID that the cluster gave; another object of this name has another.")]
    state: Annotated[str, doc("State, as `kubectl get` would call it.")]
    created_at: Annotated[datetime | None, doc("When it was created in the cluster.")]
    labels: Labels


class NodeOut(ObjectOut):
    """A node."""

    ip: Annotated[str, doc("Address within the cluster.")]
    roles: Annotated[list[str], doc("Roles, from its labels.")]
    taints: Annotated[list[str], doc("Taints, as `key=value:effect`.")]
    kubelet_version: Annotated[str, doc("Version of its kubelet.")]
    pods_allocatable: Annotated[int, doc("Pods that it takes at most.")]
    cpu_allocatable: Annotated[float, doc("CPU cores that pods may request.")]
    memory_allocatable: Annotated[int, doc("Bytes of memory that pods may request.")]


class NamespaceOut(ObjectOut):
    """A namespace."""


class PodOut(Out):
    """A pod in a list."""

    name: Annotated[str, doc("Name of the object.")]
    namespace: Annotated[str, doc("Namespace that it is in; empty where it is in none.")]
    uid: Annotated[str, doc("UID that the cluster gave; another object of this name has another.")]
    state: Annotated[str, doc("State, as `kubectl get` would call it.")]
    ready: Annotated[int, doc("Containers that are ready.")]
    containers: Annotated[int, doc("Containers in all.")]
    restarts: Annotated[int, doc("Restarts of its containers in all.")]
    node: Annotated[str, doc("Node that it runs on; empty before it is placed.")]
    ip: Annotated[str, doc("Address within the cluster; empty before it has one.")]
    owner: Annotated[str | None, doc("What made it, as `kind/name`; null where nothing did.")]
    images: Annotated[list[str], doc("Images of its containers.")]
    cpu_requested: Annotated[float, doc("CPU cores that it requests.")]
    memory_requested: Annotated[int, doc("Bytes of memory that it requests.")]
    created_at: Annotated[datetime | None, doc("When it was created in the cluster.")]


class KubernetesObject(Out):
    """An object, or a list of objects, of the Kubernetes API (https://kubernetes.io/docs/reference/kubernetes-api/),
    whole.
    """

    api_version: Annotated[str, doc("Version of the API that it is of.")]
    kind: Annotated[str, doc("Its kind; of a list the kind of its items with `List`.")]
    metadata: Annotated[dict[str, Any], doc("Name, namespace, labels, and what else Kubernetes keeps of every object.")]


class PodDetail(Out):
    """A pod with the object as the cluster has it now; null while the cluster is out of reach."""

    pod: Annotated[PodOut, doc("The pod, as lists show it.")]
    object: Annotated[
        dict[str, Any] | None, doc("The pod as the cluster has it now; null while the cluster is out of reach.")
    ]
    error: Annotated[str | None, doc("Code of the error that kept it from being read; null where none did.")]


class WorkloadOut(Out):
    """A workload: its state in words, and how many of its replicas (a Job's completions) are there."""

    name: Annotated[str, doc("Name of the object.")]
    namespace: Annotated[str, doc("Namespace that it is in; empty where it is in none.")]
    uid: Annotated[str, doc("UID that the cluster gave; another object of this name has another.")]
    kind: Annotated[str, doc("Kind: `Deployment`, `StatefulSet`, `DaemonSet` or `Job`.")]
    state: Annotated[str, doc("State, as `kubectl get` would call it.")]
    ready: Annotated[int, doc("Replicas that are ready; of a Job, completions.")]
    desired: Annotated[int, doc("Replicas that are wanted; of a Job, completions.")]
    images: Annotated[list[str], doc("Images of its containers.")]
    product: Annotated[str | None, doc("Product that it was delivered with; null for others.")]
    application: Annotated[str | None, doc("Application that it runs; null for others.")]
    created_at: Annotated[datetime | None, doc("When it was created in the cluster.")]


class Count(Out):
    """How many objects are in a state."""

    state: Annotated[str, doc("The state.")]
    count: Annotated[int, doc("How many objects are in it.")]


class OverviewOut(Out):
    """The numbers of a cluster."""

    usage: Annotated[UsageOut, doc("What pods request of what there is.")]
    nodes: Annotated[list[Count], doc("Nodes by state.")]
    pods: Annotated[list[Count], doc("Pods by state.")]
    workloads: Annotated[dict[str, list[Count]], doc("Workloads by kind in the plural and by state.")]


def usage(used: Usage) -> UsageOut:
    """Use in cores and bytes."""
    return UsageOut(
        used.nodes,
        used.ready,
        used.pods,
        used.places,
        used.cpu_requested / 1000,
        used.cpu / 1000,
        used.memory_requested,
        used.memory,
    )


def cluster(row: Cluster, used: Usage, mirror: Mirror) -> ClusterOut:
    """A cluster with its use."""
    return ClusterOut(
        row.id,
        row.name,
        row.description,
        row.server,
        row.state,
        row.version,
        row.server_version,
        row.error_code or None,
        row.error_detail or None,
        row.checked_at,
        mirror.heard_at,
        mirror.fresh,
        row.created_at,
        usage(used),
    )


def _labels(row: KubeObject) -> dict[str, str]:
    return (row.data.get("metadata") or {}).get("labels") or {}


def node(row: KubeObject) -> NodeOut:
    """A node."""
    version = str(words.info(row.data).get("kubeletVersion", ""))
    return NodeOut(
        row.name,
        row.namespace,
        row.uid,
        row.state,
        row.created_at,
        _labels(row),
        row.ip,
        words.roles(row.data),
        words.taints(row.data),
        version,
        row.total,
        row.cpu / 1000,
        row.memory,
    )


def namespace(row: KubeObject) -> NamespaceOut:
    """A namespace."""
    return NamespaceOut(row.name, row.namespace, row.uid, row.state, row.created_at, _labels(row))


def pod(row: KubeObject) -> PodOut:
    """A pod."""
    return PodOut(
        row.name,
        row.namespace,
        row.uid,
        row.state,
        row.ready,
        row.total,
        row.restarts,
        row.node,
        row.ip,
        row.owner or None,
        _images(row),
        row.cpu / 1000,
        row.memory,
        row.created_at,
    )


def workload(row: KubeObject) -> WorkloadOut:
    """A workload."""
    return WorkloadOut(
        row.name,
        row.namespace,
        row.uid,
        row.kind,
        row.state,
        row.ready,
        row.total,
        _images(row),
        row.product or None,
        row.application or None,
        row.created_at,
    )


def _images(row: KubeObject) -> list[str]:
    return [image for image in row.images.split("\n") if image]
