"""What objects say, in words and numbers for people: roles, taints, shares, containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.kube import quantities
from app.web.language import bytesize
from app.web.table import Cell

Object = Mapping[str, Any]
ROLE = "node-role.kubernetes.io/"
NO_SOURCE: tuple[str, dict[str, Any]] = ("", {})
NOISE = ("kubernetes.io/metadata.name",)


def roles(node: Object) -> list[str]:
    """Roles of a node, from its labels (``kubectl get nodes`` shows the same)."""
    held = (node.get("metadata") or {}).get("labels") or {}
    return sorted(key.removeprefix(ROLE) for key in held if key.startswith(ROLE))


def info(node: Object) -> Mapping[str, Any]:
    """``status.nodeInfo``."""
    return (node.get("status") or {}).get("nodeInfo") or {}


def taints(node: Object) -> list[str]:
    """Taints as ``key=value:Effect``."""
    held = (node.get("spec") or {}).get("taints") or []
    return [f"{t['key']}{'=' + t['value'] if t.get('value') else ''}:{t['effect']}" for t in held]


def labels(item: Object) -> dict[str, str]:
    """Labels that tell more than the name."""
    held = (item.get("metadata") or {}).get("labels") or {}
    return {key: value for key, value in held.items() if key not in NOISE}


def cores(thousandths: int) -> str:
    """CPU in cores."""
    return f"{thousandths / 1000:.2f}".rstrip("0").rstrip(".")


def size(count: int) -> str:
    """Bytes in the largest fitting unit."""
    return bytesize(count)


def capacity(text: object) -> str:
    """A quantity of bytes as it is read: ``67108864Ki`` is 64 GiB."""
    return bytesize(quantities.size(text)) if text else ""


def share(asked: int, has: int, shown: Callable[[int], str]) -> Cell:
    """How much of something is requested: the part in per cent, the numbers on hover."""
    if not has:
        return Cell("text", text=shown(asked))
    part = 100 * asked / has
    return Cell("text", text=f"{part:.0f} %", title=f"{shown(asked)} / {shown(has)}", value=part)


def state_of(status: Object) -> tuple[str, str, str]:
    """A container's state: (word, tone, detail)."""
    state = status.get("state") or {}
    if "running" in state:
        word, tone = ("Running", "ok") if status.get("ready") else ("NotReady", "warn")
        return word, tone, ""
    ended = state.get("terminated")
    if ended:
        code = ended.get("exitCode", 0)
        word = ended.get("reason") or "Terminated"
        return f"{word} ({code})", "neutral" if code == 0 else "bad", ended.get("message", "")
    waiting = state.get("waiting") or {}
    word = waiting.get("reason", "Waiting")
    return (
        word,
        "info" if word in ("ContainerCreating", "PodInitializing", "Waiting") else "bad",
        waiting.get("message", ""),
    )


def last_end(status: Object) -> str:
    """How a container's run before ended: ``OOMKilled (137)``."""
    ended = (status.get("lastState") or {}).get("terminated")
    return f"{ended.get('reason') or 'Terminated'} ({ended.get('exitCode', '?')})" if ended else ""


def ports(container: Object) -> str:
    """Ports as ``http 8080/TCP``."""
    return ", ".join(
        f"{p.get('name', '')} {p['containerPort']}/{p.get('protocol', 'TCP')}".strip()
        for p in container.get("ports") or ()
    )


def resources(container: Object) -> str:
    """Requests and limits in one line."""
    held = container.get("resources") or {}
    asked, most = held.get("requests") or {}, held.get("limits") or {}
    return ", ".join(f"{key} {asked.get(key, '–')} / {most.get(key, '–')}" for key in dict.fromkeys([*asked, *most]))


def sources(container: Object) -> list[tuple[str, str]]:
    """Names of environment variables with where their values come from; values themselves are not shown here."""
    found = []
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        kind, reference = next(iter(source.items()), NO_SOURCE)
        where = {
            "secretKeyRef": f"Secret {reference.get('name')}/{reference.get('key')}",
            "configMapKeyRef": f"ConfigMap {reference.get('name')}/{reference.get('key')}",
            "fieldRef": str(reference.get("fieldPath")),
            "resourceFieldRef": str(reference.get("resource")),
        }.get(kind, "")
        found.append((variable["name"], where))
    for group in container.get("envFrom") or ():
        for kind, label in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            if kind in group:
                found.append((group.get("prefix", "") + "*", f"{label} {group[kind].get('name')}"))
    return found


# Conditions that are bad when they are true; of all others, false is the bad answer (Kubernetes: "Node Conditions").
GRAVE = (
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
    "Failed",
    "ReplicaFailure",
    "DisruptionTarget",
)


def condition_tone(condition: Object) -> str:
    """Whether a condition is well."""
    if condition.get("status") == "Unknown":
        return "warn"
    holds = condition.get("status") == "True"
    if condition.get("type") in GRAVE:
        return "bad" if holds else "ok"
    return "ok" if holds else "warn"


def conditions(item: Object) -> Sequence[Object]:
    """Conditions of an object."""
    return (item.get("status") or {}).get("conditions") or ()
