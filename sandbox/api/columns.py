"""The columns of each kind's table (``pkg/printers/internalversion``)."""

from __future__ import annotations

from sandbox import times
from sandbox.api import cells
from sandbox.api.cells import Column, selector_text
from sandbox.api.podrow import READY, STATUS, pod_row

_HPA = "autoscaling/horizontalpodautoscalers"
_RBAC = "rbac.authorization.k8s.io"

NAME = Column("Name", lambda obj: obj["metadata"]["name"])
AGE = Column("Age", cells.age)
CONTAINERS = [
    Column("Containers", cells.containers("name"), priority=1),
    Column("Images", cells.containers("image"), priority=1),
]
SELECTOR = Column("Selector", cells.selector, priority=1)
WIDE = [*CONTAINERS, SELECTOR]


def _int(name: str, *parts: str) -> Column:
    return Column(name, cells.count(*parts), "integer")


def _text(name: str, *parts: str, priority: int = 0, default: str = "<none>") -> Column:
    return Column(name, cells.path(*parts, default=default), priority=priority)


COLUMNS: dict[str, list[Column]] = {
    "/pods": [
        NAME,
        Column("Ready", READY),
        Column("Status", STATUS),
        Column("Restarts", lambda obj: pod_row(obj).restarts),
        AGE,
        _text("IP", "status", "podIP", priority=1),
        _text("Node", "spec", "nodeName", priority=1),
        _text("Nominated Node", "status", "nominatedNodeName", priority=1),
        Column("Readiness Gates", lambda obj: pod_row(obj).gates, priority=1),
    ],
    "apps/deployments": [
        NAME,
        Column("Ready", cells.ready_of("readyReplicas")),
        _int("Up-to-date", "status", "updatedReplicas"),
        _int("Available", "status", "availableReplicas"),
        AGE,
        *WIDE,
    ],
    "apps/replicasets": [
        NAME,
        _int("Desired", "spec", "replicas"),
        _int("Current", "status", "replicas"),
        _int("Ready", "status", "readyReplicas"),
        AGE,
        *WIDE,
    ],
    "apps/statefulsets": [NAME, Column("Ready", cells.ready_of("readyReplicas")), AGE, *CONTAINERS],
    "apps/daemonsets": [
        NAME,
        _int("Desired", "status", "desiredNumberScheduled"),
        _int("Current", "status", "currentNumberScheduled"),
        _int("Ready", "status", "numberReady"),
        _int("Up-to-date", "status", "updatedNumberScheduled"),
        _int("Available", "status", "numberAvailable"),
        Column("Node Selector", lambda obj: cells.labels_text(obj["spec"]["template"]["spec"].get("nodeSelector"))),
        AGE,
        *WIDE,
    ],
    "apps/controllerrevisions": [
        NAME,
        Column(
            "Controller",
            lambda o: next(
                (f"{r['kind'].lower()}.apps/{r['name']}" for r in o["metadata"].get("ownerReferences", ())), "<none>"
            ),
        ),
        _int("Revision", "revision"),
        AGE,
    ],
    "batch/jobs": [
        NAME,
        Column("Status", cells.job_status),
        Column("Completions", cells.job_completions),
        Column("Duration", cells.job_duration),
        AGE,
        *WIDE,
    ],
    "batch/cronjobs": [
        NAME,
        _text("Schedule", "spec", "schedule"),
        _text("Timezone", "spec", "timeZone"),
        Column("Suspend", lambda obj: "True" if obj["spec"].get("suspend") else "False", "boolean"),
        Column("Active", lambda obj: len(obj.get("status", {}).get("active", ())), "integer"),
        Column(
            "Last Schedule", lambda o: times.age(t) if (t := o.get("status", {}).get("lastScheduleTime")) else "<none>"
        ),
        AGE,
    ],
    "/services": [
        NAME,
        _text("Type", "spec", "type"),
        _text("Cluster-IP", "spec", "clusterIP"),
        Column("External-IP", cells.external),
        Column("Port(s)", cells.service_ports),
        AGE,
        Column("Selector", lambda obj: cells.labels_text(obj["spec"].get("selector")), priority=1),
    ],
    "/nodes": [
        NAME,
        Column("Status", cells.node_status),
        Column("Roles", cells.roles),
        AGE,
        _text("Version", "status", "nodeInfo", "kubeletVersion"),
        Column("Internal-IP", cells.node_address("InternalIP"), priority=1),
        Column("External-IP", cells.node_address("ExternalIP"), priority=1),
        _text("OS-Image", "status", "nodeInfo", "osImage", priority=1),
        _text("Kernel-Version", "status", "nodeInfo", "kernelVersion", priority=1),
        _text("Container-Runtime", "status", "nodeInfo", "containerRuntimeVersion", priority=1),
    ],
    "/namespaces": [NAME, _text("Status", "status", "phase"), AGE],
    "/configmaps": [NAME, Column("Data", lambda o: len(o.get("data", {})) + len(o.get("binaryData", {}))), AGE],
    "/secrets": [NAME, _text("Type", "type"), Column("Data", lambda obj: len(obj.get("data", {}))), AGE],
    "/serviceaccounts": [NAME, Column("Secrets", lambda obj: len(obj.get("secrets", ()))), AGE],
    "/persistentvolumeclaims": [
        NAME,
        _text("Status", "status", "phase", default=""),
        _text("Volume", "spec", "volumeName", default=""),
        _text("Capacity", "status", "capacity", "storage", default=""),
        Column("Access Modes", cells.access("status", "accessModes")),
        _text("StorageClass", "spec", "storageClassName", default=""),
        _text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default="<unset>"),
        AGE,
        _text("VolumeMode", "spec", "volumeMode", priority=1),
    ],
    "/persistentvolumes": [
        NAME,
        _text("Capacity", "spec", "capacity", "storage", default=""),
        Column("Access Modes", cells.access("spec", "accessModes")),
        _text("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy", default=""),
        _text("Status", "status", "phase", default=""),
        Column("Claim", cells.claim_ref),
        _text("StorageClass", "spec", "storageClassName", default=""),
        _text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default="<unset>"),
        _text("Reason", "status", "reason", default=""),
        AGE,
        _text("VolumeMode", "spec", "volumeMode", priority=1),
    ],
    "/endpoints": [NAME, Column("Endpoints", cells.endpoints), AGE],
    "discovery.k8s.io/endpointslices": [
        NAME,
        _text("AddressType", "addressType"),
        Column(
            "Ports",
            lambda o: cells.short([str(p.get("port")) for p in o.get("ports") or ()]).replace("<none>", "<unset>"),
        ),
        Column("Endpoints", lambda o: cells.slice_endpoints(o).replace("<none>", "<unset>")),
        AGE,
    ],
    "/events": [
        Column("Last Seen", cells.last_seen),
        _text("Type", "type"),
        _text("Reason", "reason"),
        Column("Object", cells.event_object),
        _text("Subobject", "involvedObject", "fieldPath", priority=1, default=""),
        _text("Source", "source", "component", priority=1, default=""),
        _text("Message", "message", default=""),
        Column("First Seen", lambda obj: times.age(obj.get("firstTimestamp")), priority=1),
        Column("Count", cells.count("count"), "string", 1),
        Column("Name", lambda obj: obj["metadata"]["name"], priority=1),
    ],
    "coordination.k8s.io/leases": [NAME, _text("Holder", "spec", "holderIdentity", default=""), AGE],
    "policy/poddisruptionbudgets": [
        NAME,
        Column("Min Available", lambda obj: str(obj["spec"].get("minAvailable", "N/A"))),
        Column("Max Unavailable", lambda obj: str(obj["spec"].get("maxUnavailable", "N/A"))),
        _int("Allowed Disruptions", "status", "disruptionsAllowed"),
        AGE,
    ],
    "networking.k8s.io/ingresses": [
        NAME,
        _text("Class", "spec", "ingressClassName"),
        Column("Hosts", lambda o: ",".join(r.get("host", "*") for r in o["spec"].get("rules", ())) or "*"),
        Column(
            "Address",
            lambda o: ",".join(i.get("ip", "") for i in o.get("status", {}).get("loadBalancer", {}).get("ingress", ())),
        ),
        Column("Ports", lambda obj: "80, 443" if obj["spec"].get("tls") else "80"),
        AGE,
    ],
    "networking.k8s.io/networkpolicies": [
        NAME,
        Column("Pod-Selector", lambda o: selector_text(o["spec"].get("podSelector"))),
        AGE,
    ],
    "networking.k8s.io/ingressclasses": [
        NAME,
        _text("Controller", "spec", "controller"),
        _text("Parameters", "spec", "parameters"),
        AGE,
    ],
    _HPA: [
        NAME,
        Column("Reference", cells.autoscaled),
        Column("Targets", cells.targets),
        Column("MinPods", lambda obj: str(obj["spec"].get("minReplicas", "<unset>"))),
        _int("MaxPods", "spec", "maxReplicas"),
        _int("Replicas", "status", "currentReplicas"),
        AGE,
    ],
    "storage.k8s.io/storageclasses": [
        Column(
            "Name",
            lambda o: (
                o["metadata"]["name"]
                + (
                    " (default)"
                    if (o["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class")
                    == "true"
                    else ""
                )
            ),
        ),
        _text("Provisioner", "provisioner"),
        _text("ReclaimPolicy", "reclaimPolicy"),
        _text("VolumeBindingMode", "volumeBindingMode"),
        Column("AllowVolumeExpansion", lambda obj: bool(obj.get("allowVolumeExpansion")), "string"),
        AGE,
    ],
    "/resourcequotas": [
        NAME,
        Column("Request", cells.quota(limits=False)),
        Column("Limit", cells.quota(limits=True)),
        AGE,
    ],
    f"{_RBAC}/rolebindings": [NAME, Column("Role", lambda o: f"{o['roleRef']['kind']}/{o['roleRef']['name']}"), AGE],
    f"{_RBAC}/clusterrolebindings": [
        NAME,
        Column("Role", lambda o: f"{o['roleRef']['kind']}/{o['roleRef']['name']}"),
        AGE,
    ],
    "scheduling.k8s.io/priorityclasses": [
        NAME,
        _int("Value", "value"),
        Column("Global-Default", lambda obj: bool(obj.get("globalDefault")), "boolean"),
        AGE,
        _text("PreemptionPolicy", "preemptionPolicy"),
    ],
}
