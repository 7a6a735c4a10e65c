"""DaemonSets: one pod on each node that they fit (``pkg/controller/daemon``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.controllers import fits
from sandbox.controllers.common import PODS, PodMaker, own_pods, share
from sandbox.controllers.nodeinfo import NodeInfo
from sandbox.controllers.revisions import DAEMON_HASH, Revisions
from sandbox.errors import ApiError
from sandbox.store.records import Event, Record

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
DS = "apps/daemonsets"
HASH = "controller-revision-hash"
SOURCE = "daemonset-controller"
# What the controller tolerates for its pods (docs: "DaemonSet", taints and tolerations).
_TOLERATED = [
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/pid-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
]


def target_node(pod: Obj) -> str:
    """The node that a DaemonSet's pod is meant for."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    for term in affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", ()):
        for rule in term.get("matchFields", ()):
            return str(rule["values"][0])
    return ""


class DaemonSets:
    """Creates, replaces and deletes pods node by node."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster
        self.maker = PodMaker(self.cluster)
        self.revisions = Revisions(self.cluster)

    def on_node(self, event: Event) -> None:
        """Nodes changed: every DaemonSet looks again."""
        for record in self.cluster.store.all(DS):
            self.all.queue.add(self.sync, record.key)

    def sync(self, key: tuple[str, str]) -> None:
        """Bring one DaemonSet closer to what it asks for."""
        obj = self.cluster.get(DS, *key)
        if obj is None or "deletionTimestamp" in obj["metadata"]:
            return
        update, _ = self.revisions.latest(obj)
        digest = update["metadata"]["labels"][DAEMON_HASH]
        by_node: dict[str, list[Record]] = {}
        for record in own_pods(self.cluster, obj):
            node = record.pod.node or target_node(record.load())
            by_node.setdefault(node, []).append(record)
        wanted = self._nodes(obj)
        self._manage(obj, digest, by_node, wanted)
        if obj["spec"].get("updateStrategy", {}).get("type") != "OnDelete":
            self._roll(obj, digest, by_node, wanted)
        self._status(obj, digest, by_node, wanted)
        used = {
            update["metadata"]["name"],
            *(f"{key[1]}-{r.labels.get(HASH)}" for rows in by_node.values() for r in rows),
        }
        self.revisions.clean(obj, used)

    def _nodes(self, obj: Obj) -> dict[str, NodeInfo]:
        """The nodes that should run one (``NodeShouldRunDaemonPod``)."""
        spec = obj["spec"]["template"]["spec"]
        tolerations = [*(spec.get("tolerations") or ()), *_TOLERATED]
        found = {}
        for name, info in self.all.scheduler.nodes.items():
            if not fits.node_affinity({"spec": spec}, name, info.labels):
                continue
            if all(fits.tolerates(tolerations, taint) for taint in info.taints):
                found[name] = info
        return found

    def _manage(self, obj: Obj, digest: str, by_node: dict[str, list[Record]], wanted: dict[str, NodeInfo]) -> None:  # noqa: PLR0912 - the cases of one node
        for name in wanted:
            rows = by_node.get(name, [])
            for record in rows:
                if record.pod.finished and not record.deleting:
                    self._delete(obj, record)
            living = [record for record in rows if not record.pod.finished and not record.deleting]
            for record in sorted(living, key=lambda record: record.pod.created)[1:]:
                self._delete(obj, record)
            if not rows:
                self._create(obj, digest, name)
        for name, rows in by_node.items():
            if name not in wanted:
                for record in rows:
                    if not record.deleting:
                        self._delete(obj, record)

    def _create(self, obj: Obj, digest: str, node: str) -> None:
        def edit(pod: Obj) -> None:
            pod["metadata"].setdefault("labels", {})[HASH] = digest
            affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
            field = {"key": "metadata.name", "operator": "In", "values": [node]}
            terms = [{"matchFields": [field]}]
            affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
            tolerations = pod["spec"].setdefault("tolerations", [])
            tolerations += [dict(one) for one in _TOLERATED]
            if pod["spec"].get("hostNetwork"):
                tolerations.append(
                    {"key": "node.kubernetes.io/network-unavailable", "operator": "Exists", "effect": "NoSchedule"}
                )

        try:
            pod = self.maker.make(obj, obj["spec"]["template"], digest, edit=edit)
        except ApiError as error:
            self.cluster.recorder.event(obj, "Warning", "FailedCreate", f"Error creating: {error}", SOURCE)
            self.all.queue.after(1.0, self.sync, (obj["metadata"]["namespace"], obj["metadata"]["name"]))
            return
        self.cluster.recorder.event(
            obj, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", SOURCE
        )

    def _delete(self, obj: Obj, record: Record) -> None:
        self.cluster.delete(PODS, record.namespace, record.name)
        self.cluster.recorder.event(obj, "Normal", "SuccessfulDelete", f"Deleted pod: {record.name}", SOURCE)

    def _roll(self, obj: Obj, digest: str, by_node: dict[str, list[Record]], wanted: dict[str, NodeInfo]) -> None:
        """Replace as many stale pods as may be missing; those not available first."""
        now, minimum = time.time(), obj["spec"].get("minReadySeconds", 0)
        rolling = obj["spec"].get("updateStrategy", {}).get("rollingUpdate") or {}
        allowed = share(rolling.get("maxUnavailable", 1), len(wanted), up=True)
        missing, stale = 0, []
        for name in wanted:
            living = [r for r in by_node.get(name, ()) if not r.deleting]
            there = living[0] if living else None
            available = there is not None and there.pod.available(minimum, now)
            missing += not available
            if there is not None and there.labels.get(HASH) != digest:
                stale.append((available, there))
        for available, record in sorted(stale, key=lambda row: (row[0], row[1].name)):
            if available:
                if missing >= allowed:
                    return
                missing += 1
            self._delete(obj, record)

    def _status(self, obj: Obj, digest: str, by_node: dict[str, list[Record]], wanted: dict[str, NodeInfo]) -> None:
        now, minimum = time.time(), obj["spec"].get("minReadySeconds", 0)
        rows = {name: [r for r in by_node.get(name, ()) if self.cluster.store.find(PODS, *r.key)] for name in wanted}
        firsts = [sorted(found, key=lambda r: (r.deleting, r.pod.created))[0] for found in rows.values() if found]
        ready = [record for record in firsts if record.pod.ready and not record.deleting]
        available = sum(record.pod.available(minimum, now) for record in ready)
        misplaced = sum(bool(found) for name, found in by_node.items() if name not in wanted)
        status: Obj = {
            "currentNumberScheduled": len(firsts),
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": len(wanted),
            "numberReady": len(ready),
            "observedGeneration": obj["metadata"]["generation"],
        }
        counts = {
            "updatedNumberScheduled": sum(record.labels.get(HASH) == digest for record in firsts),
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
        }
        status |= {name: count for name, count in counts.items() if count}
        if status != obj.get("status"):
            self.cluster.set_status(DS, obj["metadata"]["namespace"], obj["metadata"]["name"], status)
        if minimum and available < len(ready):
            self.all.queue.after(1.0, self.sync, (obj["metadata"]["namespace"], obj["metadata"]["name"]))
