"""ReplicaSets keep their number of pods (``pkg/controller/replicaset``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS, PodMaker, adopt, own_pods, set_condition
from sandbox.errors import ApiError
from sandbox.objects.quantity import value
from sandbox.store.records import Record

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
RS = "apps/replicasets"
BURST = 500


class ReplicaSets:
    """Creates and deletes pods until there are as many as asked for."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.maker = PodMaker(self.cluster)

    def sync(self, key: tuple[str, str]) -> None:
        """Bring one ReplicaSet closer to what it asks for."""
        rs = self.cluster.get(RS, *key)
        if rs is None:
            return
        adopt(self.cluster, rs, self.all.orphans(key[0]))
        pods = [record for record in own_pods(self.cluster, rs) if not record.pod.finished]
        active = [record for record in pods if not record.deleting]
        failure = None
        if "deletionTimestamp" not in rs["metadata"]:
            failure = self._manage(rs, active)
            pods = [record for record in own_pods(self.cluster, rs) if not record.pod.finished]
        self._status(rs, pods, failure)

    def _manage(self, rs: Obj, active: list[Record]) -> ApiError | None:
        missing = rs["spec"].get("replicas", 1) - len(active)
        if missing > 0:
            return self._create(rs, min(missing, BURST), missing)
        for record in _to_delete(active, -missing):
            self.cluster.delete(PODS, record.namespace, record.name)
            self.cluster.recorder.event(
                rs, "Normal", "SuccessfulDelete", f"Deleted pod: {record.name}", "replicaset-controller"
            )
        return None

    def _create(self, rs: Obj, count: int, missing: int) -> ApiError | None:
        revision = f"{rs['metadata']['generation']}"
        for _ in range(count):
            try:
                pod = self.maker.make(rs, rs["spec"]["template"], revision)
            except ApiError as error:
                message = f"Error creating: {error}"
                self.cluster.recorder.event(rs, "Warning", "FailedCreate", message, "replicaset-controller")
                self.all.queue.after(1.0, self.sync, (rs["metadata"]["namespace"], rs["metadata"]["name"]))
                return error
            message = f"Created pod: {pod['metadata']['name']}"
            self.cluster.recorder.event(rs, "Normal", "SuccessfulCreate", message, "replicaset-controller")
        if missing > count:
            self.all.queue.add(self.sync, (rs["metadata"]["namespace"], rs["metadata"]["name"]))
        return None

    def _status(self, rs: Obj, pods: list[Record], failure: ApiError | None) -> None:
        now, minimum = time.time(), rs["spec"].get("minReadySeconds", 0)
        active = [record for record in pods if not record.deleting]
        labels = (rs["spec"]["template"].get("metadata") or {}).get("labels", {})
        ready = [record for record in active if record.pod.ready]
        available = sum(record.pod.available(minimum, now) for record in ready)
        status: Obj = {"replicas": len(active)}
        full = sum(labels.items() <= record.labels.items() for record in active)
        counts = (("fullyLabeledReplicas", full), ("readyReplicas", len(ready)), ("availableReplicas", available))
        status |= {name: count for name, count in counts if count}
        status["terminatingReplicas"] = len(pods) - len(active)
        status["observedGeneration"] = rs["metadata"]["generation"]
        conditions = [c for c in rs.get("status", {}).get("conditions", ()) if c["type"] != "ReplicaFailure"]
        if failure:
            set_condition(conditions, "ReplicaFailure", "True", "FailedCreate", str(failure))
        if conditions:
            status["conditions"] = conditions
        if status != rs.get("status"):
            self.cluster.set_status(RS, rs["metadata"]["namespace"], rs["metadata"]["name"], status)
        if minimum and available < len(ready):
            soonest = min(r.pod.ready_since + minimum - now for r in ready if not r.pod.available(minimum, now))
            self.all.queue.after(max(soonest, 0.05), self.sync, (rs["metadata"]["namespace"], rs["metadata"]["name"]))


def _to_delete(active: list[Record], count: int) -> list[Record]:
    """The pods that go first (``ActivePodsWithRanks``)."""
    if count <= 0:
        return []
    if count >= len(active):
        return active
    per_node: dict[str, int] = {}
    for record in active:
        per_node[record.pod.node] = per_node.get(record.pod.node, 0) + 1
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}

    def rank(record: Record) -> tuple[Any, ...]:
        pod = record.pod
        cost = 0
        if b"controller.kubernetes.io/pod-deletion-cost" in record.raw:
            notes = record.load()["metadata"].get("annotations") or {}
            cost = int(value(notes.get("controller.kubernetes.io/pod-deletion-cost", "0")))
        return (
            bool(pod.node),
            phases.get(pod.phase, 2),
            pod.ready,
            cost,
            -per_node[pod.node],
            -pod.ready_since,
            -pod.created,
            record.name,
        )

    return sorted(active, key=rank)[:count]
