"""The mirror's tables: what the readers of a cluster saw is kept here, and how fresh it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DataError

from app.db import affected, db, now
from app.kube.models import Cluster, KubeObject, MirrorState
from app.kube.shapes import KINDS, kept
from app.kube.states import summary

BATCH = 400
AT_ONCE = 2_000  # objects in one transaction: other writers have their turn
FRESH_SECONDS = 12.0
log = logging.getLogger(__name__)
APPLICATION, PRODUCT, MANAGED_BY = "app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"
Name = tuple[str, str]


@dataclass(slots=True)
class Change:
    """What a reader saw: objects that are there, names that are gone, or a whole list (``complete``)."""

    kind: str
    present: Sequence[Any] = ()
    gone: Sequence[Name] = ()
    complete: bool = False
    error: str = ""


def store(
    cluster_id: str, kind: str, changes: Sequence[Change], moment: datetime, commit: Callable[[], None] | None = None
) -> bool:
    """Keep what was seen of one kind, in the order it was seen; the kind counts as heard once all of it is kept.

    :param commit: keeps what was written so far, after every :data:`AT_ONCE` objects; a cluster's first list is long
    :returns: whether any object changed
    """
    state = db.session.get(MirrorState, (cluster_id, kind))
    if state is None:
        state = MirrorState(cluster_id=cluster_id, kind=kind, objects=0)
        db.session.add(state)
        db.session.flush()
    present: dict[Name, Any] = {}
    gone: set[Name] = set()
    there: Collection[Name] | None = None
    synced = False
    for change in changes:
        if change.complete:
            held = _held(cluster_id, kind)
            present, gone = _difference(held, change.present)
            there, synced = held.keys(), True
        for item in () if change.complete else change.present:
            key = (item.metadata.namespace, item.metadata.name)
            present[key] = item
            gone.discard(key)
        for key in change.gone:
            present.pop(key, None)
            gone.add(key)
    if there is not None:
        state.objects = len(there)
    _write(state, present, gone, there, commit or _later)
    state.error = changes[-1].error if changes else state.error
    if synced:
        state.synced_at = moment
    if any(not change.error for change in changes):
        state.heard_at = moment
    return bool(present or gone)


def _later() -> None:
    """Whoever calls commits."""


def _held(cluster_id: str, kind: str) -> dict[Name, tuple[str, str]]:
    """UID and resource version of what is kept, by name."""
    query = select(KubeObject.namespace, KubeObject.name, KubeObject.uid, KubeObject.resource_version).where(
        KubeObject.cluster_id == cluster_id, KubeObject.kind == kind
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in db.session.execute(query)}


def _difference(held: Mapping[Name, tuple[str, str]], items: Sequence[Any]) -> tuple[dict[Name, Any], set[Name]]:
    """What of a whole list is new or other than what is kept, and what is gone: a list anew writes little."""
    listed = {(item.metadata.namespace, item.metadata.name): item for item in items}
    changed = {
        key: item
        for key, item in listed.items()
        if held.get(key) != (item.metadata.uid, item.metadata.resource_version)
    }
    return changed, held.keys() - listed.keys()


def _write(
    state: MirrorState,
    present: Mapping[Name, Any],
    gone: set[Name],
    there: Collection[Name] | None,
    commit: Callable[[], None],
) -> None:
    """Write in slices, and count as it goes: what was removed and what was added are known.

    :param there: the names that are kept, where they are known: others need not be removed first
    """
    names = [*present, *gone]
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        removed = _remove(state, [name for name in some if there is None or name in there])
        made = [row_of(state.cluster_id, state.kind, present[name]) for name in some if name in present]
        written = _insert(made)
        if written != removed:
            state.objects += written - removed
        if start + AT_ONCE < len(names):
            commit()


def _insert(made: list[dict[str, Any]]) -> int:
    """Write these rows. A cluster may say anything: one that the database cannot hold is left out for the others' sake.

    :returns: how many were written
    """
    if not made:
        return 0
    try:
        with db.session.begin_nested():
            db.session.execute(insert(KubeObject), made)
        return len(made)
    except (DataError, OverflowError, ValueError) as error:
        if half := len(made) // 2:
            return _insert(made[:half]) + _insert(made[half:])
        log.warning("%s %s/%s is left out: %s", made[0]["kind"], made[0]["namespace"], made[0]["name"], error)
        return 0


def _remove(state: MirrorState, gone: Iterable[Name]) -> int:
    names: dict[str, list[str]] = {}
    for namespace, name in gone:
        names.setdefault(namespace, []).append(name)
    removed = 0
    for namespace, listed in names.items():
        for start in range(0, len(listed), BATCH):
            removed += affected(
                delete(KubeObject).where(
                    KubeObject.cluster_id == state.cluster_id,
                    KubeObject.kind == state.kind,
                    KubeObject.namespace == namespace,
                    KubeObject.name.in_(listed[start : start + BATCH]),
                )
            )
    return removed


def row_of(cluster_id: str, kind: str, item: Any) -> dict[str, Any]:
    """The mirror's row of one object."""
    meta, shown = item.metadata, summary(kind, item)
    owner = next((o for o in meta.owner_references if o.controller), None)
    return {
        "cluster_id": cluster_id,
        "kind": kind,
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
        "created_at": meta.creation_timestamp,
        "state": shown.state[:48],
        "tone": shown.tone,
        "ready": shown.ready,
        "total": shown.total,
        "restarts": shown.restarts,
        "node": shown.node,
        "ip": shown.ip,
        "owner_uid": owner.uid if owner else "",
        "owner": f"{owner.kind}/{owner.name}" if owner else "",
        "application": meta.labels.get(APPLICATION, ""),
        "product": meta.labels.get(PRODUCT, ""),
        "managed": meta.labels.get(MANAGED_BY) == "antstack",
        "images": "\n".join(shown.images),
        "cpu": shown.cpu,
        "memory": shown.memory,
        "resource_version": meta.resource_version,
        "data": kept(item),
    }


def heard(cluster_id: str, kinds: Sequence[str], moment: datetime) -> None:
    """The cluster answered just now, and these kinds are being watched: what is kept of them is what is there."""
    query = update(MirrorState).where(
        MirrorState.cluster_id == cluster_id, MirrorState.kind.in_(kinds), MirrorState.error == ""
    )
    db.session.execute(query.values(heard_at=moment))


def forget(cluster_id: str) -> None:
    """Drop what is kept of a cluster that is not registered any more."""
    if db.session.scalar(select(Cluster.id).where(Cluster.id == cluster_id)) is None:
        for model in (KubeObject, MirrorState):
            db.session.execute(delete(model).where(model.cluster_id == cluster_id))
        db.session.commit()


def freshness(cluster_id: str) -> float | None:
    """How many seconds ago the mirror of a cluster heard from it last; None when it never did."""
    found = db.session.scalars(
        select(MirrorState.heard_at).where(MirrorState.cluster_id == cluster_id, MirrorState.kind.in_(tuple(KINDS)))
    ).all()
    if len(found) < len(KINDS) or any(moment is None for moment in found):
        return None
    return max((now() - moment).total_seconds() for moment in found if moment)


def is_fresh(cluster_id: str) -> bool:
    """Whether the mirror may be believed now."""
    age = freshness(cluster_id)
    return age is not None and abs(age) < FRESH_SECONDS
