"""Strategic merge patch (Kubernetes docs: "Update API Objects in Place Using kubectl patch").

Directives: ``$patch: replace|delete|merge``, ``$retainKeys``, ``$deleteFromPrimitiveList/…``
and ``$setElementOrder/…``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.errors import bad_request
from sandbox.objects.fieldset import child_of
from sandbox.schema.types import Node

_DELETE = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def strategic(target: Any, patch: dict[str, Any], node: Node) -> dict[str, Any]:  # noqa: PLR0912 - one branch per directive
    """*target* after a strategic merge patch of an object of this type."""
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    made = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        made = {key: value for key, value in made.items() if key in patch["$retainKeys"]}
    for key, value in patch.items():
        if key.startswith(_DELETE):
            name = key[len(_DELETE) :]
            made[name] = [item for item in made.get(name) or () if item not in value]
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        child, _ = child_of(node, key)
        if value is None:
            made.pop(key, None)
        elif isinstance(value, dict) and not (isinstance(made.get(key), list)):
            made[key] = strategic(made.get(key), value, child)
        elif isinstance(value, list):
            made[key] = _lists(made.get(key), value, child)
        else:
            made[key] = value
    for key, order in patch.items():
        name = key[len(_ORDER) :]
        if key.startswith(_ORDER) and isinstance(made.get(name), list):
            live = target.get(name) if isinstance(target, dict) else None
            made[name] = _ordered(made[name], order, live or [], child_of(node, name)[0])
    return made


def _lists(target: Any, patch: list[Any], node: Node) -> list[Any]:  # noqa: PLR0912 - one branch per directive
    if "merge" not in node.strategy.split(",") or not isinstance(target, list):
        plain = [item for item in patch if not (isinstance(item, dict) and item.get("$patch") in ("delete", "replace"))]
        if not node.merge_key:
            return plain
        return [strategic({}, item, node.item) if isinstance(item, dict) else item for item in plain]
    key = node.merge_key
    if not key:
        return target + [item for item in patch if item not in target]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    made, named = list(target), []
    for item in patch:
        if key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {key}")
        named.append(item[key])
        places = [index for index, there in enumerate(made) if there.get(key) == item[key]]
        if item.get("$patch") == "delete":
            made = [there for there in made if there.get(key) != item[key]]
        elif places:
            made[places[0]] = strategic(made[places[0]], item, node.item)
        else:
            made.append(strategic({}, item, node.item))
    return _interleave(made, named, [there.get(key) for there in target], lambda item: item.get(key))


def _interleave(items: list[Any], named: list[Any], live: list[Any], identity: Callable[[Any], Any]) -> list[Any]:
    """Items that the patch names in its order, the others among them as they stood (``mergeSortedSlice``)."""
    places = {value: index for index, value in enumerate(named)}
    patched = sorted((item for item in items if identity(item) in places), key=lambda item: places[identity(item)])
    others = [item for item in items if identity(item) not in places]
    was = {value: index for index, value in enumerate(live)}
    made: list[Any] = []
    while others and patched:
        left, right = was.get(identity(others[0])), was.get(identity(patched[0]))
        before = left is not None and right is not None and left < right
        made.append(others.pop(0) if before else patched.pop(0))
    return made + others + patched


def _ordered(items: list[Any], order: list[Any], live: list[Any], node: Node) -> list[Any]:
    """The items in the order asked for; others keep their place relative to what follows them."""
    key = node.merge_key

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    return _interleave(items, [identity(item) for item in order], [identity(item) for item in live], identity)
