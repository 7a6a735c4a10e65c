"""The columns of each kind's table (``pkg/printers/internalversion``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox import times
from sandbox.api.podrow import READY, STATUS, pod_row

Obj = dict[str, Any]
Show = Callable[[Obj], Any]


@dataclass(frozen=True)
class Column:
    """One column; those of priority 1 show with ``-o wide``."""

    name: str
    show: Show
    type: str = "string"
    priority: int = 0


def _path(*parts: str, default: Any = "<none>") -> Show:
    def show(obj: Obj) -> Any:
        here: Any = obj
        for part in parts:
            here = here.get(part) if isinstance(here, dict) else None
        return default if here in (None, "") else here

    return show


def _count(*parts: str) -> Show:
    return _path(*parts, default=0)


def _of(text: str) -> Column:
    return Column(text, lambda obj: "")


def _age(obj: Obj) -> str:
    return times.age(obj["metadata"].get("creationTimestamp"))


def _containers(part: str) -> Show:
    def show(obj: Obj) -> str:
        spec = obj.get("spec", {}).get("template", obj).get("spec", {})
        return ",".join(container.get(part, "") for container in spec.get("containers", ()))

    return show


def selector_text(selector: Obj | None) -> str:
    """A selector as ``FormatLabelSelector`` writes it."""
    if not selector:
        return "<none>"
    terms = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for rule in selector.get("matchExpressions") or ():
        values = ",".join(rule.get("values") or ())
        words = {"In": f"{rule['key']} in ({values})", "NotIn": f"{rule['key']} notin ({values})"}
        terms.append(words.get(rule["operator"], rule["key"] if rule["operator"] == "Exists" else f"!{rule['key']}"))
    return ",".join(terms) or "<none>"


def _selector(obj: Obj) -> str:
    return selector_text(obj.get("spec", {}).get("selector"))


def _labels_text(labels: Obj | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def _ready_of(done: str, wanted: str = "replicas") -> Show:
    return lambda obj: f"{obj.get('status', {}).get(done, 0)}/{obj.get('spec', {}).get(wanted, 0)}"


def _external(obj: Obj) -> str:
    spec = obj["spec"]
    ips = ",".join(spec.get("externalIPs", ()))
    if spec.get("type") == "LoadBalancer":
        found = [i.get("ip") or i.get("hostname", "") for i in obj.get("status", {}).get("loadBalancer", {}).get("ingress", ())]
        return ",".join([*found, *spec.get("externalIPs", ())]) or "<pending>"
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", "<none>"))
    return ips or "<none>"


def _service_ports(obj: Obj) -> str:
    texts = []
    for port in obj["spec"].get("ports", ()):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(texts) or "<none>"


def _node_status(obj: Obj) -> str:
    ready = {c["type"]: c["status"] for c in obj.get("status", {}).get("conditions", ())}.get("Ready")
    text = {"True": "Ready", "False": "NotReady"}.get(ready or "", "Unknown" if ready is None else "NotReady")
    return text + (",SchedulingDisabled" if obj.get("spec", {}).get("unschedulable") else "")


def _roles(obj: Obj) -> str:
    prefix = "node-role.kubernetes.io/"
    roles = [key[len(prefix) :] for key in obj["metadata"].get("labels", {}) if key.startswith(prefix)]
    return ",".join(sorted(roles)) or "<none>"


def _node_address(kind: str) -> Show:
    return lambda obj: next((a["address"] for a in obj.get("status", {}).get("addresses", ()) if a["type"] == kind), "<none>")


def _job_status(obj: Obj) -> str:
    conditions = {c["type"]: c["status"] for c in obj.get("status", {}).get("conditions", ())}
    for kind, text in (("Complete", "Complete"), ("Failed", "Failed")):
        if conditions.get(kind) == "True":
            return text
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if conditions.get("Suspended") == "True":
        return "Suspended"
    return "SuccessCriteriaMet" if conditions.get("SuccessCriteriaMet") == "True" else "Running"


def _job_duration(obj: Obj) -> str:
    status = obj.get("status", {})
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    return times.human(times.seconds_of(end) - times.seconds_of(start)) if end else times.age(start)


def _job_completions(obj: Obj) -> str:
    spec, done = obj["spec"], obj.get("status", {}).get("succeeded", 0)
    if "completions" in spec:
        return f"{done}/{spec['completions']}"
    return f"{done}/1 of {spec.get('parallelism', 1)}"


_ACCESS = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _access(*parts: str) -> Show:
    return lambda obj: ",".join(_ACCESS.get(mode, mode) for mode in _path(*parts, default=())(obj))


def _claim_ref(obj: Obj) -> str:
    claim = obj["spec"].get("claimRef")
    return f"{claim['namespace']}/{claim['name']}" if claim else ""


def _endpoints(obj: Obj) -> str:
    found = []
    for subset in obj.get("subsets") or ():
        found += [f"{a['ip']}:{p['port']}" for p in subset.get("ports", ()) for a in subset.get("addresses", ())]
    return _short(found)


def _short(found: list[str]) -> str:
    extra = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return ",".join(found[:3]) + extra if found else "<none>"


def _slice_endpoints(obj: Obj) -> str:
    return _short([address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses", ())])


def _event_object(obj: Obj) -> str:
    about = obj.get("involvedObject", {})
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _last_seen(obj: Obj) -> str:
    return times.age(obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"].get("creationTimestamp"))


def _autoscaled(obj: Obj) -> str:
    target = obj["spec"].get("scaleTargetRef", {})
    return f"{target.get('kind')}/{target.get('name')}"


_HPA = "autoscaling/horizontalpodautoscalers"
_RBAC = "rbac.authorization.k8s.io"


def _targets(obj: Obj) -> str:
    texts = []
    for metric in obj["spec"].get("metrics", ()):
        goal = metric.get("resource", {}).get("target", {}).get("averageUtilization")
        texts.append(f"{metric.get('resource', {}).get('name')}: <unknown>/{goal}%" if goal else "<unknown>")
    return ",".join(texts) or "<none>"


NAME = Column("Name", lambda obj: obj["metadata"]["name"])
AGE = Column("Age", _age)
CONTAINERS = [Column("Containers", _containers("name"), priority=1), Column("Images", _containers("image"), priority=1)]
SELECTOR = Column("Selector", _selector, priority=1)
WIDE = [*CONTAINERS, SELECTOR]


def _int(name: str, *parts: str) -> Column:
    return Column(name, _count(*parts), "integer")


def _text(name: str, *parts: str, priority: int = 0, default: str = "<none>") -> Column:
    return Column(name, _path(*parts, default=default), priority=priority)


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
        Column("Ready", _ready_of("readyReplicas")),
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
    "apps/statefulsets": [NAME, Column("Ready", _ready_of("readyReplicas")), AGE, *CONTAINERS],
    "apps/daemonsets": [
        NAME,
        _int("Desired", "status", "desiredNumberScheduled"),
        _int("Current", "status", "currentNumberScheduled"),
        _int("Ready", "status", "numberReady"),
        _int("Up-to-date", "status", "updatedNumberScheduled"),
        _int("Available", "status", "numberAvailable"),
        Column("Node Selector", lambda obj: _labels_text(obj["spec"]["template"]["spec"].get("nodeSelector"))),
        AGE,
        *WIDE,
    ],
    "apps/controllerrevisions": [
        NAME,
        Column(
            "Controller",
            lambda o: next((f"{r['kind'].lower()}.apps/{r['name']}" for r in o["metadata"].get("ownerReferences", ())), "<none>"),
        ),
        _int("Revision", "revision"),
        AGE,
    ],
    "batch/jobs": [
        NAME,
        Column("Status", _job_status),
        Column("Completions", _job_completions),
        Column("Duration", _job_duration),
        AGE,
        *WIDE,
    ],
    "batch/cronjobs": [
        NAME,
        _text("Schedule", "spec", "schedule"),
        _text("Timezone", "spec", "timeZone"),
        Column("Suspend", lambda obj: "True" if obj["spec"].get("suspend") else "False", "boolean"),
        Column("Active", lambda obj: len(obj.get("status", {}).get("active", ())), "integer"),
        Column("Last Schedule", lambda o: times.age(t) if (t := o.get("status", {}).get("lastScheduleTime")) else "<none>"),
        AGE,
    ],
    "/services": [
        NAME,
        _text("Type", "spec", "type"),
        _text("Cluster-IP", "spec", "clusterIP"),
        Column("External-IP", _external),
        Column("Port(s)", _service_ports),
        AGE,
        Column("Selector", lambda obj: _labels_text(obj["spec"].get("selector")), priority=1),
    ],
    "/nodes": [
        NAME,
        Column("Status", _node_status),
        Column("Roles", _roles),
        AGE,
        _text("Version", "status", "nodeInfo", "kubeletVersion"),
        Column("Internal-IP", _node_address("InternalIP"), priority=1),
        Column("External-IP", _node_address("ExternalIP"), priority=1),
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
        Column("Access Modes", _access("status", "accessModes")),
        _text("StorageClass", "spec", "storageClassName", default=""),
        _text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default="<unset>"),
        AGE,
        _text("VolumeMode", "spec", "volumeMode", priority=1),
    ],
    "/persistentvolumes": [
        NAME,
        _text("Capacity", "spec", "capacity", "storage", default=""),
        Column("Access Modes", _access("spec", "accessModes")),
        _text("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy", default=""),
        _text("Status", "status", "phase", default=""),
        Column("Claim", _claim_ref),
        _text("StorageClass", "spec", "storageClassName", default=""),
        _text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default="<unset>"),
        _text("Reason", "status", "reason", default=""),
        AGE,
        _text("VolumeMode", "spec", "volumeMode", priority=1),
    ],
    "/endpoints": [NAME, Column("Endpoints", _endpoints), AGE],
    "discovery.k8s.io/endpointslices": [
        NAME,
        _text("AddressType", "addressType"),
        Column("Ports", lambda o: _short([str(p.get("port")) for p in o.get("ports") or ()]).replace("<none>", "<unset>")),
        Column("Endpoints", lambda o: _slice_endpoints(o).replace("<none>", "<unset>")),
        AGE,
    ],
    "/events": [
        Column("Last Seen", _last_seen),
        _text("Type", "type"),
        _text("Reason", "reason"),
        Column("Object", _event_object),
        _text("Subobject", "involvedObject", "fieldPath", priority=1, default=""),
        _text("Source", "source", "component", priority=1, default=""),
        _text("Message", "message", default=""),
        Column("First Seen", lambda obj: times.age(obj.get("firstTimestamp")), priority=1),
        Column("Count", _count("count"), "string", 1),
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
        Column("Address", lambda o: ",".join(i.get("ip", "") for i in o.get("status", {}).get("loadBalancer", {}).get("ingress", ()))),
        Column("Ports", lambda obj: "80, 443" if obj["spec"].get("tls") else "80"),
        AGE,
    ],
    "networking.k8s.io/networkpolicies": [NAME, Column("Pod-Selector", lambda o: selector_text(o["spec"].get("podSelector"))), AGE],
    "networking.k8s.io/ingressclasses": [NAME, _text("Controller", "spec", "controller"), _text("Parameters", "spec", "parameters"), AGE],
    _HPA: [
        NAME,
        Column("Reference", _autoscaled),
        Column("Targets", _targets),
        Column("MinPods", lambda obj: str(obj["spec"].get("minReplicas", "<unset>"))),
        _int("MaxPods", "spec", "maxReplicas"),
        _int("Replicas", "status", "currentReplicas"),
        AGE,
    ],
    "storage.k8s.io/storageclasses": [
        Column(
            "Name",
            lambda o: o["metadata"]["name"]
            + (" (default)" if (o["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class") == "true" else ""),
        ),
        _text("Provisioner", "provisioner"),
        _text("ReclaimPolicy", "reclaimPolicy"),
        _text("VolumeBindingMode", "volumeBindingMode"),
        Column("AllowVolumeExpansion", lambda obj: bool(obj.get("allowVolumeExpansion")), "string"),
        AGE,
    ],
    "/resourcequotas": [NAME, _of("Request"), _of("Limit"), AGE],
    f"{_RBAC}/rolebindings": [NAME, Column("Role", lambda o: f"{o['roleRef']['kind']}/{o['roleRef']['name']}"), AGE],
    f"{_RBAC}/clusterrolebindings": [NAME, Column("Role", lambda o: f"{o['roleRef']['kind']}/{o['roleRef']['name']}"), AGE],
    "scheduling.k8s.io/priorityclasses": [
        NAME,
        _int("Value", "value"),
        Column("Global-Default", lambda obj: bool(obj.get("globalDefault")), "boolean"),
        AGE,
        _text("PreemptionPolicy", "preemptionPolicy"),
    ],
}
