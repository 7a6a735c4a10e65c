"""Fields that a type does not have, and values of the wrong JSON type.

Wording after apimachinery's strict decoding: ``strict decoding error: unknown field "spec.replica"``.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.objects.quantity import parse
from sandbox.schema.types import Node

QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_GO = {"s": "string", "i": "int32", "l": "int64", "b": "bool", "d": "float64"}


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "null"


class WrongType(Exception):
    """A value that Go could not decode."""


def _check(value: Any, node: Node, path: str, owner: str) -> None:  # noqa: PLR0912 - one branch per kind of value
    code = node.code
    kind = node.kind
    got = _json_type(value)
    fits = True
    if kind == "object" or kind == "map":
        fits = got == "object"
        target = code.rsplit("@", 1)[-1] if kind == "object" else "map[string]string"
    elif kind == "list":
        fits, target = got == "array", "[]" + code[1:].lstrip("@")
    elif code in ("s", "t", "y"):
        fits, target = got == "string", "string" if code == "s" else "Time"
    elif code in ("i", "l"):
        fits, target = isinstance(value, int) and got == "number", _GO[code]
    elif code == "b":
        fits, target = got == "bool", "bool"
    elif code in ("q", "I"):
        fits, target = got in ("string", "number"), "string"
    if not fits:
        what = f"{got} {value}" if got == "number" and code in ("i", "l") else got
        plain = re.sub(r"\[\d+\]", "", path)
        raise WrongType(f"json: cannot unmarshal {what} into Go struct field {owner}{plain} of type {target}")
    if code == "q":
        try:
            parse(str(value))
        except ValueError as exc:
            raise WrongType(QUANTITY) from exc


def clean(value: Any, node: Node, path: str = "", owner: str = "") -> tuple[Any, list[str]]:  # noqa: PLR0912 - one branch per kind of value
    """The value without unknown fields and nulls, and the paths of what was unknown.

    :raises WrongType: Go could not decode it
    """
    if node.kind == "free" and not node.fields:
        return value, []
    _check(value, node, path, owner)
    unknown: list[str] = []
    if isinstance(value, dict):
        made = {}
        fields = node.fields
        for key, entry in value.items():
            here = f"{path}.{key}" if path else key
            child = fields.get(key) if node.kind == "object" or fields else node.item
            if child is None:
                if node.kind == "object":
                    unknown.append(here)
                else:
                    made[key] = entry
                continue
            if entry is None:
                continue
            made[key], more = clean(entry, child, here, node.type_name + "." if node.kind == "object" else owner)
            unknown += more
        return made, unknown
    if isinstance(value, list):
        items = []
        for index, item in enumerate(value):
            if item is None and node.item.kind != "free":
                continue
            kept, more = clean(item, node.item, f"{path}[{index}]", owner)
            items.append(kept)
            unknown += more
        return items, unknown
    if node.code == "q" and not isinstance(value, str):
        return str(value), unknown
    return value, unknown
