"""Tables, as ``kubectl get`` asks for them (docs: "Receiving resources as Tables")."""

from __future__ import annotations

from typing import Any

from sandbox.api.cells import Column
from sandbox.api.columns import COLUMNS
from sandbox.resources import Resource
from sandbox.times import age

_NAME_TEXT = "Name must be unique within a namespace."


def _definition(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "format": "name" if column.name == "Name" else "",
        "description": _NAME_TEXT if column.name == "Name" else column.name,
        "priority": column.priority,
    }


_DEFAULT = [
    Column("Name", lambda obj: obj["metadata"]["name"]),
    Column("Created At", lambda obj: obj["metadata"].get("creationTimestamp", ""), "date"),
]


def _at(obj: Any, path: str) -> Any:
    """A value by a simple JSON path, for printer columns of custom resources."""
    for part in path.strip(".").split("."):
        if not isinstance(obj, dict):
            return None
        obj = obj.get(part)
    return obj


def columns_of(resource: Resource) -> list[Column]:
    """The columns of a resource."""
    if resource.id in COLUMNS:
        return COLUMNS[resource.id]
    if not resource.custom:
        return _DEFAULT
    made = [Column("Name", lambda obj: obj["metadata"]["name"])]
    for extra in (resource.schema or {}).get("columns") or ():
        path, kind = extra["jsonPath"], extra["type"]

        def show(obj: dict[str, Any], path: str = path, kind: str = kind) -> Any:
            value = _at(obj, path)
            return age(value) if kind == "date" and value else value

        made.append(Column(extra["name"], show, kind, extra.get("priority", 0)))
    if len(made) == 1:
        made.append(Column("Age", lambda obj: age(obj["metadata"].get("creationTimestamp"))))
    return made


def table(
    resource: Resource, objects: list[dict[str, Any]], meta: dict[str, Any], include: str, head: bool = True
) -> dict[str, Any]:
    """A table of these objects."""
    columns = columns_of(resource)
    rows = []
    for obj in objects:
        row: dict[str, Any] = {"cells": [column.show(obj) for column in columns]}
        if include == "Object":
            row["object"] = obj
        elif include == "None":
            row["object"] = None
        else:
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": obj["metadata"],
            }
        rows.append(row)
    if not meta and len(objects) == 1:
        meta = {"resourceVersion": objects[0]["metadata"].get("resourceVersion", "")}
    definitions = [_definition(column) for column in columns] if head else None
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": definitions,
        "rows": rows,
    }
