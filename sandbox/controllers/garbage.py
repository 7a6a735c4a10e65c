"""Owners and dependents, and namespaces that go with all they hold (docs: "Garbage Collection", "Finalizers")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import set_condition
from sandbox.store.records import Record

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]


class Garbage:
    """Deletes what nobody owns any more, and keeps owners that wait for their dependents."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.store = controllers.cluster.store

    def owner_gone(self, uid: str) -> None:
        """An owner was removed: its dependents go, or lose the reference."""
        for resource, record in self.store.dependents(uid):
            self._check(resource, record)

    def check(self, place: tuple[str, str, str]) -> None:
        """An object with owners: do they exist?"""
        record = self.store.find(*place)
        if record is not None and record.owners:
            self._check(place[0], record)

    def _check(self, resource: str, record: Record) -> None:
        living = [uid for uid in record.owners if uid in self.store.by_uid]
        if len(living) == len(record.owners):
            return
        if not living:
            if not record.deleting:
                self.cluster.delete(resource, record.namespace, record.name, propagationPolicy="Background")
            return

        def write(obj: Obj) -> None:
            obj["metadata"]["ownerReferences"] = [r for r in obj["metadata"]["ownerReferences"] if r["uid"] in living]

        self.cluster.edit(resource, record.namespace, record.name, write, "kube-controller-manager")

    def finalize(self, place: tuple[str, str, str]) -> None:
        """An object that waits with ``orphan`` or ``foregroundDeletion``."""
        record = self.store.find(*place)
        if record is None or not record.deleting:
            return
        finalizers = record.load()["metadata"].get("finalizers") or []
        if "orphan" in finalizers:
            self._orphan(record)
            self._remove(place, "orphan")
        elif "foregroundDeletion" in finalizers:
            blocking = False
            for resource, dependent in self.store.dependents(record.uid):
                blocks = any(
                    ref["uid"] == record.uid and ref.get("blockOwnerDeletion")
                    for ref in dependent.load()["metadata"]["ownerReferences"]
                )
                if not dependent.deleting:
                    policy = "Foreground" if self.store.dependents(dependent.uid) else "Background"
                    self.cluster.delete(resource, dependent.namespace, dependent.name, propagationPolicy=policy)
                blocking = blocking or (blocks and self.store.find(resource, *dependent.key) is not None)
            if not blocking:
                self._remove(place, "foregroundDeletion")

    def _orphan(self, owner: Record) -> None:
        for resource, dependent in self.store.dependents(owner.uid):

            def write(obj: Obj) -> None:
                kept = [ref for ref in obj["metadata"]["ownerReferences"] if ref["uid"] != owner.uid]
                obj["metadata"].pop("ownerReferences")
                if kept:
                    obj["metadata"]["ownerReferences"] = kept

            self.cluster.edit(resource, dependent.namespace, dependent.name, write)

    def _remove(self, place: tuple[str, str, str], name: str) -> None:
        def write(obj: Obj) -> None:
            kept = [one for one in obj["metadata"].get("finalizers") or () if one != name]
            obj["metadata"].pop("finalizers", None)
            if kept:
                obj["metadata"]["finalizers"] = kept

        self.cluster.edit(*place, write)

    def namespace(self, name: str) -> None:
        """A namespace on its way out: delete all it holds, then itself."""
        record = self.store.find("/namespaces", "", name)
        if record is None or not record.deleting:
            return None
        left: dict[str, int] = {}
        for resource in self.store.resources():
            kind = self.cluster.catalogue.by_id(resource)
            if kind is None or not kind.namespaced:
                continue
            for held in self.store.all(resource, name):
                if not held.deleting:
                    self.cluster.delete(resource, name, held.name, propagationPolicy="Background")
            count = self.store.count(resource, name)
            if count:
                left[f"{kind.plural}.{kind.group}" if kind.group else f"{kind.plural}."] = count
        if left:
            return self._report(name, left)
        obj = record.load()
        if obj["metadata"].get("finalizers"):
            return None
        self.store.remove("/namespaces", "", name)
        return None

    def _report(self, name: str, left: dict[str, int]) -> None:
        def write(obj: Obj) -> None:
            listed = ", ".join(f"{kind} has {count} resource instances" for kind, count in sorted(left.items()))
            conditions = obj["status"].setdefault("conditions", [])
            set_condition(
                conditions,
                "NamespaceContentRemaining",
                "True",
                "SomeResourcesRemain",
                f"Some resources are remaining: {listed}",
            )

        self.cluster.edit("/namespaces", "", name, write)
