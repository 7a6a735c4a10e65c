"""What the API answers of pods, and where a pod is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from app.contracts.shapes import doc
from app.kube.models import KubeObject
from app.web.api import Out
from plugins.captain.blueprint import ONE
from plugins.captain.objects.shapes import images_of

PAGE = "/<cluster_id>/pods/<namespace>/<name>"
IN_API = f"{ONE}/pods/<namespace>/<name>"
SEARCH = (KubeObject.name, KubeObject.ip, KubeObject.node, KubeObject.images)


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


class PodDetail(Out):
    """A pod with the object as the cluster has it now; null while the cluster is out of reach."""

    pod: Annotated[PodOut, doc("The pod, as lists show it.")]
    object: Annotated[
        dict[str, Any] | None, doc("The pod as the cluster has it now; null while the cluster is out of reach.")
    ]
    error: Annotated[str | None, doc("Code of the error that kept it from being read; null where none did.")]


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
        images_of(row),
        row.cpu / 1000,
        row.memory,
        row.created_at,
    )
