"""Conditions and labels, which every object has in the same form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.captain.objects.live import moment_of

Object = Mapping[str, Any]
NOISE = ("kubernetes.io/metadata.name",)
# Conditions that are bad when they are true; of all others, false is the bad answer (Kubernetes: "Node Conditions").
GRAVE = (
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
    "Failed",
    "ReplicaFailure",
    "DisruptionTarget",
)


def conditions(item: Object) -> Sequence[Object]:
    """Conditions of an object with their tone and time."""
    held = (item.get("status") or {}).get("conditions") or ()
    return [{**one, "tone": tone(one), "at": moment_of(one.get("lastTransitionTime"))} for one in held]


def tone(condition: Object) -> str:
    """Whether a condition is well."""
    if condition.get("status") == "Unknown":
        return "warn"
    holds = condition.get("status") == "True"
    if condition.get("type") in GRAVE:
        return "bad" if holds else "ok"
    return "ok" if holds else "warn"


def labels(item: Object) -> dict[str, str]:
    """Labels that tell more than the name."""
    held = (item.get("metadata") or {}).get("labels") or {}
    return {key: value for key, value in held.items() if key not in NOISE}
