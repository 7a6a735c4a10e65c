"""Which disruption budget keeps a pod from being evicted now (Kubernetes: "API-initiated Eviction")."""

from __future__ import annotations

from collections.abc import Sequence

from app.contracts.json import Json
from app.kube.selectors import selects


class Budgets:
    """The budgets of a cluster as they are now; each pod that they let go takes one of what they allow."""

    def __init__(self, budgets: Sequence[Json]) -> None:
        self._budgets = budgets
        self._allowed = {id(one): one.get("status", {}).get("disruptionsAllowed", 0) for one in budgets}

    def blocking(self, pod: Json) -> str | None:
        """The name of what blocks the pod, after those that were asked for before it; of all, where it is of several:
        the API server evicts no such pod.
        """
        meta, status = pod["metadata"], pod.get("status", {})
        if status.get("phase") in ("Pending", "Succeeded", "Failed") or meta.get("deletionTimestamp"):
            return None
        of_pod = [
            one
            for one in self._budgets
            if one["metadata"]["namespace"] == meta["namespace"]
            and selects(one["spec"].get("selector"), meta.get("labels") or {})
        ]
        if len(of_pod) > 1:
            return ", ".join(one["metadata"]["name"] for one in of_pod)
        if not of_pod or (not _is_ready(status) and _lets_unready_go(of_pod[0])):
            return None
        self._allowed[id(of_pod[0])] -= 1
        return None if self._allowed[id(of_pod[0])] >= 0 else str(of_pod[0]["metadata"]["name"])


def _is_ready(status: Json) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())


def _lets_unready_go(budget: Json) -> bool:
    status = budget.get("status", {})
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)
