"""What the pages of one object share: its views, state, conditions and owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from app.auth import decisions
from app.kube.models import Cluster, KubeObject
from app.words import _
from plugins.captain import permissions
from plugins.captain.objects import mirror
from plugins.captain.objects.cluster_page import opened
from plugins.captain.objects.conditions import conditions, labels
from plugins.captain.objects.kinds import BY_NAME, Kind, base, page_of, state_text

OVERVIEW, EVENTS, YAML = _("Overview"), _("Events"), _("YAML")
LOG, SHELL = _("Log"), _("Shell")


def detail(cluster_id: str, kind: Kind, namespace: str, name: str, view: str = "overview") -> dict[str, Any]:
    """The context of ``captain/object_page.html``.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    context = opened(cluster_id, kind.plural)
    cluster: Cluster = context["cluster"]
    row = mirror.get_object(cluster.id, kind, namespace, name)
    context.update(
        kind=kind,
        row=row,
        view=view,
        views=views(cluster.id, kind, namespace, name, view),
        page=page_of(cluster.id, kind.plural, namespace, name),
        name=name,
        space=namespace,
        conditions=conditions(row.data),
        labels=labels,
        state=state_text(row.state),
    )
    return context


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


def owner_link(cluster: Cluster, row: KubeObject) -> Mapping[str, str] | None:
    """Who made the object: kind, name and page; through a ReplicaSet the Deployment behind it."""
    if not row.owner:
        return None
    kind, __, name = row.owner.partition("/")
    made = mirror.find_by_uid(cluster.id, row.owner_uid)
    if made is not None and made.kind == "replicasets" and made.owner_uid:
        above = mirror.find_by_uid(cluster.id, made.owner_uid)
        if above is not None:
            kind, name, made = "Deployment", above.name, above
    known = BY_NAME.get(kind)
    url = page_of(cluster.id, known.plural, row.namespace, name) if known and made is not None else ""
    return {"kind": kind, "name": name, "url": url}
