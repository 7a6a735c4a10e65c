"""Services: addresses of load balancers, Endpoints and EndpointSlices (``pkg/controller/endpoint*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS, owner_reference
from sandbox.objects.admission import suffix
from sandbox.store.records import Record

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
SLICES = "discovery.k8s.io/endpointslices"
SERVICE_NAME = "kubernetes.io/service-name"
PER_SLICE = 100


class Services:
    """Keeps what belongs to each Service."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster

    def sync(self, key: tuple[str, str]) -> None:
        """One Service: its balancer address and its endpoints."""
        service = self.cluster.get("/services", *key)
        if service is None:
            self._gone(key)
            return
        if "deletionTimestamp" in service["metadata"]:
            return
        self._balancer(service)
        selector = service["spec"].get("selector")
        if not selector or service["spec"].get("type") == "ExternalName":
            return
        records = [
            record
            for record in self.cluster.store.all(PODS, key[0])
            if selector.items() <= record.labels.items() and record.pod.node and not record.pod.finished
        ]
        pods = []
        for record in sorted(records, key=lambda record: record.name):
            pod = record.load()
            if pod.get("status", {}).get("podIP"):
                pods.append((record, pod))
        self._endpoints(service, pods)
        self._slices(service, pods)

    def _gone(self, key: tuple[str, str]) -> None:
        self.cluster.delete("/endpoints", *key)

    def _balancer(self, service: Obj) -> None:
        wanted = service["spec"].get("type") == "LoadBalancer" and not service["spec"].get("loadBalancerClass")
        there = service.get("status", {}).get("loadBalancer", {}).get("ingress")
        if bool(there) == wanted:
            return
        meta = service["metadata"]
        ingress = {"ip": self.cluster.addresses.balancer(), "ipMode": "VIP"}
        status = {**service.get("status", {}), "loadBalancer": {"ingress": [ingress]} if wanted else {}}
        if wanted:
            self.cluster.recorder.event(
                service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer", "service-controller"
            )
            self.cluster.recorder.event(
                service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer", "service-controller"
            )
        self.cluster.set_status("/services", meta["namespace"], meta["name"], status, "cloud-controller-manager")

    def _endpoints(self, service: Obj, pods: list[tuple[Record, Obj]]) -> None:
        meta = service["metadata"]
        publish = service["spec"].get("publishNotReadyAddresses", False)
        groups: dict[str, tuple[list[Obj], dict[str, list[Obj]]]] = {}
        for record, pod in pods[:1000]:
            if record.deleting and not publish:
                continue
            address = _address(record, pod)
            ports = _ports(service, pod)
            group = groups.setdefault(str(ports), (ports, {"addresses": [], "notReadyAddresses": []}))
            group[1]["addresses" if record.pod.ready or publish else "notReadyAddresses"].append(address)
        subsets = []
        for ports, found in groups.values():
            subset: Obj = {name: rows for name, rows in found.items() if rows}
            if ports:
                subset["ports"] = ports
            subsets.append(subset)
        labels = {**(meta.get("labels") or {}), "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
        if service["spec"].get("clusterIP") == "None":
            labels["service.kubernetes.io/headless"] = ""
        there = self.cluster.store.find("/endpoints", meta["namespace"], meta["name"])
        if there is None:
            obj: Obj = {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": {"name": meta["name"], "namespace": meta["namespace"], "labels": labels},
            }
            if subsets:
                obj["subsets"] = subsets
            self.cluster.create("/endpoints", meta["namespace"], obj)
            return

        def write(obj: Obj) -> None:
            obj["metadata"]["labels"] = labels
            obj.pop("subsets", None)
            if subsets:
                obj["subsets"] = subsets

        self.cluster.edit("/endpoints", meta["namespace"], meta["name"], write)

    def _slices(self, service: Obj, pods: list[tuple[Record, Obj]]) -> None:
        """At most 100 endpoints in each; a slice that is there is filled again before a new one is made."""
        meta = service["metadata"]
        publish = service["spec"].get("publishNotReadyAddresses", False)
        rows = [_endpoint(record, pod, publish) for record, pod in pods]
        ports = _slice_ports(service, pods[0][1] if pods else None)
        chunks = [rows[index : index + PER_SLICE] for index in range(0, len(rows), PER_SLICE)] or [[]]
        there = sorted(self.cluster.store.owned(meta["uid"], SLICES), key=lambda record: record.name)
        labels = {
            **(meta.get("labels") or {}),
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            SERVICE_NAME: meta["name"],
        }
        if service["spec"].get("clusterIP") == "None":
            labels["service.kubernetes.io/headless"] = ""
        for index, chunk in enumerate(chunks):
            if index < len(there):

                def write(obj: Obj, chunk: list[Obj] = chunk) -> None:
                    obj["metadata"]["labels"] = labels
                    obj["endpoints"], obj["ports"] = chunk, ports

                self.cluster.edit(SLICES, meta["namespace"], there[index].name, write)
                continue
            made: Obj = {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"{meta['name']}-{suffix()}",
                    "generateName": f"{meta['name']}-",
                    "namespace": meta["namespace"],
                    "labels": labels,
                    "ownerReferences": [owner_reference(service)],
                },
                "addressType": "IPv4",
                "endpoints": chunk,
                "ports": ports,
            }
            self.cluster.create(SLICES, meta["namespace"], made)
        for record in there[len(chunks) :]:
            self.cluster.delete(SLICES, record.namespace, record.name)


def _target(record: Record) -> Obj:
    return {"kind": "Pod", "name": record.name, "namespace": record.namespace, "uid": record.uid}


def _address(record: Record, pod: Obj) -> Obj:
    made: Obj = {"ip": pod["status"]["podIP"], "nodeName": record.pod.node, "targetRef": _target(record)}
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain"):
        made["hostname"] = pod["spec"]["hostname"]
    return made


def _endpoint(record: Record, pod: Obj, publish: bool) -> Obj:
    serving = record.pod.ready or publish
    conditions = {"ready": serving and not record.deleting, "serving": serving, "terminating": record.deleting}
    made: Obj = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": conditions,
        "nodeName": record.pod.node,
        "targetRef": _target(record),
    }
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain"):
        made["hostname"] = pod["spec"]["hostname"]
    return made


def _target_port(port: Obj, pod: Obj | None) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in (pod or {}).get("spec", {}).get("containers", ()):
        for offered in container.get("ports", ()):
            if offered.get("name") == target and offered.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(offered["containerPort"])
    return None


def _ports(service: Obj, pod: Obj) -> list[Obj]:
    made = []
    for port in service["spec"].get("ports", ()):
        number = _target_port(port, pod)
        if number is not None:
            row: Obj = {"name": port["name"]} if port.get("name") else {}
            made.append(row | {"port": number, "protocol": port.get("protocol", "TCP")})
    return made


def _slice_ports(service: Obj, pod: Obj | None) -> list[Obj]:
    made = []
    for port in service["spec"].get("ports", ()):
        number = _target_port(port, pod)
        if number is not None:
            made.append({"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")})
    return made
