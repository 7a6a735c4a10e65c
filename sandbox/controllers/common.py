"""What several controllers need: owner references, pods of a template, percentages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.objects.admission import suffix
from sandbox.objects.managers import Manager, updated
from sandbox.schema.types import root_of
from sandbox.store.records import Record, decode, encode
from sandbox.store.selectors import label_selector
from sandbox.writes import How

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
PODS = "/pods"
MANAGER = "kube-controller-manager"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def fnv32a(data: bytes) -> int:
    """The hash that controllers name revisions with."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def template_hash(template: Any, collision: int | None = None) -> str:
    """A short name of a pod template (``ComputeHash``: same alphabet, our own serialization)."""
    text = encode(template) + (str(collision).encode() if collision else b"")
    return "".join(_ALPHABET[ord(char) % len(_ALPHABET)] for char in str(fnv32a(text)))


def owner_reference(owner: Obj) -> Obj:
    """A controlling reference to *owner*."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def share(value: Any, total: int, up: bool) -> int:
    """A count that may be given as a percentage."""
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * total / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value or 0)


def own_pods(cluster: Cluster, owner: Obj) -> list[Record]:
    """The pods that this object controls."""
    uid = owner["metadata"]["uid"]
    return [record for record in cluster.store.owned(uid, PODS) if record.pod.controller == uid]


def adopt(cluster: Cluster, owner: Obj, orphans: Iterator[Record]) -> None:
    """Take over matching pods that nobody controls, and let go of those that match no more."""
    matches = label_selector(owner["spec"].get("selector"))
    if "deletionTimestamp" in owner["metadata"]:
        return
    for record in orphans:
        if matches(record.labels) and not record.deleting and not record.pod.finished:

            def take(pod: Obj) -> None:
                pod["metadata"].setdefault("ownerReferences", []).append(owner_reference(owner))

            cluster.edit(PODS, record.namespace, record.name, take)
    uid = owner["metadata"]["uid"]
    for record in own_pods(cluster, owner):
        if not matches(record.labels) and not record.deleting:

            def release(pod: Obj) -> None:
                kept = [ref for ref in pod["metadata"]["ownerReferences"] if ref["uid"] != uid]
                pod["metadata"].pop("ownerReferences")
                if kept:
                    pod["metadata"]["ownerReferences"] = kept

            cluster.edit(PODS, record.namespace, record.name, release)


class PodMaker:
    """Makes pods of a template quickly: what is the same for all of them is worked out once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ready: dict[tuple[str, str], bytes] = {}

    def make(self, owner: Obj, template: Obj, revision: str, name: str = "", edit: Any = None) -> Obj:
        """Create a pod; *edit* changes it before it is stored.

        :raises ApiError: the server refuses it
        """
        key = (owner["metadata"]["uid"], revision)
        known = self._ready.get(key)
        if known is None:
            if len(self._ready) > 500:
                self._ready.clear()
            known = self._ready[key] = encode(self._prepare(owner, template, edit))
        pod: Obj = decode(known)
        meta = pod["metadata"]
        prefix = f"{owner['metadata']['name'][:57]}-"
        meta["name"] = name or prefix + suffix()
        if not name:
            meta["generateName"] = prefix
        meta["managedFields"][0]["time"] = times.now()
        if edit:
            edit(pod)
        how = How(MANAGER, trusted=True, manage=False)
        return self._cluster.writer.create(self._cluster.known(PODS), owner["metadata"]["namespace"], pod, how)

    def _prepare(self, owner: Obj, template: Obj, edit: Any) -> Obj:
        meta = template.get("metadata") or {}
        pod: Obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x", "namespace": owner["metadata"]["namespace"], "generateName": "x"},
            "spec": decode(encode(template["spec"])),
        }
        for part in ("labels", "annotations", "finalizers"):
            if meta.get(part):
                pod["metadata"][part] = decode(encode(meta[part]))
        pod["metadata"]["ownerReferences"] = [owner_reference(owner)]
        sample = decode(encode(pod))
        if edit:
            sample["metadata"]["name"] = "x-0"
            edit(sample)
        updated(None, sample, root_of("", "v1", "Pod"), Manager(MANAGER, "Update", "v1"))
        pod["metadata"]["managedFields"] = sample["metadata"]["managedFields"]
        return pod


def set_condition(
    conditions: list[Obj], kind: str, status: str, reason: str = "", message: str = "", update: bool = False
) -> None:
    """Set one condition; its transition time moves only with its status.

    :param update: keep ``lastUpdateTime`` as well, as Deployments do
    """
    now = times.now()
    made: Obj = {"type": kind, "status": status}
    if update:
        made["lastUpdateTime"] = now
    made["lastTransitionTime"] = now
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    for index, there in enumerate(conditions):
        if there["type"] == kind:
            if there["status"] == status:
                made["lastTransitionTime"] = there.get("lastTransitionTime", now)
                if there.get("reason") == reason and (not update or there.get("message") == message):
                    made["lastUpdateTime"] = there.get("lastUpdateTime", now)
                    if not update:
                        made.pop("lastUpdateTime")
            conditions[index] = made
            return
    conditions.append(made)


def find_condition(obj: Obj, kind: str) -> Obj | None:
    """One condition of an object's status."""
    return next((c for c in obj.get("status", {}).get("conditions", ()) if c["type"] == kind), None)
