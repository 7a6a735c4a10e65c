"""What pages and the API read of a cluster's mirror. No row's ``data`` is decoded unless it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import defer

from app.db import db, now, rows
from app.errors import NOT_FOUND
from app.kube.mirrored import FRESH_SECONDS
from app.kube.models import KubeObject, MirrorState
from app.kube.shapes import KINDS as MIRRORED
from plugins.captain.objects.kinds import Kind


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


def find_by_uid(cluster_id: str, uid: str) -> KubeObject | None:
    """The object with this UID."""
    query = select(KubeObject).where(KubeObject.cluster_id == cluster_id, KubeObject.uid == uid)
    return db.session.scalar(query.options(defer(KubeObject.data))) if uid else None
