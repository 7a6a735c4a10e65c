"""The list of pods, what can be done with each, and the page of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response
from sqlalchemy import Select, select
from sqlalchemy.orm import defer

from app.contracts.declarations import ObjectLink
from app.db import db
from app.errors import NOT_FOUND
from app.guard import guard
from app.kube.models import Cluster, KubeObject
from app.web.frame import why_not
from app.web.listing import Column, Listing
from app.web.render import go, render
from app.web.table import Action, Cell
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import bp
from plugins.captain.objects import live
from plugins.captain.objects.cluster_page import opened
from plugins.captain.objects.kinds import KINDS, base, page_of
from plugins.captain.objects.mirror import find_by_uid, listed
from plugins.captain.objects.object_list import (
    NODE,
    READY,
    age_column,
    images_column,
    listing,
    name_column,
    namespace_column,
    state_column,
)
from plugins.captain.objects.object_page import LOG, SHELL, detail, owner_link
from plugins.captain.objects.units import cores
from plugins.captain.pods.containers import containers
from plugins.captain.pods.shapes import PAGE, SEARCH

EVICT, DELETE = _("Evict"), _("Delete")


def pods(
    cluster: Cluster, query: Select[KubeObject] | None = None, identifier: str = "pods", same: Sequence[str] = ()
) -> Listing:
    """Pods of a cluster, or those of *query*; ``same`` are columns that would say the same in every row."""
    root = base(cluster.id)

    def owner(row: KubeObject) -> Cell:
        kind, __, name = row.owner.partition("/")
        if kind == "ReplicaSet":  # a Deployment's, nearly always; its name ends in the template's hash
            name = name.rpartition("-")[0] or name
        return Cell("mono", text=name, title=row.owner, href=f"{root}/owners/{row.owner_uid}" if row.owner_uid else "")

    columns = [
        name_column(),
        namespace_column(),
        state_column(),
        Column("ready", READY, lambda r: f"{r.ready}/{r.total}", align="right"),
        Column("restarts", _("Restarts"), lambda r: r.restarts, "number", KubeObject.restarts),
        Column(
            "node",
            NODE,
            lambda r: Cell("mono", text=r.node, href=f"{root}/nodes/{r.node}" if r.node else ""),
            "mono",
            KubeObject.node,
        ),
        Column("ip", _("IP"), lambda r: Cell("mono", text=r.ip), "mono", KubeObject.ip),
        Column("owner", _("Made by"), owner, "mono", KubeObject.owner),
        images_column(hidden=True),
        Column("cpu", _("CPU requested"), lambda r: cores(r.cpu), sort=KubeObject.cpu, hidden=True, align="right"),
        Column("memory", _("Memory requested"), lambda r: r.memory, "bytes", KubeObject.memory, hidden=True),
        age_column(),
    ]
    query = listed(cluster.id, "pods") if query is None else query
    hint = _("Name, IP, node, image")
    return listing(cluster, "pods", columns, query, SEARCH, hint, identifier, pod_actions(cluster), same)


def pod_actions(cluster: Cluster) -> Callable[[KubeObject], Sequence[Action]]:
    """What can be done with a pod; rights are looked up once for all rows."""
    place = {"cluster": cluster.id}
    log = why_not(permissions.POD_LOG, place)
    shell = why_not(permissions.POD_SHELL, place)
    delete = why_not(permissions.POD_DELETE, place)
    root = base(cluster.id)

    def actions(row: KubeObject) -> Sequence[Action]:
        page = f"{root}/pods/{row.namespace}/{row.name}"
        return [
            Action(LOG, f"{page}/log", icon="scroll-text", disabled_reason=log),
            Action(SHELL, f"{page}/shell", icon="square-terminal", disabled_reason=shell),
            Action(EVICT, f"{page}/evict", dialog=True, icon="log-out", disabled_reason=delete),
            Action(DELETE, f"{page}/delete", dialog=True, danger=True, icon="trash-2", disabled_reason=delete),
        ]

    return actions


@bp.get("/<cluster_id>/pods")
@guard(permissions.POD_READ, resource=permissions.place)
def pod_list(cluster_id: str) -> Response:
    context = opened(cluster_id, "pods")
    return pods(context["cluster"]).respond("captain/object_list.html", kind=KINDS["pods"], **context)


@bp.get(PAGE)
@guard(permissions.POD_READ, resource=permissions.place)
def pod_detail(cluster_id: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["pods"], namespace, name)
    row, cluster = context["row"], context["cluster"]
    item, error = live.find(cluster, "Pod", namespace, name)
    context.update(
        item=item or row.data,
        error=error,
        containers=containers(item or row.data),
        owner=owner_link(cluster, row),
        actions=pod_actions(cluster)(row)[2:],
    )
    return render("captain/pod_detail.html", fragment="state", **context)


@bp.get("/<cluster_id>/owners/<uid>")
@guard(permissions.POD_READ, resource=permissions.place)
def owner(cluster_id: str, uid: str) -> Response:
    """The page of the object with this UID: lists link owners without looking each of them up."""
    cluster = opened(cluster_id, "")["cluster"]
    row = find_by_uid(cluster.id, uid)
    if row is not None and row.kind == "replicasets":
        row = find_by_uid(cluster.id, row.owner_uid) or row
    page = page_of(cluster.id, row.kind, row.namespace, row.name) if row is not None else ""
    if not page:
        raise NOT_FOUND(what=_("owner of this pod"))
    return go(page)


def page_by_name(identifier: str) -> str | None:
    """Where the audit leads: pods are named by ``cluster/namespace/name`` there, or by their UID."""
    parts = identifier.split("/")
    if len(parts) == 3:
        return page_of(parts[0], "pods", parts[1], parts[2])
    row = db.session.scalar(select(KubeObject).where(KubeObject.uid == identifier).options(defer(KubeObject.data)))
    return page_of(row.cluster_id, row.kind, row.namespace, row.name) if row is not None else None


LINK = ObjectLink("pod", _("Pod"), page_by_name)
