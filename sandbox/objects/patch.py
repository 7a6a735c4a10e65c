"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386)."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.errors import ApiError, bad_request


def merge_patch(target: Any, patch: Any) -> Any:
    """*target* after a merge patch."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge_patch(made.get(key), value)
    return made


def _unprocessable() -> ApiError:
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", empty=True)


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _step(here: Any, part: str) -> Any:
    try:
        return here[int(part)] if isinstance(here, list) else here[part]
    except (KeyError, IndexError, ValueError, TypeError) as exc:
        raise _unprocessable() from exc


def _add(parent: Any, part: str, value: Any) -> None:
    if isinstance(parent, list):
        index = len(parent) if part == "-" else int(part)
        if index > len(parent):
            raise _unprocessable()
        parent.insert(index, value)
    elif isinstance(parent, dict):
        parent[part] = value
    else:
        raise _unprocessable()


def _remove(parent: Any, part: str) -> Any:
    found = _step(parent, part)
    del parent[int(part) if isinstance(parent, list) else part]
    return found


def json_patch(target: Any, operations: list[dict[str, Any]]) -> Any:
    """*target* after a JSON patch.

    :raises ApiError: a path is not there, or a test fails
    """
    if not isinstance(operations, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    root = {"": copy.deepcopy(target)}
    for operation in operations:
        _operate(root, operation)
    return root[""]


def _operate(root: dict[str, Any], operation: dict[str, Any]) -> None:  # noqa: PLR0912 - one branch per operation
    verb, pointer = operation.get("op"), operation.get("path", "")
    parts = ["", *_parts(pointer)]
    parent: Any = root
    for part in parts[:-1]:
        parent = _step(parent, part)
    last = parts[-1]
    if verb == "add":
        _add(parent, last, operation.get("value"))
    elif verb == "remove":
        _remove(parent, last)
    elif verb == "replace":
        _step(parent, last)
        parent[int(last) if isinstance(parent, list) else last] = operation.get("value")
    elif verb == "test":
        if _step(parent, last) != operation.get("value"):
            raise _unprocessable()
    elif verb in ("move", "copy"):
        source = ["", *_parts(operation.get("from", ""))]
        holder: Any = root
        for part in source[:-1]:
            holder = _step(holder, part)
        value = copy.deepcopy(_step(holder, source[-1]))
        if verb == "move":
            _remove(holder, source[-1])
        _add(parent, last, value)
    else:
        raise bad_request(f"Unexpected kind: {verb}")
