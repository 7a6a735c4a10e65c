"""A Deployment's status and conditions (``pkg/controller/deployment/sync.go``, ``progress.go``)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.controllers.common import find_condition, set_condition
from sandbox.controllers.deployment_scale import fenceposts, spec_total, status_total

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
DEPLOYMENTS = "apps/deployments"
NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
NO_DEADLINE = 2147483647


@dataclass
class Rollout:
    """A Deployment with its ReplicaSets."""

    deployment: Obj
    sets: list[Obj]
    new: Obj | None
    created: str = ""

    @property
    def deadline(self) -> int:
        """Seconds without progress that are allowed."""
        return int(self.deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE))


def paused_condition(cluster: Cluster, deployment: Obj) -> None:
    """Say in the conditions that the rollout is paused or goes on (``checkPausedConditions``)."""
    if deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE) == NO_DEADLINE:
        return
    there = find_condition(deployment, "Progressing")
    if there and there.get("reason") == TIMED_OUT:
        return
    stopped = bool(there and there.get("reason") == "DeploymentPaused")
    paused = bool(deployment["spec"].get("paused"))
    if paused == stopped:
        return
    status = dict(deployment.get("status", {}))
    conditions = [dict(condition) for condition in status.get("conditions", ())]
    reason, message = (
        ("DeploymentPaused", "Deployment is paused") if paused else ("DeploymentResumed", "Deployment is resumed")
    )
    set_condition(conditions, "Progressing", "Unknown", reason, message, update=True)
    status["conditions"] = conditions
    cluster.set_status(DEPLOYMENTS, deployment["metadata"]["namespace"], deployment["metadata"]["name"], status)
    deployment["status"] = status


def _counts(rollout: Rollout) -> Obj:
    deployment, sets = rollout.deployment, rollout.sets
    new_status = (rollout.new or {}).get("status", {})
    available = status_total(sets, "availableReplicas")
    counts = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": status_total(sets),
        "updatedReplicas": new_status.get("replicas", 0),
        "readyReplicas": status_total(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(spec_total(sets) - available, 0),
        "collisionCount": deployment.get("status", {}).get("collisionCount", 0),
    }
    kept: Obj = {name: count for name, count in counts.items() if count}
    kept["terminatingReplicas"] = status_total(sets, "terminatingReplicas")
    return kept


def _complete(rollout: Rollout, status: Obj) -> bool:
    wanted = rollout.deployment["spec"]["replicas"]
    return all(status.get(key, 0) == wanted for key in ("updatedReplicas", "replicas", "availableReplicas"))


def _progressed(old: Obj, new: Obj) -> bool:
    def stale(status: Obj) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    return stale(new) < stale(old) or any(
        new.get(key, 0) > old.get(key, 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def _progress(rollout: Rollout, status: Obj, conditions: list[Obj]) -> float | None:
    """Set the ``Progressing`` condition; seconds after which to look again."""
    deployment = rollout.deployment
    current = next((c for c in conditions if c["type"] == "Progressing"), None)
    who = (
        f'ReplicaSet "{rollout.new["metadata"]["name"]}"'
        if rollout.new
        else f'Deployment "{deployment["metadata"]["name"]}"'
    )
    if rollout.created:
        message = f'Created new replica set "{rollout.created}"'
        set_condition(conditions, "Progressing", "True", "NewReplicaSetCreated", message, update=True)
        current = next(c for c in conditions if c["type"] == "Progressing")
    elif current is None and rollout.new is not None:
        message = f'Found new replica set "{rollout.new["metadata"]["name"]}"'
        set_condition(conditions, "Progressing", "True", "FoundNewReplicaSet", message, update=True)
        current = next(c for c in conditions if c["type"] == "Progressing")
    stable = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if stable and current and current.get("reason") == NEW_AVAILABLE:
        return None
    if _complete(rollout, status):
        set_condition(
            conditions, "Progressing", "True", NEW_AVAILABLE, f"{who} has successfully progressed.", update=True
        )
        return None
    if _progressed(deployment.get("status", {}), status):
        set_condition(conditions, "Progressing", "True", "ReplicaSetUpdated", f"{who} is progressing.", update=True)
        for condition in conditions:  # progress moves the deadline, whatever was said before
            if condition["type"] == "Progressing":
                condition["lastUpdateTime"] = times.now()
        return float(rollout.deadline)
    return _timeout(rollout, current, conditions, who)


def _timeout(rollout: Rollout, current: Obj | None, conditions: list[Obj], who: str) -> float | None:
    if current is None or current.get("reason") in (NEW_AVAILABLE, TIMED_OUT, "DeploymentPaused"):
        return None
    if rollout.deployment["spec"].get("paused"):
        return None
    left = times.seconds_of(current.get("lastUpdateTime")) + rollout.deadline - time.time()
    if left > 0:
        return left + 1
    set_condition(conditions, "Progressing", "False", TIMED_OUT, f"{who} has timed out progressing.", update=True)
    return None


def write_status(cluster: Cluster, rollout: Rollout) -> tuple[bool, float | None]:
    """Write what changed; whether the rollout is complete, and when to look again."""
    deployment = rollout.deployment
    meta = deployment["metadata"]
    status = _counts(rollout)
    conditions = [dict(condition) for condition in deployment.get("status", {}).get("conditions", ())]
    missing = fenceposts(deployment)[1] if deployment["spec"]["strategy"]["type"] == "RollingUpdate" else 0
    if status.get("availableReplicas", 0) >= deployment["spec"]["replicas"] - missing:
        text = "Deployment has minimum availability."
        set_condition(conditions, "Available", "True", "MinimumReplicasAvailable", text, update=True)
    else:
        text = "Deployment does not have minimum availability."
        set_condition(conditions, "Available", "False", "MinimumReplicasUnavailable", text, update=True)
    again = None
    if rollout.deadline == NO_DEADLINE:
        conditions = [condition for condition in conditions if condition["type"] != "Progressing"]
    elif not deployment["spec"].get("paused"):
        again = _progress(rollout, status, conditions)
    conditions = [condition for condition in conditions if condition["type"] != "ReplicaFailure"]
    for rs in rollout.sets:
        failed = find_condition(rs, "ReplicaFailure")
        if failed:
            set_condition(
                conditions,
                "ReplicaFailure",
                failed["status"],
                failed.get("reason", ""),
                failed.get("message", ""),
                update=True,
            )
            break
    status["conditions"] = conditions
    if status != deployment.get("status"):
        cluster.set_status(DEPLOYMENTS, meta["namespace"], meta["name"], status)
    return _complete(rollout, status), again
