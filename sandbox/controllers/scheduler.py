"""The scheduler: filters with their reasons, then the emptiest of some nodes (``pkg/scheduler``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers import fits
from sandbox.controllers.common import PODS, set_condition
from sandbox.controllers.nodeinfo import NodeInfo, PodNeeds, needs_of
from sandbox.store.records import Event
from sandbox.writes import How

if TYPE_CHECKING:
    from sandbox.cluster import Cluster
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
ENOUGH = 12  # feasible nodes after which the search stops, as percentageOfNodesToScore does
RETRY = 30.0


def bind(cluster: Cluster, namespace: str, name: str, node: str) -> None:
    """Put a pod on a node."""

    def edit(pod: Obj) -> None:
        pod["spec"]["nodeName"] = node
        conditions = pod.setdefault("status", {}).setdefault("conditions", [])
        set_condition(conditions, "PodScheduled", "True")
        conditions[-1] |= {"lastProbeTime": None, "observedGeneration": pod["metadata"].get("generation", 1)}

    cluster.writer.change(
        cluster.known(PODS), namespace, name, edit, How("kube-scheduler", "all", trusted=True, manage=False)
    )


class Scheduler:
    """Knows what is free on each node, and finds places."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.nodes: dict[str, NodeInfo] = {}
        self._needs: dict[str, tuple[str, PodNeeds]] = {}
        self.waiting: dict[tuple[str, str], None] = {}
        self._start = 0

    def on_node(self, event: Event) -> None:
        """A node came, changed or went."""
        name = event.record.name
        if event.type == "DELETED":
            self.nodes.pop(name, None)
            return
        info = self.nodes.get(name)
        if info is None:
            info = self.nodes[name] = NodeInfo(name)
            for node, needs in self._needs.values():
                if node == name:
                    info.take(needs)
        if info.read(event.record.load()):
            self.retry()

    def on_pod(self, event: Event) -> None:
        """A pod came, was placed, changed or went."""
        record = event.record
        gone = event.type == "DELETED" or record.pod.finished
        known = self._needs.get(record.uid)
        if record.pod.node and not gone:
            if known is None or (event.type == "MODIFIED" and b'"resize"' in record.raw):
                self._release(record.uid)
                self._take(record.uid, record.pod.node, needs_of(record.load()))
            return
        if known is not None and gone:
            self._release(record.uid)
            self.retry()
        if not record.pod.node and not gone and not record.deleting:
            self.all.queue.add(self.sync, record.key)

    def retake(self, uid: str, pod: Obj) -> None:
        """A pod's requests changed in place."""
        self._release(uid)
        self._take(uid, pod["spec"]["nodeName"], needs_of(pod))

    def _take(self, uid: str, node: str, needs: PodNeeds) -> None:
        self._needs[uid] = (node, needs)
        if node in self.nodes:
            self.nodes[node].take(needs)

    def _release(self, uid: str) -> None:
        known = self._needs.pop(uid, None)
        if known and known[0] in self.nodes:
            self.nodes[known[0]].give_back(known[1])

    def retry(self) -> None:
        """Something became free: look again at those who wait."""
        waiting, self.waiting = self.waiting, {}
        for key in waiting:
            self.all.queue.after(0.2, self.sync, key)

    def sync(self, key: tuple[str, str]) -> None:
        """Find a place for one pod."""
        record = self.cluster.store.find(PODS, *key)
        if record is None or record.pod.node or record.deleting or record.pod.finished:
            return
        pod = record.load()
        if pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler":
            return
        if pod["spec"].get("schedulingGates"):
            self._gated(pod)
            return
        trouble = fits.volumes(self.cluster, pod)
        needs = needs_of(pod)
        chosen, message = (None, trouble) if trouble else self._search(pod, needs)
        if chosen is None:
            self._refuse(pod, message)
            return
        self.all.volumes.place(pod, chosen.name)
        self._take(record.uid, chosen.name, needs)
        bind(self.cluster, key[0], key[1], chosen.name)
        message = f"Successfully assigned {key[0]}/{key[1]} to {chosen.name}"
        self.cluster.recorder.event(pod, "Normal", "Scheduled", message, "default-scheduler", action="Binding")

    def _search(self, pod: Obj, needs: PodNeeds) -> tuple[NodeInfo | None, str]:
        """The best of the first nodes that fit, or why none does."""
        names = list(self.nodes)
        context = fits.Context(self.cluster, pod, self.nodes)
        reasons: dict[str, int] = {}
        resolvable = 0
        feasible: list[NodeInfo] = []
        for offset in range(len(names)):
            info = self.nodes[names[(self._start + offset) % len(names)]]
            why = context.reasons(info, needs)
            if not why:
                feasible.append(info)
                if len(feasible) >= ENOUGH:
                    break
                continue
            resolvable += fits.may_preempt(why) and fits.could_hold(info, needs)
            for reason in why:
                reasons[reason] = reasons.get(reason, 0) + 1
        self._start = (self._start + 1) % max(len(names), 1)
        if feasible:
            return max(feasible, key=lambda info: context.score(info, needs)), ""
        return None, _message(len(names), reasons, resolvable)

    def _refuse(self, pod: Obj, message: str) -> None:
        meta = pod["metadata"]
        key = (meta["namespace"], meta["name"])
        self.waiting[key] = None
        self.all.queue.after(RETRY, self.sync, key)
        self._condition(pod, "Unschedulable", message)
        self.cluster.recorder.event(
            pod, "Warning", "FailedScheduling", message, "default-scheduler", action="Scheduling"
        )

    def _gated(self, pod: Obj) -> None:
        self._condition(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")

    def _condition(self, pod: Obj, reason: str, message: str) -> None:
        meta = pod["metadata"]

        def edit(obj: Obj) -> None:
            conditions = obj.setdefault("status", {}).setdefault("conditions", [])
            there = next((c for c in conditions if c["type"] == "PodScheduled"), None)
            if not there or (there.get("reason"), there.get("message")) != (reason, message):
                set_condition(conditions, "PodScheduled", "False", reason, message)
                conditions[-1] |= {"lastProbeTime": None, "observedGeneration": obj["metadata"].get("generation", 1)}

        how = How("kube-scheduler", "status", trusted=True)
        self.cluster.writer.change(self.cluster.known(PODS), meta["namespace"], meta["name"], edit, how)


def _message(count: int, reasons: dict[str, int], resolvable: int) -> str:
    """``FitError.Error``: the reasons counted and sorted as text, then what preemption says."""
    if not count:
        return "no nodes available to schedule pods"
    text = f"0/{count} nodes are available:"
    if reasons:
        text += " " + ", ".join(sorted(f"{number} {reason}" for reason, number in reasons.items())) + "."
    tail = []
    if resolvable:
        tail.append(f"{resolvable} No preemption victims found for incoming pod")
    if count - resolvable:
        tail.append(f"{count - resolvable} Preemption is not helpful for scheduling")
    return text + f" preemption: 0/{count} nodes are available: " + ", ".join(sorted(tail)) + "."
