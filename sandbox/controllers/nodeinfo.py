"""What a node has and what its pods take, kept up to date as they come and go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.objects.quantity import value

Obj = dict[str, Any]
Port = tuple[str, str, int]


@dataclass
class PodNeeds:
    """What a pod takes of its node."""

    amounts: dict[str, float]
    ports: list[Port]


def needs_of(pod: Obj) -> PodNeeds:
    """Requests as the scheduler adds them up: containers and sidecars together, other init containers one by one."""
    spec = pod["spec"]
    total: dict[str, float] = {}
    ports: list[Port] = []
    for container in spec.get("containers", ()):
        _add(total, container)
        for port in container.get("ports", ()):
            if port.get("hostPort"):
                ports.append((port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), port["hostPort"]))  # noqa: S104 - an address of a pod, not of ours
    highest: dict[str, float] = {}
    sidecars: dict[str, float] = {}
    for container in spec.get("initContainers", ()):
        if container.get("restartPolicy") == "Always":
            _add(total, container)
            _add(sidecars, container)
            continue
        one = dict(sidecars)
        _add(one, container)
        highest = {name: max(highest.get(name, 0), one.get(name, 0)) for name in highest | one}
    for name, amount in highest.items():
        total[name] = max(total.get(name, 0), amount)
    for name, amount in (spec.get("overhead") or {}).items():
        total[name] = total.get(name, 0) + value(amount)
    return PodNeeds(total, ports)


def _add(total: dict[str, float], container: Obj) -> None:
    for name, amount in container.get("resources", {}).get("requests", {}).items():
        total[name] = total.get(name, 0) + value(amount)


@dataclass
class NodeInfo:
    """One node as the scheduler sees it."""

    name: str
    allocatable: dict[str, float] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)
    ports: dict[Port, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[Obj] = field(default_factory=list)
    unschedulable: bool = False
    pods: int = 0

    def read(self, node: Obj) -> bool:
        """Take in the node's present state; whether anything changed that matters."""
        before = (self.allocatable, self.labels, self.taints, self.unschedulable)
        self.allocatable = {name: value(text) for name, text in node.get("status", {}).get("allocatable", {}).items()}
        self.labels = node["metadata"].get("labels") or {}
        spec = node.get("spec") or {}
        self.taints = [taint for taint in spec.get("taints") or () if taint["effect"] in ("NoSchedule", "NoExecute")]
        self.unschedulable = bool(spec.get("unschedulable"))
        return before != (self.allocatable, self.labels, self.taints, self.unschedulable)

    def take(self, needs: PodNeeds) -> None:
        """A pod moves in."""
        self.pods += 1
        for name, amount in needs.amounts.items():
            self.used[name] = self.used.get(name, 0) + amount
        for port in needs.ports:
            self.ports[port] = self.ports.get(port, 0) + 1

    def give_back(self, needs: PodNeeds) -> None:
        """A pod moves out."""
        self.pods -= 1
        for name, amount in needs.amounts.items():
            self.used[name] = self.used.get(name, 0) - amount
        for port in needs.ports:
            self.ports[port] = self.ports.get(port, 1) - 1
            if self.ports[port] <= 0:
                del self.ports[port]

    def free(self, name: str) -> float:
        """How much of a resource is left."""
        return self.allocatable.get(name, 0) - self.used.get(name, 0)
