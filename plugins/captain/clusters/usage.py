"""What clusters have, and what their pods request of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select

from app.db import db
from app.kube.models import KubeObject

READY = ("Ready", "Ready,SchedulingDisabled")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a cluster or node has (allocatable) and what its pods request: thousandths of a core, bytes, pods."""

    nodes: int = 0
    ready: int = 0
    pods: int = 0
    places: int = 0
    cpu: int = 0
    cpu_requested: int = 0
    memory: int = 0
    memory_requested: int = 0


def usage(cluster_ids: Sequence[str]) -> Mapping[str, Usage]:
    """What clusters have, and what their pods request."""
    ready = func.sum(case((KubeObject.state.in_(READY), 1), else_=0))
    nodes = select(
        KubeObject.cluster_id,
        func.count(),
        ready,
        func.sum(KubeObject.total),
        func.sum(KubeObject.cpu),
        func.sum(KubeObject.memory),
    ).where(KubeObject.cluster_id.in_(cluster_ids), KubeObject.kind == "nodes")
    pods = select(KubeObject.cluster_id, func.count(), func.sum(KubeObject.cpu), func.sum(KubeObject.memory)).where(
        KubeObject.cluster_id.in_(cluster_ids), KubeObject.kind == "pods"
    )
    has = {row[0]: row[1:] for row in db.session.execute(nodes.group_by(KubeObject.cluster_id))}
    asks = {row[0]: row[1:] for row in db.session.execute(pods.group_by(KubeObject.cluster_id))}
    return {identifier: _usage(has.get(identifier), asks.get(identifier)) for identifier in cluster_ids}


def _usage(has: Sequence[int] | None, asks: Sequence[int] | None) -> Usage:
    nodes, ready, places, cpu, memory = (int(value or 0) for value in has or (0,) * 5)
    pods, cpu_requested, memory_requested = (int(value or 0) for value in asks or (0,) * 3)
    return Usage(nodes, ready, pods, places, cpu, cpu_requested, memory, memory_requested)
