"""Server-side apply (Kubernetes docs: "Server-Side Apply").

After structured-merge-diff's ``Updater.Apply``: merge, prune what the manager gave up
and nobody else owns, then look for fields that others own and this changes.
"""

from __future__ import annotations

import copy
from typing import Any

from sandbox import times
from sandbox.errors import ApiError
from sandbox.objects import fieldset, managers
from sandbox.objects.fieldset import Tree, associative, child_of, element_of
from sandbox.objects.managers import Manager, Owned
from sandbox.schema.types import Node


def merge(live: Any, config: Any, node: Node) -> Any:
    """*live* with what *config* says laid over it."""
    if isinstance(live, dict) and isinstance(config, dict) and not node.atomic:
        made = dict(live)
        for key, value in config.items():
            child, _ = child_of(node, key)
            made[key] = merge(live[key], value, child) if key in live else value
        return made
    if isinstance(live, list) and isinstance(config, list) and associative(node):
        return _merge_lists(live, config, node)
    return config


def _merge_lists(live: list[Any], config: list[Any], node: Node) -> list[Any]:
    """Items that the configuration names keep its order; the others stay where they were."""
    there = {element_of(item, node): item for item in live}
    named: dict[str, Any] = {}
    for item in config:
        key = element_of(item, node)
        named[key] = merge(there[key], item, node.item) if key in there else item
    made: list[Any] = []
    placed: set[str] = set()
    queue = list(named)
    for key, item in there.items():
        if key not in named:
            made.append(item)
            continue
        while queue and key not in placed:
            head = queue.pop(0)
            if head not in placed:
                made.append(named[head])
                placed.add(head)
    made.extend(named[key] for key in queue if key not in placed)
    return made


def repeated(config: Any, node: Node, path: str) -> str:
    """What is wrong with the first list that names one item twice; empty where none does."""
    if isinstance(config, dict):
        for key, value in config.items():
            if found := repeated(value, child_of(node, key)[0], f"{path}.{key}"):
                return found
    elif isinstance(config, list) and associative(node):
        seen = set()
        for item in config:
            key = element_of(item, node)
            if key in seen:
                return f"{path}: duplicate entries for key {fieldset.element_text(key)}"
            seen.add(key)
            if found := repeated(item, node.item, path + fieldset.element_text(key)):
                return found
    return ""


def prune(value: Any, given_up: Tree, kept: Tree, node: Node) -> Any:  # noqa: PLR0912 - one branch per kind of value
    """*value* without the members of *given_up* that nobody in *kept* holds."""
    if isinstance(value, dict) and not node.atomic:
        made = dict(value)
        for key, tree in given_up.items():
            name = key[2:]
            if not key.startswith("f:") or name not in made:
                continue
            child, named = child_of(node, name)
            if key in kept:
                made[name] = prune(made[name], tree, kept[key], child)
            elif named or "." in tree:
                del made[name]
            else:
                made[name] = prune(made[name], tree, {}, child)
        return made
    if isinstance(value, list) and associative(node):
        items = []
        for item in value:
            key = element_of(item, node)
            tree = given_up.get(key)
            if tree is None:
                items.append(item)
            elif key in kept:
                items.append(prune(item, tree, kept[key], node.item) if isinstance(item, dict) else item)
            elif "." not in tree:
                items.append(prune(item, tree, {}, node.item))
        return items
    return value


def _message(conflicts: list[tuple[Manager, str]]) -> str:
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {manager.describe()}: {path}"
    lines: dict[str, list[str]] = {}
    for manager, path in conflicts:
        lines.setdefault(manager.describe(), []).append(f"- {path}")
    texts = [line for name in sorted(lines) for line in (f"conflicts with {name}:", *lines[name])]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(texts)


def _refuse(conflicts: list[tuple[Manager, str]]) -> ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager.describe()}", "field": path}
        for manager, path in conflicts
    ]
    return ApiError(409, "Conflict", _message(conflicts), {"causes": causes})


def applied(live: dict[str, Any] | None, config: dict[str, Any], node: Node, manager: Manager, force: bool) -> Any:  # noqa: PLR0915 - one branch per kind of value
    """The object after the manager's configuration is applied, with its managers.

    :raises ApiError: another manager owns a field that this changes
    """
    base: dict[str, Any] = live if live is not None else {"metadata": {}}
    config = copy.deepcopy(config)
    config["metadata"].pop("managedFields", None)
    owners = managers.read(base)
    if live is not None and not owners:
        everything = managers.strip(fieldset.of(live, node), manager.subresource)
        before = Manager("before-first-apply", "Update", manager.api_version)
        owners = [Owned(before, everything, times.now())]
    fields = managers.strip(fieldset.of(config, node), manager.subresource)
    mine = next((owned for owned in owners if owned.manager.id == manager.id), None)
    others = [owned for owned in owners if owned is not mine]
    made = merge(base, config, node)
    if mine is not None:
        kept = fields
        for owned in others:
            kept = fieldset.union(kept, owned.fields)
        made = prune(made, mine.fields, kept, node)
    changed, removed = fieldset.compare(base, made, node)
    changed, removed = managers.strip(changed, manager.subresource), managers.strip(removed, manager.subresource)
    conflicts = [
        (owned.manager, path) for owned in others for path in fieldset.paths(fieldset.both(owned.fields, changed))
    ]
    if conflicts and not force:
        raise _refuse(conflicts)
    for owned in others:
        owned.fields = fieldset.minus(fieldset.minus(owned.fields, changed), removed)
    if mine is None:
        mine = Owned(manager, fields, times.now())
        others.append(mine)
    else:
        if mine.fields != fields or changed or removed:
            mine.time = times.now()
        mine.fields, mine.manager = fields, manager
        others.append(mine)
    made = dict(made, metadata=dict(made["metadata"]))
    managers.write(made, others)
    return made
