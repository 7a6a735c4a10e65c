"""The arithmetic of a Deployment's rollout (``pkg/controller/deployment/util``)."""

from __future__ import annotations

from typing import Any

from sandbox.controllers.common import share
from sandbox.store.records import decode, encode
from sandbox.times import seconds_of

Obj = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


def revision_of(obj: Obj) -> int:
    """The revision that an annotation says."""
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, 0) or 0)


def same_template(one: Obj, other: Obj) -> bool:
    """Equal but for the hash label (``EqualIgnoreHash``)."""
    left, right = decode(encode(one)), decode(encode(other))
    for template in (left, right):
        template.setdefault("metadata", {}).setdefault("labels", {}).pop(HASH, None)
        template["metadata"].pop("creationTimestamp", None)
    return bool(left == right)


def fenceposts(deployment: Obj) -> tuple[int, int]:
    """Surge and unavailable as counts; one of them is at least 1 (``ResolveFenceposts``)."""
    wanted = deployment["spec"]["replicas"]
    rolling = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", 0), wanted, up=True)
    missing = share(rolling.get("maxUnavailable", 0), wanted, up=False)
    if surge == 0 and missing == 0:
        missing = 1
    return surge, min(missing, wanted)


def spec_total(sets: list[Obj]) -> int:
    """Pods asked for."""
    return sum(rs["spec"]["replicas"] for rs in sets)


def status_total(sets: list[Obj], key: str = "replicas") -> int:
    """Pods there."""
    return sum(rs.get("status", {}).get(key, 0) for rs in sets)


def available_total(sets: list[Obj]) -> int:
    """Pods available."""
    return status_total(sets, "availableReplicas")


def proportions(deployment: Obj, active: list[Obj], annotation: str) -> list[tuple[Obj, int]]:
    """New sizes while a rollout is under way, each set getting its share (``GetReplicaSetProportion``)."""
    total = spec_total(active)
    wanted = deployment["spec"]["replicas"]
    allowed = wanted + fenceposts(deployment)[0] if wanted > 0 else 0
    to_add = allowed - total
    key = (
        (lambda rs: (-rs["spec"]["replicas"], _newest(rs)))
        if to_add > 0
        else (lambda rs: (-rs["spec"]["replicas"], rs["metadata"]["creationTimestamp"]))
    )
    rows = sorted(active, key=key)
    added = 0
    made = []
    for rs in rows:
        size, change = rs["spec"]["replicas"], 0
        if to_add:
            maximum = int((rs["metadata"].get("annotations") or {}).get(annotation, total) or total) or 1
            fraction = round(size * allowed / maximum) - size if wanted else -size
            left = to_add - added
            change = min(fraction, left) if to_add > 0 else max(fraction, left)
            added += change
        made.append([rs, size + change])
    if made and to_add and added != to_add:
        made[0][1] = max(made[0][1] + to_add - added, 0)
    return [(rs, size) for rs, size in made]


def _newest(rs: Obj) -> float:
    return -seconds_of(rs["metadata"]["creationTimestamp"])


def saturated(deployment: Obj, rs: Obj) -> bool:
    """Whether the new set is as large as it should be, and available."""
    wanted = deployment["spec"]["replicas"]
    desired = (rs["metadata"].get("annotations") or {}).get(DESIRED)
    return bool(
        rs["spec"]["replicas"] == wanted
        and desired == str(wanted)
        and rs.get("status", {}).get("availableReplicas", 0) == wanted
    )
