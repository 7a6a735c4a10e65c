"""Creating, changing and deleting objects: the one path that every write takes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.errors import ApiError, already_exists, bad_patch, bad_request, conflict, invalid, not_found
from sandbox.objects import admission, managers
from sandbox.objects.admission import Obj
from sandbox.objects.defaults import apply_defaults
from sandbox.objects.managers import Manager
from sandbox.objects.strict import WrongType, clean
from sandbox.objects.validate import problems
from sandbox.resources import Resource
from sandbox.schema.types import root_of
from sandbox.store.records import Record

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

_RETURNS_OBJECT = {"/pods", "/services", "/serviceaccounts", "/persistentvolumes", "/persistentvolumeclaims"}
_RETURNS_OBJECT |= {"/podtemplates", "/resourcequotas", "storage.k8s.io/csinodes", "storage.k8s.io/volumeattachments"}


@dataclass
class How:
    """In what way a write is asked for."""

    manager: str = "kube-controller-manager"
    subresource: str = ""
    dry_run: bool = False
    validation: str = "Ignore"  # what to do about unknown fields: Ignore, Warn or Strict
    trusted: bool = False  # a controller of ours: nothing to check
    manage: bool = True  # keep account of who owns which field
    warnings: list[str] = field(default_factory=list)


class Writer:
    """Writes to one cluster's store."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.store = cluster.store

    def decode(self, resource: Resource, obj: Any, how: How, quote_patch: str = "") -> Obj:
        """The object without what its type does not have.

        :raises ApiError: it is no such object, or has unknown fields and they are refused
        """
        kind = resource.kind
        if not isinstance(obj, dict):
            raise bad_request("couldn't get version/kind; json parse error: cannot unmarshal into Go value of type struct")
        if obj.get("kind", kind) != kind or obj.get("apiVersion", resource.api_version) != resource.api_version:
            given, version = obj.get("kind", kind), obj.get("apiVersion", resource.api_version)
            short = version.rpartition("/")[2]
            raise bad_request(
                f'{given} in version "{short}" cannot be handled as a {kind}: no kind "{given}" is registered '
                f'for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
            )
        obj["kind"], obj["apiVersion"] = kind, resource.api_version
        if obj.get("metadata") is None:
            obj["metadata"] = {}
        try:
            made, unknown = clean(obj, root_of(resource.group, resource.version, kind))
        except WrongType as exc:
            if quote_patch:
                raise bad_patch(quote_patch, str(exc)) from exc
            raise bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {exc}') from exc
        if unknown and how.validation == "Strict":
            listed = ", ".join(f'unknown field "{path}"' for path in unknown)
            if quote_patch:
                raise bad_patch(quote_patch, f"strict decoding error: {listed}")
            raise bad_request(
                f'{kind} in version "{resource.version}" cannot be handled as a {kind}: strict decoding error: {listed}'
            )
        if unknown and how.validation == "Warn":
            how.warnings += [f'unknown field "{path}"' for path in unknown]
        return made

    def create(self, resource: Resource, namespace: str, obj: Obj, how: How) -> Obj:
        """Store a new object and return it as stored.

        :raises ApiError: it is refused
        """
        meta = obj.setdefault("metadata", {})
        if resource.namespaced:
            if meta.setdefault("namespace", namespace) != namespace:
                raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        else:
            meta.pop("namespace", None)
        if meta.get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"][:58] + admission.suffix()
        for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"):
            meta.pop(key, None)
        name = meta.get("name", "")
        if resource.namespaced and not how.trusted:
            admission.check_namespace(self.cluster, resource, namespace, name)
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = times.now()
        if admission.has_generation(resource):
            meta["generation"] = 1
        if admission.has_status(resource) and not how.trusted and resource.id != "/nodes":
            obj.pop("status", None)
        apply_defaults(resource.id, obj)
        if resource.id == "/secrets" and "stringData" in obj:
            admission.fold_string_data(obj)
        if name and self.store.find(resource.id, meta.get("namespace", ""), name):
            raise already_exists(resource, name)
        if not how.trusted:
            self._check(resource, obj, None)
        self._own(resource, None, obj, how)
        admission.prepare_new(self.cluster, resource, obj)
        if how.dry_run:
            return obj
        self.store.write(resource.id, obj)
        return obj

    def _check(self, resource: Resource, obj: Obj, old: Obj | None) -> None:
        causes = problems(resource.id, obj, old)
        if causes:
            raise invalid(resource, obj["metadata"].get("name", ""), causes)

    def _own(self, resource: Resource, old: Obj | None, new: Obj, how: How) -> None:
        if not how.manage:
            return
        operation = Manager(how.manager, "Update", resource.api_version, how.subresource)
        managers.updated(old, new, root_of(resource.group, resource.version, resource.kind), operation)

    def load(self, resource: Resource, namespace: str, name: str) -> Obj:
        """The object.

        :raises ApiError: it is not there
        """
        record = self.store.find(resource.id, namespace, name)
        if record is None:
            raise not_found(resource, name)
        return record.load()

    def update(self, resource: Resource, namespace: str, name: str, new: Obj, how: How, own: bool = True) -> Obj:
        """Replace an object, or the part of it that the subresource is.

        :raises ApiError: it is refused
        """
        old = self.load(resource, namespace, name)
        self._preconditions(resource, old, new, name)
        if resource.namespaced:
            new["metadata"]["namespace"] = namespace
        admission.keep_metadata(new, old)
        self._limit(resource, old, new, how)
        apply_defaults(resource.id, new)
        if resource.id == "/services" and how.subresource == "":
            self.cluster.addresses.keep(new, old)
        elif resource.id == "/secrets" and "stringData" in new:
            admission.fold_string_data(new)
        admission.check_metadata(resource, new, old)
        if not how.trusted and how.subresource in ("", "scale"):
            self._check(resource, new, old)
        if admission.has_generation(resource) and _spec_changed(old, new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if own:
            self._own(resource, old, new, how)
        return self._finish(resource, old, new, how)

    def _finish(self, resource: Resource, old: Obj, new: Obj, how: How) -> Obj:
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if how.dry_run or _same(old, new):
            return old if not how.dry_run else new
        if "deletionTimestamp" in old["metadata"] and self._may_go(resource, old, new):
            self.store.write(resource.id, new)
            removed = self.store.remove(resource.id, old["metadata"].get("namespace", ""), old["metadata"]["name"])
            return removed.load() if removed else new
        self.store.write(resource.id, new)
        return new

    def _may_go(self, resource: Resource, old: Obj, new: Obj) -> bool:
        """Whether the last finalizer was taken from something that is being deleted."""
        if new["metadata"].get("finalizers"):
            return False
        if resource.id == "/pods":
            return bool(old["metadata"].get("finalizers")) and not new["metadata"].get("deletionGracePeriodSeconds")
        if resource.id == "/namespaces":
            return not new.get("spec", {}).get("finalizers")
        return True

    def _preconditions(self, resource: Resource, old: Obj, new: Obj, name: str) -> None:
        meta, there = new["metadata"], old["metadata"]
        if meta.get("name", name) != name:
            raise bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
        meta["name"] = name
        uid = meta.get("uid")
        if uid and uid != there["uid"]:
            path = "/".join(part for part in (there.get("namespace", ""), name) if part)
            why = f"StorageError: invalid object, Code: 4, Key: /registry/{resource.plural}/{path}, ResourceVersion: 0, "
            why += f"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {there['uid']}"
            raise conflict(resource, name, why)
        rv = meta.get("resourceVersion")
        if rv and rv != there["resourceVersion"]:
            raise conflict(resource, name)

    def _limit(self, resource: Resource, old: Obj, new: Obj, how: How) -> None:
        """Take from the old object what this subresource does not write."""
        if how.subresource == "status":
            for key in [key for key in new if key not in ("metadata", "status", "kind", "apiVersion")]:
                del new[key]
            for key, value in old.items():
                if key not in ("metadata", "status"):
                    new[key] = value
            if resource.id == "apps/deployments":
                new["metadata"].pop("labels", None)
                if "labels" in old["metadata"]:
                    new["metadata"]["labels"] = old["metadata"]["labels"]
        elif admission.has_status(resource) and how.subresource != "all":
            if "status" in old:
                new["status"] = old["status"]
            else:
                new.pop("status", None)

    def change(self, resource: Resource, namespace: str, name: str, edit: Callable[[Obj], None], how: How) -> Obj | None:
        """Edit what is there now, as a controller does; None where it is gone."""
        record = self.store.find(resource.id, namespace, name)
        if record is None:
            return None
        old, new = record.load(), record.load()
        edit(new)
        if _same(old, new):
            return old
        if admission.has_generation(resource) and not how.subresource and _spec_changed(old, new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        self._own(resource, old, new, how)
        return self._finish(resource, old, new, how)

    def delete(self, resource: Resource, namespace: str, name: str, options: Obj, dry_run: bool = False) -> Obj:
        """Delete, or begin to; the answer is a ``Status`` or the object.

        :raises ApiError: it is not there, or a precondition fails
        """
        record = self.store.find(resource.id, namespace, name)
        if record is None:
            raise not_found(resource, name)
        obj = record.load()
        meta = obj["metadata"]
        wanted = options.get("preconditions") or {}
        for key, word, lost in (("uid", "UID", "deleted and then recreated"), ("resourceVersion", "ResourceVersion", "modified")):
            if wanted.get(key) and wanted[key] != meta[key]:
                why = f"the {word} in the precondition ({wanted[key]}) does not match the {word} in record ({meta[key]})"
                raise conflict(resource, name, f"{why}. The object might have been {lost}", kind=resource.kind)
        if dry_run:
            return obj if resource.id in _RETURNS_OBJECT else success(resource, obj)
        finalizers = _with_policy(meta.get("finalizers") or [], options)
        grace = self._grace(resource, obj, options)
        stays = bool(finalizers) or grace > 0 or resource.id == "/namespaces"
        if not stays:
            removed = self.store.remove(resource.id, namespace, name)
            last = removed.load() if removed else obj
            return last if resource.id in _RETURNS_OBJECT else success(resource, last)
        return self._mark(resource, obj, finalizers, grace)

    def _mark(self, resource: Resource, obj: Obj, finalizers: list[str], grace: int) -> Obj:
        """Begin a deletion that something else has to finish."""
        import time

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
        if not _same(before, obj):
            self.store.write(resource.id, obj)
        return obj

    def _grace(self, resource: Resource, obj: Obj, options: Obj) -> int:
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


def _spec_changed(old: Obj, new: Obj) -> bool:
    left = {key: value for key, value in old.items() if key not in ("metadata", "status")}
    right = {key: value for key, value in new.items() if key not in ("metadata", "status")}
    return left != right


def _same(old: Obj, new: Obj) -> bool:
    """Equal but for the times of managers, so that writing nothing makes no new version."""
    if old == new:
        return True
    left, right = dict(old["metadata"]), dict(new["metadata"])
    for meta in (left, right):
        meta["managedFields"] = [{**entry, "time": ""} for entry in meta.get("managedFields") or ()]
    return left == right and {**old, "metadata": None} == {**new, "metadata": None}


def record_of(writer: Writer, resource: Resource, obj: Obj) -> Record | None:
    """The record under which an object is stored now."""
    return writer.store.find(resource.id, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
