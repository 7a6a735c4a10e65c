"""Deleting: at once, after a while, or when the last finalizer is gone (docs: "Finalizers", "Garbage Collection")."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox import times
from sandbox.errors import conflict, not_found
from sandbox.objects import admission
from sandbox.objects.admission import Obj
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.writes import Writer

_RETURNS_OBJECT = {"/pods", "/services", "/serviceaccounts", "/persistentvolumes", "/persistentvolumeclaims"}
_RETURNS_OBJECT |= {"/podtemplates", "/resourcequotas", "storage.k8s.io/csinodes", "storage.k8s.io/volumeattachments"}


def delete(writer: Writer, resource: Resource, namespace: str, name: str, options: Obj, dry_run: bool = False) -> Obj:
    """Delete, or begin to; the answer is a ``Status`` or the object.

    :raises ApiError: it is not there, or a precondition fails
    """
    record = writer.store.find(resource.id, namespace, name)
    if record is None:
        raise not_found(resource, name)
    obj = record.load()
    meta = obj["metadata"]
    wanted = options.get("preconditions") or {}
    for key, word, lost in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        if wanted.get(key) and wanted[key] != meta[key]:
            why = f"the {word} in the precondition ({wanted[key]}) does not match the {word} in record ({meta[key]})"
            raise conflict(resource, name, f"{why}. The object might have been {lost}", kind=resource.kind)
    if dry_run:
        return obj if resource.id in _RETURNS_OBJECT else success(resource, obj)
    finalizers = _with_policy(meta.get("finalizers") or [], options)
    grace = _grace(resource, obj, options)
    stays = bool(finalizers) or grace > 0 or resource.id == "/namespaces"
    if not stays:
        removed = writer.store.remove(resource.id, namespace, name)
        last = removed.load() if removed else obj
        return last if resource.id in _RETURNS_OBJECT else success(resource, last)
    return _mark(writer, resource, obj, finalizers, grace)


def _mark(writer: Writer, resource: Resource, obj: Obj, finalizers: list[str], grace: int) -> Obj:
    """Begin a deletion that something else has to finish."""
    meta = obj["metadata"]
    before = admission.copy_of(obj)
    if finalizers:
        meta["finalizers"] = finalizers
    if "deletionTimestamp" not in meta:
        meta["deletionTimestamp"] = times.at(time.time() + grace)
        meta["deletionGracePeriodSeconds"] = grace
        if "generation" in meta:
            meta["generation"] += 1
    elif grace < meta.get("deletionGracePeriodSeconds", 0):
        meta["deletionTimestamp"] = times.at(time.time() + grace)
        meta["deletionGracePeriodSeconds"] = grace
    if resource.id == "/namespaces":
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    if not admission.same(before, obj):
        writer.store.write(resource.id, obj)
    return obj


def _grace(resource: Resource, obj: Obj, options: Obj) -> int:
    """Seconds that a pod may take to go; 0 for everything else."""
    if resource.id != "/pods":
        return 0
    asked = options.get("gracePeriodSeconds")
    if asked is None:
        asked = obj["spec"].get("terminationGracePeriodSeconds", 30)
        if "deletionTimestamp" in obj["metadata"]:
            asked = obj["metadata"].get("deletionGracePeriodSeconds", asked)
    phase = obj.get("status", {}).get("phase")
    if not obj["spec"].get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    return max(int(asked), 0)


def _with_policy(finalizers: list[str], options: Obj) -> list[str]:
    """The finalizers that the propagation policy asks for (``deletionFinalizersForGarbageCollection``)."""
    policy = options.get("propagationPolicy")
    if policy is None and options.get("orphanDependents") is not None:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    if policy is None:
        return finalizers
    kept = [name for name in finalizers if name not in ("orphan", "foregroundDeletion")]
    return kept + {"Orphan": ["orphan"], "Foreground": ["foregroundDeletion"]}.get(policy, [])


def success(resource: Resource, obj: Obj) -> Obj:
    """The answer to a deletion that is done."""
    details = {"name": obj["metadata"]["name"], "kind": resource.plural, "uid": obj["metadata"]["uid"]}
    if resource.group:
        details["group"] = resource.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
