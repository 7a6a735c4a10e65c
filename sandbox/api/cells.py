"""What single cells of tables show (``pkg/printers/internalversion``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox import times

Obj = dict[str, Any]
Show = Callable[[Obj], Any]


@dataclass(frozen=True)
class Column:
    """One column; those of priority 1 show with ``-o wide``."""

    name: str
    show: Show
    type: str = "string"
    priority: int = 0


def path(*parts: str, default: Any = "<none>") -> Show:
    def show(obj: Obj) -> Any:
        here: Any = obj
        for part in parts:
            here = here.get(part) if isinstance(here, dict) else None
        return default if here in (None, "") else here

    return show


def count(*parts: str) -> Show:
    return path(*parts, default=0)


def quota(limits: bool) -> Show:
    """What is used of a quota's requests or limits."""

    def show(obj: Obj) -> str:
        status = obj.get("status", {})
        hard = status.get("hard") or obj.get("spec", {}).get("hard", {})
        used = status.get("used", {})
        rows = [(name, amount) for name, amount in sorted(hard.items()) if name.startswith("limits.") is limits]
        return ", ".join(f"{name}: {used.get(name, 0)}/{amount}" for name, amount in rows)

    return show


def age(obj: Obj) -> str:
    return times.age(obj["metadata"].get("creationTimestamp"))


def containers(part: str) -> Show:
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


def selector(obj: Obj) -> str:
    return selector_text(obj.get("spec", {}).get("selector"))


def labels_text(labels: Obj | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def ready_of(done: str, wanted: str = "replicas") -> Show:
    return lambda obj: f"{obj.get('status', {}).get(done, 0)}/{obj.get('spec', {}).get(wanted, 0)}"


def external(obj: Obj) -> str:
    spec = obj["spec"]
    ips = ",".join(spec.get("externalIPs", ()))
    if spec.get("type") == "LoadBalancer":
        found = [
            i.get("ip") or i.get("hostname", "")
            for i in obj.get("status", {}).get("loadBalancer", {}).get("ingress", ())
        ]
        return ",".join([*found, *spec.get("externalIPs", ())]) or "<pending>"
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", "<none>"))
    return ips or "<none>"


def service_ports(obj: Obj) -> str:
    texts = []
    for port in obj["spec"].get("ports", ()):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(texts) or "<none>"


def node_status(obj: Obj) -> str:
    ready = {c["type"]: c["status"] for c in obj.get("status", {}).get("conditions", ())}.get("Ready")
    text = {"True": "Ready", "False": "NotReady"}.get(ready or "", "Unknown" if ready is None else "NotReady")
    return text + (",SchedulingDisabled" if obj.get("spec", {}).get("unschedulable") else "")


def roles(obj: Obj) -> str:
    prefix = "node-role.kubernetes.io/"
    roles = [key[len(prefix) :] for key in obj["metadata"].get("labels", {}) if key.startswith(prefix)]
    return ",".join(sorted(roles)) or "<none>"


def node_address(kind: str) -> Show:
    return lambda obj: next(
        (a["address"] for a in obj.get("status", {}).get("addresses", ()) if a["type"] == kind), "<none>"
    )


def job_status(obj: Obj) -> str:
    conditions = {c["type"]: c["status"] for c in obj.get("status", {}).get("conditions", ())}
    for kind, text in (("Complete", "Complete"), ("Failed", "Failed")):
        if conditions.get(kind) == "True":
            return text
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if conditions.get("Suspended") == "True":
        return "Suspended"
    return "SuccessCriteriaMet" if conditions.get("SuccessCriteriaMet") == "True" else "Running"


def job_duration(obj: Obj) -> str:
    status = obj.get("status", {})
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    return times.human(times.seconds_of(end) - times.seconds_of(start)) if end else times.age(start)


def job_completions(obj: Obj) -> str:
    spec, done = obj["spec"], obj.get("status", {}).get("succeeded", 0)
    if "completions" in spec:
        return f"{done}/{spec['completions']}"
    return f"{done}/1 of {spec.get('parallelism', 1)}"


_ACCESS = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def access(*parts: str) -> Show:
    return lambda obj: ",".join(_ACCESS.get(mode, mode) for mode in path(*parts, default=())(obj))


def claim_ref(obj: Obj) -> str:
    claim = obj["spec"].get("claimRef")
    return f"{claim['namespace']}/{claim['name']}" if claim else ""


def endpoints(obj: Obj) -> str:
    found = []
    for subset in obj.get("subsets") or ():
        found += [f"{a['ip']}:{p['port']}" for p in subset.get("ports", ()) for a in subset.get("addresses", ())]
    return short(found)


def short(found: list[str]) -> str:
    extra = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return ",".join(found[:3]) + extra if found else "<none>"


def slice_endpoints(obj: Obj) -> str:
    return short([address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses", ())])


def event_object(obj: Obj) -> str:
    about = obj.get("involvedObject", {})
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def last_seen(obj: Obj) -> str:
    return times.age(obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"].get("creationTimestamp"))


def autoscaled(obj: Obj) -> str:
    target = obj["spec"].get("scaleTargetRef", {})
    return f"{target.get('kind')}/{target.get('name')}"


def targets(obj: Obj) -> str:
    texts = []
    for metric in obj["spec"].get("metrics", ()):
        goal = metric.get("resource", {}).get("target", {}).get("averageUtilization")
        texts.append(f"{metric.get('resource', {}).get('name')}: <unknown>/{goal}%" if goal else "<unknown>")
    return ",".join(texts) or "<none>"
