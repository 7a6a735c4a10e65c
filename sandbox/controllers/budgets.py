"""PodDisruptionBudgets: how many pods may go now (``pkg/controller/disruption``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.controllers.common import PODS, set_condition, share
from sandbox.store.records import Record
from sandbox.store.selectors import label_selector

if TYPE_CHECKING:
    from sandbox.cluster import Cluster
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
PDB = "policy/poddisruptionbudgets"
EVICTION_FORGOTTEN = 120.0


def matching_budgets(cluster: Cluster, pod: Record) -> list[Record]:
    """The budgets that a pod falls under."""
    found = []
    for record in cluster.store.all(PDB, pod.namespace):
        selector = record.load()["spec"].get("selector")
        if label_selector(selector)(pod.labels):
            found.append(record)
    return found


class Budgets:
    """Keeps the status of budgets."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster

    def sync(self, key: tuple[str, str]) -> None:
        """Count one budget's pods."""
        budget = self.cluster.get(PDB, *key)
        if budget is None:
            return
        spec, old = budget["spec"], budget.get("status", {})
        matches = label_selector(spec.get("selector"))
        pods = [r for r in self.cluster.store.all(PODS, key[0]) if matches(r.labels) and not r.pod.finished]
        disrupted = {
            name: when
            for name, when in old.get("disruptedPods", {}).items()
            if time.time() - times.seconds_of(when) < EVICTION_FORGOTTEN
            and any(record.name == name and not record.deleting for record in pods)
        }
        healthy = sum(record.pod.ready and not record.deleting and record.name not in disrupted for record in pods)
        expected = self._expected(pods)
        if "maxUnavailable" in spec:
            desired = max(expected - share(spec["maxUnavailable"], expected, up=True), 0)
        else:
            minimum = spec.get("minAvailable", 1)
            desired = minimum if isinstance(minimum, int) else share(minimum, expected, up=True)
            if isinstance(minimum, int):
                expected = len([record for record in pods if not record.deleting])
        allowed = max(healthy - desired, 0) if expected > 0 else 0
        conditions = [dict(condition) for condition in old.get("conditions", ())]
        reason = "SufficientPods" if allowed else "InsufficientPods"
        set_condition(conditions, "DisruptionAllowed", "True" if allowed else "False", reason)
        conditions[0].setdefault("observedGeneration", budget["metadata"]["generation"])
        conditions[0].setdefault("message", "")
        status: Obj = {
            "observedGeneration": budget["metadata"]["generation"],
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": conditions,
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        if status != old:
            self.cluster.set_status(PDB, key[0], key[1], status)

    def _expected(self, pods: list[Record]) -> int:
        """The scale of the controllers of these pods (``getExpectedScale``)."""
        scales: dict[str, int] = {}
        for uid in {record.pod.controller for record in pods if record.pod.controller}:
            owner = self._owner(uid)
            if owner is None:
                continue
            above = next(
                (ref["uid"] for ref in owner["metadata"].get("ownerReferences", ()) if ref.get("controller")), ""
            )
            top = (self._owner(above) if above else None) or owner
            scales[top["metadata"]["uid"]] = int(top["spec"].get("replicas", 1))
        return sum(scales.values()) or len(pods)

    def _owner(self, uid: str) -> Obj | None:
        place = self.cluster.store.by_uid.get(uid)
        return self.cluster.get(*place) if place else None
