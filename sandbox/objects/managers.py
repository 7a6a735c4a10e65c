"""Who owns which field: ``metadata.managedFields`` of updates.

After apimachinery's ``pkg/util/managedfields`` and structured-merge-diff's ``Updater``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sandbox import times
from sandbox.errors import bad_request
from sandbox.objects import fieldset
from sandbox.objects.fieldset import Tree
from sandbox.schema.types import Node

_UNOWNED_META = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
]
MAX_UPDATERS = 10


@dataclass(frozen=True)
class Manager:
    """A name that fields are owned under."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    @property
    def id(self) -> tuple[str, str, str, str]:
        """What tells it apart: an applier is the same in every version."""
        version = "" if self.operation == "Apply" else self.api_version
        return self.name, self.operation, version, self.subresource

    def describe(self) -> str:
        """As conflicts name it."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return text + (f" using {self.api_version}" if self.operation == "Update" else "")


@dataclass
class Owned:
    """One manager's fields."""

    manager: Manager
    fields: Tree
    time: str


def strip(tree: Tree, subresource: str) -> Tree:
    """Without what nobody owns, and what a write to this (sub)resource resets."""
    made = {key: child for key, child in tree.items() if key not in (".", "f:apiVersion", "f:kind")}
    if subresource == "status":
        made.pop("f:spec", None)
    elif "f:status" in made:
        del made["f:status"]
    meta = made.get("f:metadata")
    if meta is not None:
        kept = {key: child for key, child in meta.items() if key != "." and key[2:] not in _UNOWNED_META}
        made["f:metadata"] = kept
        if not kept:
            del made["f:metadata"]
    return made


def read(obj: dict[str, Any]) -> list[Owned]:
    """The managers of an object.

    :raises ApiError: an entry is malformed
    """
    found = []
    for index, entry in enumerate(obj["metadata"].get("managedFields") or ()):
        if entry.get("operation") not in ("Apply", "Update"):
            raise bad_request("metadata.managedFields: Invalid value: operation must be `Apply` or `Update`")
        if entry.get("fieldsType") != "FieldsV1":
            raise bad_request(f"missing fieldsType in managed fields entry {index}")
        manager = Manager(
            entry.get("manager", ""), entry["operation"], entry.get("apiVersion", ""), entry.get("subresource", "")
        )
        fields = fieldset.from_wire(entry.get("fieldsV1") or {})
        found.append(Owned(manager, fields, entry.get("time", "")))
    return found


def write(obj: dict[str, Any], owners: list[Owned]) -> None:
    """Set the object's ``managedFields``, sorted as the server sorts them."""
    owners = [owned for owned in owners if owned.fields]
    owners.sort(key=lambda owned: (owned.manager.operation, owned.time, *owned.manager.id))
    entries = []
    for owned in owners:
        entry: dict[str, Any] = {
            "manager": owned.manager.name,
            "operation": owned.manager.operation,
            "apiVersion": owned.manager.api_version,
            "time": owned.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fieldset.to_wire(owned.fields),
        }
        if owned.manager.subresource:
            entry["subresource"] = owned.manager.subresource
        entries.append(entry)
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def _chosen(old: dict[str, Any] | None, new: dict[str, Any]) -> list[Owned]:
    """The managers to start from: those the request brings, else those there are.

    A client that sends ``managedFields: [{}]`` clears them (SSA docs, "Clearing managedFields").
    """
    brought = new["metadata"].get("managedFields")
    if brought == [{}]:
        return []
    if old is None:
        return []
    if brought and brought != old["metadata"].get("managedFields"):
        return read(new)
    return read(old)


def updated(old: dict[str, Any] | None, new: dict[str, Any], node: Node, manager: Manager) -> None:
    """Give the manager what an update changed, in place on *new*."""
    owners = _chosen(old, new)
    changed, removed = fieldset.compare(old if old is not None else {}, new, node)
    changed, removed = strip(changed, manager.subresource), strip(removed, manager.subresource)
    if old is not None and not changed and not removed:
        return write(new, owners)
    mine: Owned | None = None
    for owned in owners:
        if owned.manager.id == manager.id:
            mine = owned
        else:
            owned.fields = fieldset.minus(fieldset.minus(owned.fields, changed), removed)
    if mine is None:
        mine = Owned(manager, {}, times.now())
        owners.append(mine)
    if manager.subresource == "scale" and not new["spec"].get("replicas"):
        removed, changed = fieldset.union(removed, changed), {}  # a Scale of zero leaves the field out
    fields = fieldset.minus(fieldset.union(mine.fields, changed), removed)
    if fields != mine.fields or changed:
        mine.fields, mine.time = fields, times.now()
    return write(new, _capped(owners))


def _capped(owners: list[Owned]) -> list[Owned]:
    """Fold the oldest updaters into one where there are too many."""
    updaters = sorted((o for o in owners if o.manager.operation == "Update"), key=lambda owned: owned.time)
    extra = len(updaters) - MAX_UPDATERS
    if extra <= 0:
        return owners
    folded = updaters[: extra + 1]
    ancient = Owned(replace(folded[0].manager, name="ancient-changes", subresource=""), {}, folded[-1].time)
    for owned in folded:
        ancient.fields = fieldset.union(ancient.fields, owned.fields)
    return [owned for owned in owners if owned not in folded] + [ancient]
