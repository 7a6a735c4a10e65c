"""Pages of clusters: registering, editing, removing, and a cluster's overview."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.datastructures import MultiDict

from app.errors import ConsoleError, invalid
from app.guard import guard
from app.kube import clusters, kubeconfig
from app.kube.clusters import get_cluster
from app.kube.models import Cluster
from app.web import conflicts
from app.web.forms import parse
from app.web.frame import why_not
from app.web.problems import refuse
from app.web.render import go, render
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import bp
from plugins.captain.clusters import overview, registration
from plugins.captain.clusters.api import api
from plugins.captain.clusters.registration import ChangedCluster, NewCluster
from plugins.captain.objects.cluster_page import opened
from plugins.captain.objects.events import warnings
from plugins.captain.objects.kinds import base

LIST = "/captain/clusters"
ADDED = _("The cluster is registered; its lists fill in a moment.")
CHANGED = _("Saved.")
REMOVED = _("The cluster is removed from the console.")
WRONG_NAME = _("This is not the cluster's name.")


@bp.get("/new")
@guard(permissions.CLUSTER_EDIT)
def cluster_new() -> Response:
    return render("captain/cluster_form.html", fragment="form", cluster=None, values={}, error=None, back=LIST)


@bp.post("/new")
@api.guard("captain.clusters.create")
def cluster_create() -> Response:
    try:
        cluster = registration.register(parse(NewCluster, _with_file()))
    except ConsoleError as error:
        return _again(None, error, LIST)
    return go(base(cluster.id), ADDED)


@bp.get("/<cluster_id>/edit")
@guard(permissions.CLUSTER_EDIT, resource=permissions.place)
def cluster_edit(cluster_id: str) -> Response:
    cluster = get_cluster(cluster_id)
    return render(
        "captain/cluster_form.html",
        fragment="form",
        cluster=cluster,
        values=_named(cluster),
        error=None,
        back=base(cluster_id),
        hidden=conflicts.hidden(cluster, _named(cluster)),
    )


def _named(cluster: Cluster) -> dict[str, str]:
    return {"name": cluster.name, "description": cluster.description}


@bp.post("/<cluster_id>/edit")
@api.guard("captain.clusters.update")
def cluster_change(cluster_id: str) -> Response:
    cluster = get_cluster(cluster_id)
    back = base(cluster_id)
    try:
        conflicts.need_version(cluster)
        registration.change(cluster, parse(ChangedCluster, _with_file()))
    except ConsoleError as error:
        return _again(cluster_id, error, back)
    return go(back, CHANGED)


@bp.get("/<cluster_id>/remove")
@guard(permissions.CLUSTER_EDIT, resource=permissions.place)
def cluster_remove(cluster_id: str) -> Response:
    cluster = get_cluster(cluster_id)
    return render(
        "captain/_cluster_remove.html", cluster=cluster, uses=clusters.used_by(cluster), base=base(cluster_id)
    )


@bp.post("/<cluster_id>/remove")
@api.guard("captain.clusters.delete")
def cluster_removed(cluster_id: str) -> Response:
    cluster = get_cluster(cluster_id)
    if request.form.get("confirm", "") != cluster.name:
        raise invalid({"confirm": WRONG_NAME})
    clusters.remove(cluster)
    return go(LIST, REMOVED)


@bp.get("/<cluster_id>")
@guard(permissions.CLUSTER_READ, resource=permissions.place)
def cluster_overview(cluster_id: str) -> Response:
    context = opened(cluster_id, "overview")
    context["refused"] = why_not(permissions.CLUSTER_EDIT, {"cluster": cluster_id})
    return render("captain/cluster_overview.html", fragment="numbers", numbers=overview.numbers(cluster_id), **context)


@bp.get("/<cluster_id>/banner")
@guard(permissions.CLUSTER_READ, resource=permissions.place)
def cluster_banner(cluster_id: str) -> Response:
    return render("captain/_cluster_banner.html", **opened(cluster_id, ""))


@bp.get("/<cluster_id>/warnings")
@guard(permissions.CLUSTER_READ, resource=permissions.place)
def cluster_warnings(cluster_id: str) -> Response:
    cluster = get_cluster(cluster_id)
    try:
        found, error = warnings(cluster), None
    except ConsoleError as refused:
        found, error = [], refused
    return render("captain/_events.html", events=found, error=error, base=base(cluster_id), about=True, box="warnings")


def _with_file() -> Any:
    """The form with an uploaded kubeconfig in its field."""
    form: MultiDict[str, str] = MultiDict(request.form)
    file = request.files.get("file")
    if file is not None and file.filename:
        form["kubeconfig"] = file.stream.read(kubeconfig.LIMIT + 1).decode("utf-8", "replace")
    return form


def _again(cluster_id: str | None, error: ConsoleError, back: str) -> Response:
    """The form as it was sent, with every reason beside its field. Credentials come back too: nothing typed is lost."""
    refuse(error)
    cluster = get_cluster(cluster_id) if cluster_id else None
    return render(
        "captain/cluster_form.html",
        fragment="form",
        status=error.status if error.status == 409 else 422,
        cluster=cluster,
        values=request.form,
        error=conflicts.explained(error, _named(cluster) if cluster else {}),
        back=back,
        hidden=conflicts.hidden(cluster, _named(cluster)) if cluster else {},
    )
