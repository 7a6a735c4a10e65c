"""What the API answers of nodes."""

from __future__ import annotations

from typing import Annotated

from app.contracts.shapes import doc
from app.kube.models import KubeObject
from plugins.captain.nodes.facts import info, roles, taints
from plugins.captain.objects.shapes import ObjectOut, labels_of

SEARCH = (KubeObject.name, KubeObject.ip)


class NodeOut(ObjectOut):
    """A node."""

    ip: Annotated[str, doc("Address within the cluster.")]
    roles: Annotated[list[str], doc("Roles, from its labels.")]
    taints: Annotated[list[str], doc("Taints, as `key=value:effect`.")]
    kubelet_version: Annotated[str, doc("Version of its kubelet.")]
    pods_allocatable: Annotated[int, doc("Pods that it takes at most.")]
    cpu_allocatable: Annotated[float, doc("CPU cores that pods may request.")]
    memory_allocatable: Annotated[int, doc("Bytes of memory that pods may request.")]


def node(row: KubeObject) -> NodeOut:
    """A node."""
    version = str(info(row.data).get("kubeletVersion", ""))
    return NodeOut(
        row.name,
        row.namespace,
        row.uid,
        row.state,
        row.created_at,
        labels_of(row),
        row.ip,
        roles(row.data),
        taints(row.data),
        version,
        row.total,
        row.cpu / 1000,
        row.memory,
    )
