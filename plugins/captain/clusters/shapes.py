"""What the API answers of clusters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from app.contracts.shapes import CreatedAt, Description, Id, Name, Version, doc
from app.kube.models import Cluster
from app.web.api import Out
from plugins.captain.clusters.usage import Usage
from plugins.captain.objects.mirror import Mirror


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
