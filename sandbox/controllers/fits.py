"""Whether a pod fits a node, and why not: the scheduler's filters in their own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS
from sandbox.controllers.nodeinfo import NodeInfo, PodNeeds, Port
from sandbox.store.records import Record
from sandbox.store.selectors import label_selector

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
UNSCHEDULABLE = "node(s) were unschedulable"
TAINTS = "node(s) had untolerated taint(s)"
AFFINITY = "node(s) didn't match Pod's node affinity/selector"
PORTS = "node(s) didn't have free ports for the requested pod ports"
POD_AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
SPREAD = "node(s) didn't match pod topology spread constraints"
# With these a node could be freed by preempting; the other reasons stay whatever goes.
_PREEMPTIBLE = ("Insufficient", "Too many pods", PORTS, ANTI_AFFINITY, EXISTING, SPREAD)


def may_preempt(reasons: list[str]) -> bool:
    """Whether preemption could help on a node with these reasons."""
    return all(reason.startswith(_PREEMPTIBLE) for reason in reasons)


def could_hold(info: NodeInfo, needs: PodNeeds) -> bool:
    """Whether the node would have room if it were empty."""
    return all(amount <= info.allocatable.get(name, 0) for name, amount in needs.amounts.items())


def tolerates(tolerations: list[Obj], taint: Obj) -> bool:
    """Whether any toleration covers the taint."""
    for one in tolerations:
        if one.get("effect") and one["effect"] != taint["effect"]:
            continue
        if one.get("key") and one["key"] != taint["key"]:
            continue
        if one.get("operator", "Equal") == "Exists" or (
            one.get("key") and one.get("value", "") == taint.get("value", "")
        ):
            return True
    return False


def _expression(rule: Obj, labels: dict[str, str]) -> bool:
    key, operator, values = rule["key"], rule["operator"], rule.get("values") or []
    if operator == "In":
        return labels.get(key) in values if key in labels else False
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    try:
        number, bound = int(labels[key]), int(values[0])
    except (KeyError, ValueError, IndexError):
        return False
    return number > bound if operator == "Gt" else number < bound


def node_affinity(pod: Obj, name: str, labels: dict[str, str]) -> bool:
    """``nodeSelector`` and required node affinity."""
    spec = pod["spec"]
    if any(labels.get(key) != wanted for key, wanted in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    for term in required.get("nodeSelectorTerms") or ():
        by_label = all(_expression(rule, labels) for rule in term.get("matchExpressions") or ())
        by_field = all(_expression(rule, {"metadata.name": name}) for rule in term.get("matchFields") or ())
        if by_label and by_field and (term.get("matchExpressions") or term.get("matchFields")):
            return True
    return False


def volumes(cluster: Cluster, pod: Obj) -> str:
    """Why the pod's claims keep it from any node; empty where they don't."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if not name:
            continue
        claim = cluster.get("/persistentvolumeclaims", namespace, name)
        count = cluster.store.count("/nodes")
        tail = f"preemption: 0/{count} nodes are available: {count} Preemption is not helpful for scheduling."
        if claim is None:
            return f'0/{count} nodes are available: persistentvolumeclaim "{name}" not found. {tail}'
        if claim["metadata"].get("deletionTimestamp"):
            return f'0/{count} nodes are available: persistentvolumeclaim "{name}" is being deleted. {tail}'
        if claim.get("status", {}).get("phase") == "Bound" or _waits(cluster, claim):
            continue
        return f"0/{count} nodes are available: pod has unbound immediate PersistentVolumeClaims. {tail}"
    return ""


def _waits(cluster: Cluster, claim: Obj) -> bool:
    found = cluster.get("storage.k8s.io/storageclasses", "", claim["spec"].get("storageClassName", ""))
    return bool(found and found.get("volumeBindingMode") == "WaitForFirstConsumer")


_ANY = "0.0.0.0"  # noqa: S104 - an address of a pod, not of ours


def _collide(one: Port, other: Port) -> bool:
    """Whether two host ports cannot be had together."""
    return one[1:] == other[1:] and (_ANY in (one[0], other[0]) or one[0] == other[0])


