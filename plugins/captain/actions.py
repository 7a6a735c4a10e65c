"""Deleting and evicting pods: only that very pod, by its UID (K-34)."""

from __future__ import annotations

from app import audit
from app.errors import ConsoleError, ErrorCode
from app.kube import paths
from app.kube.client import kube
from app.kube.errors import BUSY, NO_OBJECT, OBJECT_MOVED
from app.kube.models import Cluster
from app.words import _

GONE = ErrorCode(
    "CAPTAIN/POD_GONE",
    409,
    _("The pod {name} is gone, or another one has taken its name."),
    _("Reload the list and choose again."),
)
BLOCKED = ErrorCode(
    "CAPTAIN/EVICTION_BLOCKED",
    409,
    _("The pod {name} may not be evicted now: {detail}"),
    _("Its disruption budget allows no further pod to go; wait until the others are ready, or delete the pod."),
)
ERRORS = (GONE, BLOCKED)


def delete_pod(cluster: Cluster, namespace: str, name: str, uid: str) -> None:
    """Delete one pod.

    :raises ConsoleError: CAPTAIN/POD_GONE, KUBE/…
    """
    audit.note("pod", uid, f"{namespace}/{name}", cluster=cluster.name)
    if not kube(cluster).delete(paths.one("Pod", namespace, name), uid=uid):
        raise GONE(name=name)


def evict_pod(cluster: Cluster, namespace: str, name: str, uid: str) -> None:
    """Evict one pod: like deleting it, but its disruption budget is respected (policy/v1 Eviction).

    :raises ConsoleError: CAPTAIN/EVICTION_BLOCKED, CAPTAIN/POD_GONE, KUBE/…
    """
    audit.note("pod", uid, f"{namespace}/{name}", cluster=cluster.name)
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": uid}},
    }
    try:
        kube(cluster).request("POST", paths.one("Pod", namespace, name, "eviction"), body=body)
    except ConsoleError as error:
        if error.kind is BUSY and error.values.get("detail"):
            raise BLOCKED(name=name, detail=error.values["detail"]) from error
        if error.kind in (NO_OBJECT, OBJECT_MOVED):
            raise GONE(name=name) from error
        raise
