"""Looking into a document whose shape is not known to be right, so that every rule can still be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.contracts.json import Json


def objects(owner: Any, key: str) -> Iterator[tuple[int, Json]]:
    """The objects in the list ``owner[key]`` with their index; anything else is passed over."""
    items = owner.get(key) if isinstance(owner, dict) else None
    if isinstance(items, list):
        yield from ((at, item) for at, item in enumerate(items) if isinstance(item, dict))


def texts(owner: Any, key: str) -> Iterator[tuple[int, str]]:
    """The texts in the list ``owner[key]`` with their index; anything else is passed over."""
    items = owner.get(key) if isinstance(owner, dict) else None
    if isinstance(items, list):
        yield from ((at, item) for at, item in enumerate(items) if isinstance(item, str))


def text(owner: Any, key: str, default: str = "") -> str:
    """The text ``owner[key]``, or *default* when there is none."""
    value = owner.get(key) if isinstance(owner, dict) else None
    return value if isinstance(value, str) else default


def whole(owner: Any, key: str, default: int) -> int:
    """The whole number ``owner[key]``, or *default* when there is none."""
    value = owner.get(key) if isinstance(owner, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def part(owner: Any, key: str) -> Json:
    """The object ``owner[key]``, or an empty one."""
    value = owner.get(key) if isinstance(owner, dict) else None
    return value if isinstance(value, dict) else {}
