"""Whose a live object is, and whether it is still the one that a plan was made for."""

from __future__ import annotations

import hashlib
import json

from app.contracts.json import Json
from app.errors import ErrorCode
from app.words import _
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.manifests.labels import ENVIRONMENT, MANAGED_BY, MANAGER, PART_OF, label_value

FOREIGN = ErrorCode(
    "YUNYOU/FOREIGN_OBJECT",
    409,
    _("{kind} {name} is in the cluster already and belongs to {owner}."),
    _("Rename the application, remove that object, or adopt it explicitly."),
)
CLUSTER_MOVED = ErrorCode(
    "YUNYOU/CLUSTER_MOVED",
    409,
    _("The cluster changed after the plan was made: {objects}"),
    _("Preview again to see the new difference; retrying the step goes on from what is there now."),
)
ERRORS = (FOREIGN, CLUSTER_MOVED)


def owner_of(found: Json, environment: Environment, product: str) -> str | None:
    """Who owns a live object: None when this environment and product made it."""
    labels = found["metadata"].get("labels") or {}
    ours = labels.get(MANAGED_BY) == MANAGER and labels.get(ENVIRONMENT) == label_value(environment.id)
    if ours and labels.get(PART_OF) == label_value(product):
        return None
    if ours:
        return f"product {labels.get(PART_OF)}"
    managers = [str(entry.get("manager")) for entry in found["metadata"].get("managedFields") or ()]
    name = labels.get(MANAGED_BY) or ", ".join(dict.fromkeys(managers)) or "somebody else"
    return f"{name} (environment {labels[ENVIRONMENT]})" if ENVIRONMENT in labels else name


def identity(found: Json | None) -> str:
    """What an object looked like: its UID and generation, or a digest of its content where it has no generation."""
    if found is None:
        return ""
    meta = found["metadata"]
    if meta.get("generation"):
        return f"{meta['uid']}@{meta['generation']}"
    content = {key: value for key, value in found.items() if key in ("spec", "data", "type")}
    return f"{meta['uid']}#{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]}"


def object_key(item: Json) -> str:
    """``Kind/name``."""
    return f"{item['kind']}/{item['metadata']['name']}"
