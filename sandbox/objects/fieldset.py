"""Sets of fields as trees, in the form of ``fieldsV1`` (structured-merge-diff).

A node is a dict of path elements (``f:name``, ``k:{…}``, ``v:…``); it is a member of the
set where it has ``"."``. On the wire a member without children is ``{}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.schema.types import FREE, Node

Tree = dict[str, Any]
MISSING: Any = object()


def _leaf() -> Tree:
    return {".": {}}


def from_wire(fields: Tree) -> Tree:
    """A tree of a ``fieldsV1`` as it came."""
    return {key: ({} if key == "." else from_wire(child) or _leaf()) for key, child in fields.items()}


def to_wire(tree: Tree) -> Tree:
    """The ``fieldsV1`` of a tree."""
    made: Tree = {}
    for key in sorted(tree):
        child = tree[key]
        made[key] = {} if key == "." or (len(child) == 1 and "." in child) else to_wire(child)
    return made


def union(one: Tree, other: Tree) -> Tree:
    """Members of either."""
    made = dict(one)
    for key, child in other.items():
        made[key] = union(made[key], child) if key in made and key != "." else child
    return made


def minus(one: Tree, other: Tree) -> Tree:
    """Members of *one* that *other* lacks."""
    made: Tree = {}
    for key, child in one.items():
        if key == ".":
            if "." not in other:
                made["."] = {}
        elif key not in other:
            made[key] = child
        elif kept := minus(child, other[key]):
            made[key] = kept
    return made


def both(one: Tree, other: Tree) -> Tree:
    """Members of both."""
    made: Tree = {}
    for key, child in one.items():
        if key in other:
            if key == ".":
                made["."] = {}
            elif kept := both(child, other[key]):
                made[key] = kept
    return made


def paths(tree: Tree, prefix: str = "") -> Iterator[str]:
    """Every member, written as in messages: ``.spec.containers[name="app"].image``."""
    for key in sorted(tree):
        child = tree[key]
        if key == ".":
            yield prefix
            continue
        yield from paths(child, prefix + element_text(key))


def element_text(key: str) -> str:
    """One path element as messages print it."""
    mark, _, rest = key.partition(":")
    if mark == "f":
        return "." + rest
    if mark == "k":
        pairs = ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(json.loads(rest).items()))
        return f"[{pairs}]"
    return f"[={rest}]" if mark == "v" else f"[{rest}]"


def element_of(item: Any, node: Node) -> str:
    """The path element of an item of an associative list."""
    if node.list_type == "set":
        return "v:" + json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    keys = {}
    for name in node.keys:
        field = node.item.fields.get(name)
        value = item.get(name, field.default if field else None) if isinstance(item, dict) else None
        if value is not None:
            keys[name] = value
    return "k:" + json.dumps(keys, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def associative(node: Node) -> bool:
    """Whether a list's items have an identity of their own."""
    return node.list_type in ("map", "set")


def child_of(node: Node, key: str) -> tuple[Node, bool]:
    """The type of an entry, and whether it is a named field of a struct."""
    found = node.fields.get(key)
    if found is not None:
        return found, True
    return (node.item if node.kind == "map" else FREE), False


def _is_leaf(value: Any, node: Node) -> bool:
    if isinstance(value, dict):
        return not value or node.atomic
    if isinstance(value, list):
        return not value or not associative(node)
    return True


def of(value: Any, node: Node) -> Tree:
    """The set of what an applied configuration names."""
    if _is_leaf(value, node):
        return _leaf()
    made: Tree = {}
    if isinstance(value, dict):
        for key, entry in value.items():
            child, named = child_of(node, key)
            tree = of(entry, child)
            if not named:
                tree["."] = {}
            made["f:" + key] = tree
        return made
    for item in value:
        tree = of(item, node.item)
        tree["."] = {}
        made[element_of(item, node)] = tree
    return made


def whole(value: Any, node: Node) -> Tree:
    """Every node of a value that appeared or went away."""
    made = _leaf()
    if _is_leaf(value, node):
        return made
    if isinstance(value, dict):
        for key, entry in value.items():
            made["f:" + key] = whole(entry, child_of(node, key)[0])
    else:
        for item in value:
            made[element_of(item, node)] = whole(item, node.item)
    return made


def compare(old: Any, new: Any, node: Node) -> tuple[Tree, Tree]:
    """What was added or changed, and what was removed."""
    if new is MISSING:
        return {}, whole(old, node)
    if old is MISSING:
        return whole(new, node), {}
    if old == new:
        return {}, {}
    if isinstance(old, dict) and isinstance(new, dict) and not node.atomic and (old or new):
        return _compare_entries(old, new, node)
    if isinstance(old, list) and isinstance(new, list) and associative(node) and (old or new):
        left = {element_of(item, node): item for item in old}
        right = {element_of(item, node): item for item in new}
        return _gather((key, left.get(key, MISSING), right.get(key, MISSING), node.item) for key in left | right)
    return _leaf(), {}


def _compare_entries(old: Tree, new: Tree, node: Node) -> tuple[Tree, Tree]:
    rows = []
    for key in old | new:
        child, _ = child_of(node, key)
        # What Go holds by value is there from the start, and so is this list without "omitempty".
        absent: Any = {} if child.is_struct else [] if key == "containers" else MISSING
        rows.append(("f:" + key, old.get(key, absent), new.get(key, absent), child))
    return _gather(rows)


def _gather(rows: Any) -> tuple[Tree, Tree]:
    changed: Tree = {}
    removed: Tree = {}
    for key, left, right, child in rows:
        more, less = compare(left, right, child)
        if more:
            changed[key] = more
        if less:
            removed[key] = less
    return changed, removed
