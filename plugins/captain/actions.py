"""Deleting and evicting pods: only that very pod, by its UID (K-34)."""

from __future__ import annotations

from app import audit
from app.contracts.text import Text
from app.errors import ConsoleError, ErrorCode
from app.kube import paths
from app.kube.client import kube
from app.kube.errors import BUSY, NO_OBJECT, OBJECT_MOVED
from app.kube.models import Cluster

GONE = ErrorCode(
    "CAPTAIN/POD_GONE",
    409,
    Text("The pod {name} is gone, or another one has taken its name.", "容器组 {name} 已不存在，或已被同名的新容器组取代。"),
    Text("Reload the list and choose again.", "请刷新列表后重新选择。"),
)
BLOCKED = ErrorCode(
    "CAPTAIN/EVICTION_BLOCKED",
    409,
    Text("The pod {name} may not be evicted now: {detail}", "容器组 {name} 当前不可驱逐：{detail}"),
    Text(
        "Its disruption budget allows no further pod to go; wait until the others are ready, or delete the pod.",
        "其中断预算不允许再减少容器组；请等待其他容器组就绪，或改为删除。",
    ),
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
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": uid}},
    }  # fmt: skip
    try:
        kube(cluster).request("POST", paths.one("Pod", namespace, name, "eviction"), body=body)
    except ConsoleError as error:
        if error.kind is BUSY and error.values.get("detail"):
            raise BLOCKED(name=name, detail=error.values["detail"]) from error
        if error.kind in (NO_OBJECT, OBJECT_MOVED):
            raise GONE(name=name) from error
        raise
