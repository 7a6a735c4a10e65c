"""Addresses of pods, from the range of their node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]


class PodAddresses:
    """Addresses of pods, from the range of their node."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def give(self, uid: str, pod: Obj, cluster: Cluster) -> str:
        """The pod's address; the node's own with ``hostNetwork``."""
        if pod["spec"].get("hostNetwork"):
            return str(pod["status"].get("hostIP", ""))
        if uid in self._of:
            return self._of[uid]
        node = cluster.get("/nodes", "", pod["spec"]["nodeName"]) or {}
        base = (node.get("spec", {}).get("podCIDR") or "10.254.0.0/24").rpartition(".")[0]
        for _ in range(254):
            number = self._next[base] = self._next.get(base, 1) % 254 + 1
            address = f"{base}.{number}"
            if address not in self._taken:
                break
        self.keep(uid, address)
        return address

    def keep(self, uid: str, address: str | None) -> None:
        """This address is this pod's."""
        if address:
            self._of[uid] = address
            self._taken.add(address)

    def release(self, uid: str) -> None:
        """The pod is gone."""
        self._taken.discard(self._of.pop(uid, ""))
