"""The kubelets of all nodes: from a bound pod to a ready one, and to its end.

After the Kubernetes docs' "Pod Lifecycle"; the waits are short and scaled by the speed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS
from sandbox.kubelet import running, starting, status
from sandbox.kubelet.addresses import PodAddresses
from sandbox.kubelet.behaviour import Fault, Run, fault_of
from sandbox.store.records import Event, Record

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
Step = Callable[["Kubelet", Obj, "State"], "float | None"]
STEPS: dict[str, Step] = {
    "admit": starting.admit,
    "mount": starting.mount,
    "pull": starting.pull,
    "config": starting.config,
    "init": starting.init,
    "start": running.start,
    "ready": running.ready,
    "running": running.ended,
    "crash": running.crashed,
    "backoff": running.backed_off,
    "restart": running.restart,
}


@dataclass
class State:
    """What a kubelet remembers of a pod besides its status."""

    uid: str
    step: str = "admit"
    fault: Fault = field(default_factory=Fault)
    tries: int = 0
    init_done: int = 0
    runs: dict[str, Run] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)  # containers whose image was just pulled


class Kubelet:
    """Runs the pods of every node of the sandbox."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.states: dict[str, State] = {}
        self.pulled: dict[str, set[str]] = {}
        self.ips = PodAddresses()

    def on_pod(self, event: Event) -> None:
        """A pod was bound here, is to go, or went."""
        record = event.record
        if event.type == "DELETED":
            self.states.pop(record.uid, None)
            self.ips.release(record.uid)
            return
        node = record.pod.node
        if not node or node in self.cluster.down_nodes or not self.cluster.store.find("/nodes", "", node):
            return
        if record.deleting:
            if event.previous is None or not event.previous.deleting:
                self._stop(record)
            return
        if record.uid not in self.states and not record.pod.finished:
            self.states[record.uid] = State(record.uid)
            self.all.queue.after(self.cluster.delay(0.02, 0.1), self.sync, (record.key, record.uid))

    def wake(self, record: Record) -> None:
        """After a restart, or when the node is back: go on with a pod where it was."""
        if not record.pod.node or record.pod.finished:
            return
        if record.deleting:
            self._stop(record)
            return
        pod = record.load()
        state = self.states.setdefault(record.uid, State(record.uid))
        state.fault = fault_of(pod)
        self.ips.keep(record.uid, pod.get("status", {}).get("podIP"))
        if record.pod.phase == "Running":
            state.step = "running"
            if not record.pod.ready and state.fault.kind in ("", "slow-start", "unready"):
                state.step = "ready"
        self.all.queue.after(self.cluster.delay(0.05, 0.3), self.sync, (record.key, record.uid))

    def sync(self, item: tuple[tuple[str, str], str]) -> None:
        """Take a pod one step further."""
        key, uid = item
        record, state = self.cluster.store.find(PODS, *key), self.states.get(uid)
        if record is None or state is None or record.uid != uid or record.deleting or record.pod.finished:
            return
        if record.pod.node in self.cluster.down_nodes:
            return
        pod = record.load()
        wait = STEPS[state.step](self, pod, state)
        if wait is not None:
            self.all.queue.after(wait, self.sync, item)

    def write(self, pod: Obj) -> None:
        """Store a pod's new status."""
        status.own(pod)
        self.cluster.store.write(PODS, pod)

    def say(
        self, pod: Obj, kind: str, reason: str, message: str, container: Obj | None = None, init: bool = False
    ) -> None:
        """Record an event of this pod."""
        part = "initContainers" if init else "containers"
        field_path = f"spec.{part}{{{container['name']}}}" if container else ""
        self.cluster.recorder.event(
            pod, kind, reason, message, "kubelet", host=pod["spec"]["nodeName"], field=field_path
        )

    def overdue(self, item: tuple[tuple[str, str], str]) -> None:
        """A pod ran past its ``activeDeadlineSeconds``."""
        key, uid = item
        record = self.cluster.store.find(PODS, *key)
        if record is None or record.uid != uid or record.pod.finished or record.deleting:
            return
        pod = record.load()
        status.ended(pod, {c["name"]: 137 for c in pod["spec"]["containers"]}, "Failed")
        pod["status"] |= {
            "reason": "DeadlineExceeded",
            "message": "Pod was active on the node longer than the specified deadline",
        }
        self.write(pod)

    def _stop(self, record: Record) -> None:
        """Stop the containers of a pod that is to go."""
        pod = record.load()
        for container in pod["spec"]["containers"]:
            self.say(pod, "Normal", "Killing", f"Stopping container {container['name']}", container)
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
        wait = min(self.cluster.delay(0.1, 0.5), grace) if record.pod.phase == "Running" else 0.02
        self.all.queue.after(wait, self.finish, (record.key, record.uid))

    def finish(self, item: tuple[tuple[str, str], str]) -> None:
        """The containers are gone: take the pod out, unless a finalizer holds it."""
        key, uid = item
        record = self.cluster.store.find(PODS, *key)
        if record is None or record.uid != uid or record.pod.node in self.cluster.down_nodes:
            return
        pod = record.load()
        if pod["metadata"].get("finalizers"):
            if not record.pod.finished:
                status.ended(pod, {c["name"]: 0 for c in pod["spec"]["containers"]}, "Succeeded")
                pod["metadata"]["deletionGracePeriodSeconds"] = 0
                self.write(pod)
            return
        self.cluster.delete(PODS, *key, gracePeriodSeconds=0)
