"""What detail pages show of an object: its views, containers, conditions and owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from app.auth import decisions
from app.kube.models import Cluster, KubeObject
from app.words import _
from plugins.captain import permissions, queries, words
from plugins.captain.kinds import BY_NAME, Kind, state_text
from plugins.captain.lists import base, page_of
from plugins.captain.live import moment_of

__all__ = ["conditions", "containers", "owner_link", "state_text", "views", "words"]

OVERVIEW, EVENTS, YAML = _("Overview"), _("Events"), _("YAML")
LOG, SHELL = _("Log"), _("Shell")


def views(cluster_id: str, kind: Kind, namespace: str, name: str, active: str) -> list[Mapping[str, Any]]:
    """The views of one object, as tabs."""
    page, root = page_of(cluster_id, kind.plural, namespace, name), base(cluster_id)
    inside = f"{kind.plural}/{namespace + '/' if namespace else ''}{name}"
    found = [("overview", OVERVIEW, page)]
    place = permissions.place(request.view_args or {})
    if kind.plural == "pods" and decisions.allows(permissions.POD_LOG, place):
        found.append(("log", LOG, f"{page}/log"))
    if kind.plural == "pods" and decisions.allows(permissions.POD_SHELL, place):
        found.append(("shell", SHELL, f"{page}/shell"))
    found += [("events", EVENTS, f"{root}/events/{inside}"), ("yaml", YAML, f"{root}/yaml/{inside}")]
    return [{"key": key, "title": title, "url": url, "active": key == active} for key, title, url in found]


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
    word, tone, detail = words.state_of(status) if status else ("Waiting", "info", "")
    running = (status.get("state") or {}).get("running") or {}
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "init": init,
        "state": word,
        "tone": tone,
        "detail": detail,
        "restarts": status.get("restartCount", 0),
        "last": words.last_end(status),
        "started": moment_of(running.get("startedAt")),
        "ports": words.ports(container),
        "resources": words.resources(container),
        "environment": words.sources(container),
        "image_id": str(status.get("imageID", "")).rpartition("@")[2],
    }


def conditions(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Conditions with their tone and time."""
    return [
        {**condition, "tone": words.condition_tone(condition), "at": moment_of(condition.get("lastTransitionTime"))}
        for condition in words.conditions(item)
    ]


def owner_link(cluster: Cluster, row: KubeObject) -> Mapping[str, str] | None:
    """Who made the object: kind, name and page; through a ReplicaSet the Deployment behind it."""
    if not row.owner:
        return None
    kind, __, name = row.owner.partition("/")
    made = queries.find_by_uid(cluster.id, row.owner_uid)
    if made is not None and made.kind == "replicasets" and made.owner_uid:
        above = queries.find_by_uid(cluster.id, made.owner_uid)
        if above is not None:
            kind, name, made = "Deployment", above.name, above
    known = BY_NAME.get(kind)
    url = page_of(cluster.id, known.plural, row.namespace, name) if known and made is not None else ""
    return {"kind": kind, "name": name, "url": url}
