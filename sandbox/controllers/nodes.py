"""Nodes: what the sandbox's own look like, and what happens when one goes down (docs: "Nodes")."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox import times
from sandbox.controllers.common import PODS, set_condition
from sandbox.controllers.fits import tolerates
from sandbox.times import seconds_of

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
NODES = "/nodes"
MARK = "sandbox.antstack.io/node"
UNREACHABLE = "node.kubernetes.io/unreachable"
HEARTBEAT = 300.0
EVICT_AFTER = 300.0
_HEALTHY = [
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
]


def capacity(cpu: int = 16, memory_gi: int = 64, pods: int = 250) -> Obj:
    """What a node has in all."""
    return {
        "cpu": str(cpu),
        "ephemeral-storage": "209715200Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": f"{memory_gi * 1024 * 1024}Ki",
        "pods": str(pods),
    }


def new_node(index: int, version: str) -> Obj:
    """A node of the sandbox: ``node-1`` and so on, in three zones."""
    name, now = f"node-{index}", times.now()
    has = capacity()
    allocatable = {**has, "cpu": "15800m", "memory": f"{63 * 1024 * 1024}Ki", "ephemeral-storage": "193273528320"}
    address = f"172.20.{(index >> 8) & 255}.{index & 255}"
    conditions = [
        {
            "type": kind,
            "status": status,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "reason": reason,
            "message": text,
        }
        for kind, status, reason, text in _HEALTHY
    ]
    info = {
        "architecture": "amd64",
        "bootID": f"5a9d0f10-0000-4000-8000-{index:012x}",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": "6.12.0-sandbox",
        "kubeProxyVersion": "",
        "kubeletVersion": version,
        "machineID": f"{index:032x}",
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "systemUUID": f"00000000-0000-4000-8000-{index:012x}",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": "sandbox",
                "topology.kubernetes.io/zone": f"zone-{'abc'[(index - 1) % 3]}",
            },
            "annotations": {MARK: "true", "node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {"podCIDR": pod_cidr(index), "podCIDRs": [pod_cidr(index)], "providerID": f"sandbox://{name}"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "allocatable": allocatable,
            "capacity": has,
            "conditions": conditions,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "images": [],
            "nodeInfo": info,
        },
    }


def pod_cidr(index: int) -> str:
    """The addresses of a node's pods."""
    return f"10.{128 + (index >> 8)}.{index & 255}.0/24"


