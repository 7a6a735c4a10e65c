"""What a node says of itself in its manifest, and what its pods request of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from app.db import db
from app.kube.models import KubeObject

Object = Mapping[str, Any]
ROLE = "node-role.kubernetes.io/"


def roles(node: Object) -> list[str]:
    """Roles of a node, from its labels (``kubectl get nodes`` shows the same)."""
    held = (node.get("metadata") or {}).get("labels") or {}
    return sorted(key.removeprefix(ROLE) for key in held if key.startswith(ROLE))


def info(node: Object) -> Mapping[str, Any]:
    """``status.nodeInfo``."""
    return (node.get("status") or {}).get("nodeInfo") or {}


def taints(node: Object) -> list[str]:
    """Taints as ``key=value:Effect``."""
    held = (node.get("spec") or {}).get("taints") or []
    return [f"{t['key']}{'=' + t['value'] if t.get('value') else ''}:{t['effect']}" for t in held]


def usage_by_node(cluster_id: str, node: str = "") -> Mapping[str, tuple[int, int, int]]:
    """Pods, CPU and memory requested on every node, or on one; read from an index alone."""
    query = (
        select(KubeObject.node, func.count(), func.sum(KubeObject.cpu), func.sum(KubeObject.memory))
        .where(KubeObject.cluster_id == cluster_id, KubeObject.kind == "pods")
        .group_by(KubeObject.node)
    )
    if node:
        query = query.where(KubeObject.node == node)
    return {row[0]: (row[1], int(row[2] or 0), int(row[3] or 0)) for row in db.session.execute(query)}
