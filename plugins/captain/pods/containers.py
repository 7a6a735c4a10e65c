"""Containers of a pod in words: states, ports, resources, and where their environment comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.captain.objects.live import moment_of

Object = Mapping[str, Any]
NO_SOURCE: tuple[str, dict[str, Any]] = ("", {})


def containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Containers of a pod with their states, init containers first."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    found = []
    for part, held, init in (
        ("initContainers", "initContainerStatuses", True),
        ("containers", "containerStatuses", False),
        ("ephemeralContainers", "ephemeralContainerStatuses", False),
    ):
        statuses = {one["name"]: one for one in status.get(held) or ()}
        for container in spec.get(part) or ():
            found.append(_container(container, statuses.get(container["name"], {}), init))
    return found


def _container(container: Mapping[str, Any], status: Mapping[str, Any], init: bool) -> Mapping[str, Any]:
    word, tone, detail = state_of(status) if status else ("Waiting", "info", "")
    running = (status.get("state") or {}).get("running") or {}
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "init": init,
        "state": word,
        "tone": tone,
        "detail": detail,
        "restarts": status.get("restartCount", 0),
        "last": last_end(status),
        "started": moment_of(running.get("startedAt")),
        "ports": ports(container),
        "resources": resources(container),
        "environment": sources(container),
        "image_id": str(status.get("imageID", "")).rpartition("@")[2],
    }


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


def first(found: Sequence[Mapping[str, Any]]) -> str:
    """The container that is shown at first: not an init container if there is another."""
    chosen = next((one for one in found if not one["init"]), found[0] if found else None)
    return str(chosen["name"]) if chosen else ""
