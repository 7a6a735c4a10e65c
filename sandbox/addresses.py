"""Addresses that the cluster hands out: services, load balancers, node ports, pods."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from sandbox.errors import invalid, wrong

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

SERVICES = ipaddress.IPv4Network("10.96.0.0/16")
BALANCERS = ipaddress.IPv4Network("198.18.0.0/16")  # RFC 2544: never routed
_PORTS = range(30000, 32768)


class Addresses:
    """What is taken is read from the services, so nothing else has to be remembered."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._next = {"service": 10, "balancer": 1, "port": 0}

    def _specs(self) -> list[dict[str, Any]]:
        return [record.load() for record in self._cluster.store.all("/services")]

    def _free(self, kind: str, network: ipaddress.IPv4Network, taken: set[str]) -> str:
        for _ in range(network.num_addresses):
            self._next[kind] = self._next[kind] % (network.num_addresses - 2) + 1
            address = str(network[self._next[kind]])
            if address not in taken:
                return address
        raise RuntimeError(f"no free address in {network}")

    def fill(self, service: dict[str, Any]) -> None:
        """Give a new or changed service what its type has.

        :raises ApiError: the cluster IP that it asks for is taken or out of range
        """
        spec = service["spec"]
        if spec["type"] == "ExternalName":
            return
        wanted = spec.get("clusterIP", "")
        others = [other for other in self._specs() if other["metadata"]["uid"] != service["metadata"].get("uid")]
        taken = {other["spec"].get("clusterIP", "") for other in others}
        if not wanted:
            spec["clusterIP"] = self._free("service", SERVICES, taken)
        elif wanted != "None":
            self._check(service, wanted, taken)
        spec["clusterIPs"] = [spec["clusterIP"]]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        if spec["type"] in ("NodePort", "LoadBalancer") and spec.get("allocateLoadBalancerNodePorts", True):
            self._node_ports(service, others)

    def _check(self, service: dict[str, Any], wanted: str, taken: set[str]) -> None:
        detail = ""
        try:
            if ipaddress.ip_address(wanted) not in SERVICES:
                detail = f"failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the valid range. "
                detail += f"The range of valid IPs is {SERVICES}"
        except ValueError:
            detail = "must be empty, 'None', or a valid IP address"
        if wanted in taken:
            detail = f"failed to allocate IP {wanted}: provided IP is already allocated"
        if detail:
            resource = self._cluster.catalogue.get("services")
            cause = wrong("spec.clusterIPs", [wanted], detail)
            raise invalid(resource, service["metadata"]["name"], [cause])

    def _node_ports(self, service: dict[str, Any], others: list[dict[str, Any]]) -> None:
        used = {port.get("nodePort") for other in others for port in other["spec"].get("ports", ())}
        for port in service["spec"].get("ports", ()):
            if port.get("nodePort"):
                if port["nodePort"] in used:
                    resource = self._cluster.catalogue.get("services")
                    cause = wrong("spec.ports[0].nodePort", port["nodePort"], "provided port is already allocated")
                    raise invalid(resource, service["metadata"]["name"], [cause])
                continue
            while True:
                self._next["port"] = (self._next["port"] + 7919) % len(_PORTS)
                if _PORTS[self._next["port"]] not in used:
                    break
            port["nodePort"] = _PORTS[self._next["port"]]
            used.add(port["nodePort"])

    def keep(self, new: dict[str, Any], old: dict[str, Any]) -> None:
        """Carry over what an update leaves out (``patchAllocatedValues``)."""
        before, after = old["spec"], new["spec"]
        if after["type"] == "ExternalName":
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                after.pop(key, None)
            return
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not after.get(key) and before.get(key):
                after[key] = before[key]
        _keep_ports(after, before)
        if after.get("clusterIP") == before.get("clusterIP") or not before.get("clusterIP"):
            self.fill(new)

    def balancer(self) -> str:
        """A free address for a service of type LoadBalancer."""
        taken = {
            entry.get("ip", "")
            for other in self._specs()
            for entry in other.get("status", {}).get("loadBalancer", {}).get("ingress", ())
        }
        return self._free("balancer", BALANCERS, taken)


def _keep_ports(after: dict[str, Any], before: dict[str, Any]) -> None:
    """Node ports stay with their port, and go with the type that has them."""
    known = {(p.get("protocol"), p.get("port")): p["nodePort"] for p in before.get("ports", ()) if p.get("nodePort")}
    for port in after.get("ports", ()):
        if after["type"] not in ("NodePort", "LoadBalancer"):
            port.pop("nodePort", None)
        elif not port.get("nodePort") and (port.get("protocol"), port.get("port")) in known:
            port["nodePort"] = known[port.get("protocol"), port.get("port")]