class Nodes:
    """Heartbeats, nodes that are down, and nodes that somebody else made."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster

    def begin(self, count: int) -> None:
        """Make the sandbox's own nodes that are not there yet."""
        if self.cluster.store.count(NODES) == 0:
            for index in range(1, count + 1):
                self.cluster.create(NODES, "", new_node(index, self.cluster.options.version), "kubelet")

    def heartbeat(self, _key: str) -> None:
        """Say that the nodes live, seldom: the leases would, on a real cluster."""
        for record in list(self.cluster.store.all(NODES)):
            if record.name not in self.cluster.down_nodes:
                self._beat(record.name)
        self.all.queue.after(HEARTBEAT, self.heartbeat, "")

    def _beat(self, name: str) -> None:
        def write(node: Obj) -> None:
            for condition in node.get("status", {}).get("conditions", ()):
                condition["lastHeartbeatTime"] = times.now()

        self.cluster.edit(NODES, "", name, write, "kubelet")

    def joined(self, name: str) -> None:
        """A node that somebody else created gets what a kubelet would report."""
        node = self.cluster.get(NODES, "", name)
        if node is None or node.get("status", {}).get("conditions"):
            return
        model = new_node(self.cluster.store.count(NODES) + 1, self.cluster.options.version)

        def write(obj: Obj) -> None:
            status = {**model["status"], **(obj.get("status") or {})}
            status["addresses"] = [*model["status"]["addresses"][:1], {"type": "Hostname", "address": name}]
            obj["status"] = status
            obj["metadata"]["labels"] = {
                **model["metadata"]["labels"],
                **(obj["metadata"].get("labels") or {}),
                "kubernetes.io/hostname": name,
            }

        self.cluster.edit(NODES, "", name, write, "kubelet")

    def down(self, name: str) -> None:
        """The node stops answering: unknown, tainted, its pods not ready."""
        self.cluster.down_nodes.add(name)

        def write(node: Obj) -> None:
            for condition in node["status"]["conditions"]:
                kind = condition["type"]
                set_condition(
                    node["status"]["conditions"],
                    kind,
                    "Unknown",
                    "NodeStatusUnknown",
                    "Kubelet stopped posting node status.",
                )
            now = times.now()
            taints = node.setdefault("spec", {}).setdefault("taints", [])
            taints.append({"key": UNREACHABLE, "effect": "NoSchedule", "timeAdded": now})
            taints.append({"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": now})

        node = self.cluster.edit(NODES, "", name, write, "kube-controller-manager")
        if node is None:
            return
        self.cluster.recorder.event(
            node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady", "node-controller"
        )
        for record in list(self.cluster.store.all(PODS)):
            if record.pod.node == name and record.pod.phase == "Running":
                self._pod_ready(record.key, "False")
        self.all.queue.after(EVICT_AFTER / self.cluster.options.speed, self.evict, name)

    def evict(self, name: str) -> None:
        """Pods that don't tolerate the taint for ever are deleted; they go when the node is back."""
        if name not in self.cluster.down_nodes:
            return
        for record in list(self.cluster.store.all(PODS)):
            if record.pod.node != name or record.deleting:
                continue
            tolerations = record.load()["spec"].get("tolerations") or ()
            stays = any(t.get("key") in (UNREACHABLE, None) and "tolerationSeconds" not in t for t in tolerations)
            if not stays:
                self.cluster.delete(PODS, record.namespace, record.name)

    def gone(self, name: str) -> None:
        """The pods of a node that was deleted go too (``pkg/controller/podgc``)."""
        if self.cluster.store.find(NODES, "", name):
            return
        for record in list(self.cluster.store.all(PODS)):
            if record.pod.node == name:
                self.cluster.delete(PODS, record.namespace, record.name, gracePeriodSeconds=0)

    def expel(self, name: str) -> None:
        """Pods that don't tolerate a ``NoExecute`` taint leave, at once or after a while
        (``pkg/controller/tainteviction``).
        """
        node = self.cluster.get(NODES, "", name)
        taints = [t for t in (node or {}).get("spec", {}).get("taints") or () if t["effect"] == "NoExecute"]
        if name in self.cluster.down_nodes or not taints:
            return
        for record in list(self.cluster.store.all(PODS)):
            if record.pod.node != name or record.deleting:
                continue
            pod = record.load()
            tolerations = pod["spec"].get("tolerations") or []
            kept = [[one for one in tolerations if tolerates([one], taint)] for taint in taints]
            waits = [one["tolerationSeconds"] for rows in kept for one in rows if "tolerationSeconds" in one]
            if all(kept) and not waits:
                continue
            left = min(waits) + seconds_of(taints[0].get("timeAdded")) - time.time() if all(kept) else 0.0
            if left > 0:
                self.all.queue.after(left, self.expel, name)
                continue
            message = f"Marking for deletion Pod {record.namespace}/{record.name}"
            self.cluster.recorder.event(pod, "Normal", "TaintManagerEviction", message, "taint-eviction-controller")
            self.cluster.delete(PODS, record.namespace, record.name)

    def up(self, name: str) -> None:
        """The node answers again."""
        self.cluster.down_nodes.discard(name)

        def write(node: Obj) -> None:
            for kind, status, reason, text in _HEALTHY:
                set_condition(node["status"]["conditions"], kind, status, reason, text)
                for condition in node["status"]["conditions"]:
                    condition.setdefault("lastHeartbeatTime", times.now())
            kept = [taint for taint in node["spec"].get("taints") or () if taint["key"] != UNREACHABLE]
            node["spec"].pop("taints", None)
            if kept:
                node["spec"]["taints"] = kept

        self.cluster.edit(NODES, "", name, write, "kubelet")
        for record in list(self.cluster.store.all(PODS)):
            if record.pod.node == name:
                self.all.kubelet.wake(record)

    def _pod_ready(self, key: tuple[str, str], status: str) -> None:
        def write(pod: Obj) -> None:
            set_condition(pod["status"].setdefault("conditions", []), "Ready", status)

        self.cluster.edit(PODS, *key, write)
