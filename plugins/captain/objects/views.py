"""Pages that an object of any kind has: its events, and its manifest in YAML."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.auth import decisions
from app.errors import NOT_FOUND, ConsoleError
from app.guard import guard
from app.web.render import render
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import bp
from plugins.captain.objects import live
from plugins.captain.objects.events import events_of
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.object_page import detail


def _detail(plural: str, cluster_id: str, namespace: str, name: str, view: str) -> dict[str, Any]:
    kind = KINDS.get(plural)
    if kind is None:
        raise NOT_FOUND(what=_("kind of object"))
    decisions.require(kind.permission, permissions.place(request.view_args or {}))
    return detail(cluster_id, kind, namespace, name, view)


@bp.get("/<cluster_id>/events/<plural>/<name>", defaults={"namespace": ""})
@bp.get("/<cluster_id>/events/<plural>/<namespace>/<name>")
@guard(permissions.CLUSTER_READ, resource=permissions.place)
def events(cluster_id: str, plural: str, namespace: str, name: str) -> Response:
    context = _detail(plural, cluster_id, namespace, name, "events")
    try:
        found, error = events_of(context["cluster"], context["kind"].name, namespace, name), None
    except ConsoleError as refused:
        found, error = [], refused
    return render(
        "captain/events.html", fragment="events", events=found, error=error, box="events", about=False, **context
    )


@bp.get("/<cluster_id>/yaml/<plural>/<name>", defaults={"namespace": ""})
@bp.get("/<cluster_id>/yaml/<plural>/<namespace>/<name>")
@guard(permissions.CLUSTER_READ, resource=permissions.place)
def manifest(cluster_id: str, plural: str, namespace: str, name: str) -> Response:
    context = _detail(plural, cluster_id, namespace, name, "yaml")
    item, error = live.find(context["cluster"], context["kind"].name, namespace, name)
    return render("captain/manifest.html", text=live.as_yaml(item) if item else "", error=error, **context)