class Context:
    """One pod's search: what doesn't depend on the node is worked out once."""

    def __init__(self, cluster: Cluster, pod: Obj, nodes: dict[str, NodeInfo]) -> None:
        self.cluster = cluster
        self.pod = pod
        self.nodes = nodes
        self.tolerations: list[Obj] = pod["spec"].get("tolerations") or []
        self.labels: dict[str, str] = pod["metadata"].get("labels") or {}
        self.bound_zone = self._bound_volumes()
        affinity = pod["spec"].get("affinity") or {}
        key = "requiredDuringSchedulingIgnoredDuringExecution"
        self.together = (affinity.get("podAffinity") or {}).get(key) or []
        self.apart = (affinity.get("podAntiAffinity") or {}).get(key) or []
        self.spread = [
            c
            for c in pod["spec"].get("topologySpreadConstraints") or ()
            if c.get("whenUnsatisfiable") == "DoNotSchedule"
        ]
        self._domains: dict[int, dict[str, int]] = {}

    def _bound_volumes(self) -> list[Obj]:
        found = []
        for volume in self.pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            claim = (
                self.cluster.get("/persistentvolumeclaims", self.pod["metadata"]["namespace"], name) if name else None
            )
            if claim and claim["spec"].get("volumeName"):
                volume_obj = self.cluster.get("/persistentvolumes", "", claim["spec"]["volumeName"])
                required = ((volume_obj or {}).get("spec", {}).get("nodeAffinity") or {}).get("required")
                if required:
                    found.append(required)
        return found

    def reasons(self, info: NodeInfo, needs: PodNeeds) -> list[str]:  # noqa: PLR0912 - the filters in their order
        """Why the pod does not fit this node; the first filter that refuses speaks."""
        if info.unschedulable and not tolerates(
            self.tolerations, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        ):
            return [UNSCHEDULABLE]
        for taint in info.taints:
            if not tolerates(self.tolerations, taint):
                return [TAINTS]
        if not node_affinity(self.pod, info.name, info.labels):
            return [AFFINITY]
        for port in needs.ports:
            if any(_collide(port, used) for used in info.ports):
                return [PORTS]
        short = [] if info.pods + 1 <= info.allocatable.get("pods", 0) else ["Too many pods"]
        short += [f"Insufficient {name}" for name, amount in needs.amounts.items() if amount > info.free(name) + 1e-9]
        if short:
            return short
        for required in self.bound_zone:
            wrapped = {
                "spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}
            }
            if not node_affinity(wrapped, info.name, info.labels):
                return ["node(s) didn't match PersistentVolume's node affinity"]
        return self._spread(info) or self._affinity(info)

    def _count(self, index: int, key: str, matches: Callable[[Record], bool]) -> dict[str, int]:
        """Pods that match, by the value of a topology label."""
        known = self._domains.get(index)
        if known is None:
            known = self._domains[index] = {}
            for record in self.cluster.store.all(PODS):
                info = self.nodes.get(record.pod.node)
                if info is None or record.pod.finished or key not in info.labels or not matches(record):
                    continue
                known[info.labels[key]] = known.get(info.labels[key], 0) + 1
        return known

    def _matcher(self, term: Obj) -> Callable[[Record], bool]:
        selects = label_selector(term.get("labelSelector"))
        spaces = set(term.get("namespaces") or [self.pod["metadata"]["namespace"]])
        anywhere = term.get("namespaceSelector") == {}
        return lambda record: (anywhere or record.namespace in spaces) and selects(record.labels)

    def _affinity(self, info: NodeInfo) -> list[str]:
        for index, term in enumerate(self.together):
            key = term["topologyKey"]
            found = self._count(index, key, self._matcher(term))
            first = not found and label_selector(term.get("labelSelector"))(self.labels)
            if key not in info.labels or not (first or found.get(info.labels[key])):
                return [POD_AFFINITY]
        for index, term in enumerate(self.apart):
            key = term["topologyKey"]
            if key in info.labels and self._count(100 + index, key, self._matcher(term)).get(info.labels[key]):
                return [ANTI_AFFINITY]
        return []

    def _spread(self, info: NodeInfo) -> list[str]:
        for index, rule in enumerate(self.spread):
            key = rule["topologyKey"]
            if key not in info.labels:
                return [f"{SPREAD} (missing required label)"]
            found = self._count(200 + index, key, self._matcher(rule))
            domains = {node.labels[key] for node in self.nodes.values() if key in node.labels}
            lowest = min((found.get(domain, 0) for domain in domains), default=0)
            if found.get(info.labels[key], 0) + 1 - lowest > rule.get("maxSkew", 1):
                return [SPREAD]
        return []

    def score(self, info: NodeInfo, needs: PodNeeds) -> float:
        """Least allocated first, fewer pods among equals."""
        total = 0.0
        for name in ("cpu", "memory"):
            have = info.allocatable.get(name, 0)
            if have:
                total += (info.free(name) - needs.amounts.get(name, 0)) / have
        return total - info.pods / max(info.allocatable.get("pods", 110), 1)
