"""What the forms of a plan show and send: whether somebody else decided meanwhile, and beside which field to say
what is wrong (C-45).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from app.contracts.json import Json
from app.errors import ConsoleError, FieldError
from app.web import conflicts
from plugins.yunyou.planning import plans
from plugins.yunyou.solutions.models import Solution

Item = Json
REGISTRY_SAYS = ("state", "digest", "platforms", "error", "checkedAt")  # of an image
# Which item of a plan a form is of, by the kind of the plan: as the page showed it, and as it is now.
OF: dict[str, Callable[[Item, Mapping[str, str]], bool]] = {
    "parameters": lambda item, form: item["name"] == form.get("name"),
    "databases": lambda item, form: (item["kind"], item["name"]) == (form.get("kind"), form.get("name")),
    "images": lambda item, form: item["image"] == form.get("was"),
    "applications": lambda item, form: item["key"] == form.get("application"),
}
NOW = OF | {"images": lambda item, form: form.get("application") in item["applications"]}


def decided(shown: Any) -> Any:
    """What people decided of an item of the plan, or of all: what the registry says of an image moves by itself."""
    if isinstance(shown, list):
        return [decided(item) for item in shown]
    return {k: v for k, v in shown.items() if k not in REGISTRY_SAYS} if "digest" in (shown or ()) else shown


def fields_of(kind: str, item: Item | None) -> Json:
    """What the fields of an item's form hold; secrets are masked."""
    if item is None:
        return {}
    if kind == "applications":
        size = item.get("resources") or {}
        return {"replicas": item.get("replicas", 1), "cpu": size.get("cpu"), "memory": size.get("memory")}
    if kind == "parameters":
        value = item["value"]
        return {"value": json.dumps(value) if isinstance(value, bool) else value}
    return dict(item["values"]) if kind == "databases" else {"image": item["image"]}


def hidden(kind: str, item: Item) -> dict[str, str]:
    """The hidden fields of an item's form, for :func:`need_seen`."""
    base = json.dumps(fields_of(kind, item), ensure_ascii=False, default=str)
    return {conflicts.SEEN: conflicts.mark_of(decided(item)), conflicts.BASE: base}


def need_seen(solution: Solution, kind: str) -> Json:
    """Refuse an edit of an item of the plan that somebody else changed since the page showed it.

    :returns: what the fields of the item's form hold
    :raises ConsoleError: CORE/CHANGED_MEANWHILE with what its fields hold now
    """
    items = plans.items_of(solution, kind)
    found = next((item for item in items if OF[kind](item, request.form)), None)
    try:
        conflicts.need_seen(decided(found))
    except ConsoleError as error:
        now = next((item for item in items if NOW[kind](item, request.form)), None)
        raise conflicts.explained(error, fields_of(kind, now)) from None
    return fields_of(kind, found)


def at_fields(error: ConsoleError) -> ConsoleError:
    """*error* beside the fields of an item's form: ``/SHOP~1cart/resources/cpu`` is of ``cpu``."""
    error.errors = tuple(FieldError(f"/{found.pointer.rpartition('/')[2]}", found.message) for found in error.errors)
    return error
