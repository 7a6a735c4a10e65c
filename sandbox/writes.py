"""Creating, changing and deleting objects: the one path that every write takes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox import deletion, times
from sandbox.errors import ApiError, already_exists, bad_patch, bad_request, conflict, invalid, not_found
from sandbox.objects import admission, managers
from sandbox.objects.admission import Obj
from sandbox.objects.defaults import apply_defaults
from sandbox.objects.managers import Manager
from sandbox.objects.strict import WrongType, clean
from sandbox.objects.validate import problems
from sandbox.resources import Resource
from sandbox.schema.types import root_of

if TYPE_CHECKING:
    from sandbox.cluster import Cluster


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
            raise bad_request(
                "couldn't get version/kind; json parse error: cannot unmarshal into Go value of type struct"
            )
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
        return dict(made)

    def create(self, resource: Resource, namespace: str, obj: Obj, how: How) -> Obj:
        """Store a new object and return it as stored.

        :raises ApiError: it is refused
        """
        meta = obj.setdefault("metadata", {})
        self._identify(resource, namespace, meta)
        name = meta.get("name", "")
        if resource.namespaced and not how.trusted:
            admission.check_namespace(self.cluster, resource, namespace, name)
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

    def _identify(self, resource: Resource, namespace: str, meta: Obj) -> None:
        """Place, name and identity of a new object."""
        if not resource.namespaced:
            meta.pop("namespace", None)
        elif meta.setdefault("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        if meta.get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"][:58] + admission.suffix()
        for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"):
            meta.pop(key, None)
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = times.now()
        if admission.has_generation(resource):
            meta["generation"] = 1

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
        if how.dry_run or admission.same(old, new):
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
            why = (
                f"StorageError: invalid object, Code: 4, Key: /registry/{resource.plural}/{path}, ResourceVersion: 0, "
            )
            why += f"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, "
            why += f"UID in object meta: {there['uid']}"
            raise conflict(resource, name, why)
        rv = meta.get("resourceVersion")
        if rv and rv != there["resourceVersion"]:
            raise conflict(resource, name)

    def _limit(self, resource: Resource, old: Obj, new: Obj, how: How) -> None:  # noqa: PLR0912 - one branch per rule
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

    def change(
        self, resource: Resource, namespace: str, name: str, edit: Callable[[Obj], None], how: How
    ) -> Obj | None:
        """Edit what is there now, as a controller does; None where it is gone."""
        record = self.store.find(resource.id, namespace, name)
        if record is None:
            return None
        old, new = record.load(), record.load()
        edit(new)
        if admission.same(old, new):
            return old
        if admission.has_generation(resource) and not how.subresource and _spec_changed(old, new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        self._own(resource, old, new, how)
        return self._finish(resource, old, new, how)

    def delete(self, resource: Resource, namespace: str, name: str, options: Obj, dry_run: bool = False) -> Obj:
        """Delete, or begin to; the answer is a ``Status`` or the object.

        :raises ApiError: it is not there, or a precondition fails
        """
        return deletion.delete(self, resource, namespace, name, options, dry_run)


def _spec_changed(old: Obj, new: Obj) -> bool:
    left = {key: value for key, value in old.items() if key not in ("metadata", "status")}
    right = {key: value for key, value in new.items() if key not in ("metadata", "status")}
    return left != right
