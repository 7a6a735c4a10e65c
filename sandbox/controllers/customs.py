"""Custom resources: served while their definition is there (docs: "Custom Resources")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import set_condition
from sandbox.resources import Resource
from sandbox.store.records import Event

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
CRD = "apiextensions.k8s.io/customresourcedefinitions"


def resources_of(definition: Obj) -> list[Resource]:
    """What a definition has served; the storage version last, so that it is the one the store knows."""
    spec = definition["spec"]
    names = spec["names"]
    made = []
    for version in sorted(spec.get("versions", ()), key=lambda version: bool(version.get("storage"))):
        if not version.get("served", True):
            continue
        schema = dict(version.get("schema") or {})
        schema["columns"] = version.get("additionalPrinterColumns")
        made.append(
            Resource(
                spec["group"],
                version["name"],
                names["plural"],
                names["kind"],
                spec.get("scope") == "Namespaced",
                tuple(names.get("shortNames") or ()),
                tuple(names.get("categories") or ()),
                ("status",) if "status" in (version.get("subresources") or {}) else (),
                custom=True,
                schema=schema,
            )
        )
    return made


class Customs:
    """Adds and drops resources as definitions come and go."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster

    def begin(self) -> None:
        """The definitions of a snapshot."""
        for record in self.cluster.store.all(CRD):
            for resource in resources_of(record.load()):
                self.cluster.catalogue.add(resource)

    def on_event(self, event: Event) -> None:
        """A definition changed."""
        definition = event.record.load()
        if event.type == "DELETED":
            for resource in resources_of(definition):
                for record in list(self.cluster.store.all(resource.id)):
                    self.cluster.store.remove(resource.id, record.namespace, record.name)
                self.cluster.catalogue.drop(resource)
            return
        if event.previous is None or event.previous.load()["spec"] != definition["spec"]:
            for resource in resources_of(definition):
                self.cluster.catalogue.add(resource)
        if not any(c["type"] == "Established" for c in definition.get("status", {}).get("conditions", ())):
            self.all.queue.add(self.establish, event.record.name)

    def establish(self, name: str) -> None:
        """Say that the resource is served."""

        def write(obj: Obj) -> None:
            status = obj.setdefault("status", {})
            conditions = status.setdefault("conditions", [])
            set_condition(conditions, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
            set_condition(
                conditions, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted"
            )
            status["acceptedNames"] = obj["spec"]["names"]
            status["storedVersions"] = [v["name"] for v in obj["spec"]["versions"] if v.get("storage")]

        self.cluster.edit(CRD, "", name, write, "kube-apiserver")
