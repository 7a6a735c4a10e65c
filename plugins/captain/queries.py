"""What pages and the API read of a cluster's mirror. No row's ``data`` is decoded unless it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import defer

from app.db import db, now, rows
from app.errors import NOT_FOUND
from app.kube.mirrored import FRESH_SECONDS
from app.kube.models import Cluster, KubeObject, MirrorState
from app.kube.shapes import KINDS as MIRRORED
from app.web.listing import matching
from plugins.captain.kinds import Kind

READY = ("Ready", "Ready,SchedulingDisabled")
ENDED = ("Succeeded", "Completed")


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


@dataclass(frozen=True, slots=True)
class Mirror:
    """How well the mirror of a cluster follows it."""

    counts: Mapping[str, int]
    heard_at: datetime | None
    complete: bool
    errors: Mapping[str, str]

    @property
    def fresh(self) -> bool:
        """Whether what it holds is what is there, but for a moment."""
        return self.complete and self.heard_at is not None and (now() - self.heard_at).total_seconds() < FRESH_SECONDS


def listed(cluster_id: str, plural: str, whole: bool = False) -> Select[KubeObject]:
    """Rows of a kind, by namespace and name; without their ``data`` unless they are wanted whole."""
    query = select(KubeObject).where(KubeObject.cluster_id == cluster_id, KubeObject.kind == plural)
    query = query.order_by(KubeObject.namespace, KubeObject.name)
    return query if whole else query.options(defer(KubeObject.data))


def get_object(cluster_id: str, kind: Kind, namespace: str, name: str) -> KubeObject:
    """One object of the mirror.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    row = db.session.scalar(
        select(KubeObject).where(
            KubeObject.cluster_id == cluster_id,
            KubeObject.kind == kind.plural,
            KubeObject.namespace == namespace,
            KubeObject.name == name,
        )
    )
    if row is None:
        raise NOT_FOUND(what=kind.one)
    return row


def names(cluster_id: str, plural: str, limit: int = 500) -> Sequence[str]:
    """Names of objects of a kind, for filters."""
    query = select(KubeObject.name).where(KubeObject.cluster_id == cluster_id, KubeObject.kind == plural)
    return db.session.scalars(query.order_by(KubeObject.name).limit(limit)).all()


def by_state(cluster_id: str, plural: str, namespace: str = "") -> Sequence[tuple[str, str, int]]:
    """How many objects of a kind are in which state: (state, tone, number), most first."""
    query = select(KubeObject.state, func.min(KubeObject.tone), func.count()).where(
        KubeObject.cluster_id == cluster_id, KubeObject.kind == plural
    )
    if namespace:
        query = query.where(KubeObject.namespace == namespace)
    found = db.session.execute(query.group_by(KubeObject.state).order_by(func.count().desc(), KubeObject.state))
    return [(row[0], row[1], row[2]) for row in found]


def states(cluster_id: str, plural: str) -> Sequence[str]:
    """The states that occur: the index is asked for the next one after each, since DISTINCT would read it whole."""
    smallest = select(func.min(KubeObject.state).label("state"))
    smallest = smallest.where(KubeObject.cluster_id == cluster_id, KubeObject.kind == plural)
    found = smallest.cte("states", recursive=True)
    following = smallest.where(KubeObject.state > found.c.state).correlate(found).scalar_subquery()
    found = found.union_all(select(following).where(found.c.state.is_not(None)))
    return db.session.scalars(select(found.c.state).where(found.c.state.is_not(None))).all()


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


def count_by_namespace(cluster_id: str, plural: str) -> Mapping[str, int]:
    """How many objects of a kind each namespace holds."""
    query = select(KubeObject.namespace, func.count()).where(
        KubeObject.cluster_id == cluster_id, KubeObject.kind == plural
    )
    return {row[0]: row[1] for row in db.session.execute(query.group_by(KubeObject.namespace))}


def _usage(has: Sequence[int] | None, asks: Sequence[int] | None) -> Usage:
    nodes, ready, places, cpu, memory = (int(value or 0) for value in has or (0,) * 5)
    pods, cpu_requested, memory_requested = (int(value or 0) for value in asks or (0,) * 3)
    return Usage(nodes, ready, pods, places, cpu, cpu_requested, memory, memory_requested)


def mirrors(cluster_ids: Sequence[str]) -> Mapping[str, Mirror]:
    """How fresh the mirrors are, and how many objects of each kind they hold."""
    found: dict[str, list[MirrorState]] = {identifier: [] for identifier in cluster_ids}
    for state in rows(select(MirrorState).where(MirrorState.cluster_id.in_(cluster_ids))):
        found[state.cluster_id].append(state)
    return {identifier: _mirror(states) for identifier, states in found.items()}


def _mirror(held: Sequence[MirrorState]) -> Mirror:
    known = [state for state in held if state.kind in MIRRORED]
    moments = [state.heard_at for state in known if state.heard_at]
    complete = len(moments) == len(MIRRORED)
    errors = {state.kind: state.error for state in known if state.error}
    return Mirror({s.kind: s.objects for s in known}, min(moments, default=None), complete, errors)


def pods_of(owner: KubeObject) -> Select[KubeObject]:
    """Pods that an object made, itself or through the ReplicaSets that it made."""
    made = select(KubeObject.uid).where(KubeObject.cluster_id == owner.cluster_id, KubeObject.owner_uid == owner.uid)
    return listed(owner.cluster_id, "pods").where(
        or_(KubeObject.owner_uid == owner.uid, KubeObject.owner_uid.in_(made.correlate(None)))
    )


def made_by(owner: KubeObject, plural: str) -> Sequence[KubeObject]:
    """Objects of a kind that an object made, newest first."""
    query = listed(owner.cluster_id, plural).where(KubeObject.owner_uid == owner.uid)
    return rows(query.order_by(None).order_by(KubeObject.created_at.desc()))


def find_by_uid(cluster_id: str, uid: str) -> KubeObject | None:
    """The object with this UID."""
    query = select(KubeObject).where(KubeObject.cluster_id == cluster_id, KubeObject.uid == uid)
    return db.session.scalar(query.options(defer(KubeObject.data))) if uid else None


def clusters_named(text: str, tenant_id: str, limit: int) -> Sequence[Cluster]:
    """Clusters of a tenant whose name holds the text."""
    query = select(Cluster).where(Cluster.tenant_id == tenant_id, matching(text, (Cluster.name, Cluster.server)))
    return rows(query.order_by(Cluster.name).limit(limit))
