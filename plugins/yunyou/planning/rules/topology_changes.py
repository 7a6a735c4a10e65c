"""Comparing what a product is made of besides its applications: topology, specification and resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from plugins.yunyou.documents.changes import Change, compared
from plugins.yunyou.documents.solution import Product

_RESOURCES = (
    ("databases", "databases"),
    ("load_balancers", "loadBalancers"),
    ("caches", "caches"),
    ("buckets", "buckets"),
)


def topology_changes(before: Product, after: Product) -> Iterator[Change]:
    """Every change of topology, specification or resources; cells show as deployments and removals instead."""
    for name in ("topology", "specification"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(name, old or None, new or None)
    for attribute, name in _RESOURCES:
        old, new = getattr(before, attribute), getattr(after, attribute)
        if old != new:
            yield from _by_name(old, new, name)
    old, new = before.scaling_groups, after.scaling_groups
    if old != new:
        yield from _by_name(old, new, "scalingGroups", without="cells")


def _by_name(before: Any, after: Any, path: str, without: str = "") -> Iterator[Change]:
    old, new = ({item.name: _json(item, without) for item in items} for items in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        if name in old and name in new:
            yield from compared(old[name], new[name], f"{path}[{name}]")
        else:
            yield Change(f"{path}[{name}]", "present" if name in old else None, "present" if name in new else None)


def _json(item: Any, without: str) -> Any:
    made = to_builtins(item)
    made.pop(without, None)
    if "changes" in made:  # SQL is compared by what runs, and shown by its identifiers
        made["changes"] = [change["id"] for change in made["changes"]]
    return made
