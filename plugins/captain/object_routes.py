"""Pages of nodes, namespaces, workloads and pods: lists from the mirror, details with the live object beside."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.auth import decisions
from app.db import rows
from app.errors import NOT_FOUND, ConsoleError
from app.guard import guard
from app.kube.models import Cluster, KubeObject
from app.web.render import go, render
from app.words import _
from plugins.captain import details, lists, live, permissions, queries
from plugins.captain.kinds import KINDS, Kind, workload
from plugins.captain.lists import page_of
from plugins.captain.pages import bp, opened


@bp.get("/<cluster_id>/nodes")
@guard(permissions.NODE_READ, resource=permissions.place)
def node_list(cluster_id: str) -> Response:
    context = opened(cluster_id, "nodes")
    return lists.nodes(context["cluster"]).respond("captain/object_list.html", kind=KINDS["nodes"], **context)


@bp.get("/<cluster_id>/namespaces")
@guard(permissions.NAMESPACE_READ, resource=permissions.place)
def namespace_list(cluster_id: str) -> Response:
    context = opened(cluster_id, "namespaces")
    return lists.namespaces(context["cluster"]).respond("captain/object_list.html", kind=KINDS["namespaces"], **context)


@bp.get("/<cluster_id>/workloads/<plural>")
@guard(permissions.WORKLOAD_READ, resource=permissions.place)
def workload_list(cluster_id: str, plural: str) -> Response:
    kind = workload(plural)
    context = opened(cluster_id, plural)
    return lists.workloads(context["cluster"], kind).respond("captain/object_list.html", kind=kind, **context)


@bp.get("/<cluster_id>/pods")
@guard(permissions.POD_READ, resource=permissions.place)
def pod_list(cluster_id: str) -> Response:
    context = opened(cluster_id, "pods")
    return lists.pods(context["cluster"]).respond("captain/object_list.html", kind=KINDS["pods"], **context)


@bp.get("/<cluster_id>/nodes/<name>")
@guard(permissions.NODE_READ, resource=permissions.place)
def node_detail(cluster_id: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["nodes"], "", name)
    row, cluster = context["row"], context["cluster"]
    context["used"] = queries.usage_by_node(cluster.id, name).get(name, (0, 0, 0))
    if decisions.allows(permissions.POD_READ, permissions.place(request.view_args or {})):
        query = queries.listed(cluster.id, "pods").where(KubeObject.node == row.name)
        listing = lists.pods(cluster, query, "node-pods", same=("node",))
        return listing.respond("captain/node_detail.html", **context)
    return render("captain/node_detail.html", fragment="rows", listing=None, **context)


@bp.get("/<cluster_id>/namespaces/<name>")
@guard(permissions.NAMESPACE_READ, resource=permissions.place)
def namespace_detail(cluster_id: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["namespaces"], "", name)
    counts = [
        (
            kind,
            [
                (details.state_text(state), tone, number)
                for state, tone, number in queries.by_state(cluster_id, kind.plural, name)
            ],
        )
        for kind in KINDS.values()
        if kind.tab and kind.plural not in ("nodes", "namespaces")
    ]
    return render("captain/namespace_detail.html", counts=counts, **context)


@bp.get("/<cluster_id>/workloads/<plural>/<namespace>/<name>")
@guard(permissions.WORKLOAD_READ, resource=permissions.place)
def workload_detail(cluster_id: str, plural: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, workload(plural), namespace, name)
    row, cluster = context["row"], context["cluster"]
    context["revisions"] = queries.made_by(row, "replicasets") if plural == "deployments" else []
    context["owner"] = details.owner_link(cluster, row)
    listing = lists.pods(cluster, queries.pods_of(row), "workload-pods", same=("namespace", "owner"))
    return listing.respond("captain/workload_detail.html", **context)


@bp.get("/<cluster_id>/pods/<namespace>/<name>")
@guard(permissions.POD_READ, resource=permissions.place)
def pod_detail(cluster_id: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["pods"], namespace, name, "overview")
    row, cluster = context["row"], context["cluster"]
    item, error = live.find(cluster, "Pod", namespace, name)
    context.update(
        item=item or row.data,
        error=error,
        containers=details.containers(item or row.data),
        owner=details.owner_link(cluster, row),
        actions=lists.pod_actions(cluster)(row),
        usage=(row.cpu, row.memory),
    )
    return render("captain/pod_detail.html", fragment="state", **context)


@bp.get("/<cluster_id>/owners/<uid>")
@guard(permissions.POD_READ, resource=permissions.place)
def owner(cluster_id: str, uid: str) -> Response:
    """The page of the object with this UID: lists link owners without looking each of them up."""
    cluster = opened(cluster_id, "")["cluster"]
    row = queries.find_by_uid(cluster.id, uid)
    if row is not None and row.kind == "replicasets":
        row = queries.find_by_uid(cluster.id, row.owner_uid) or row
    page = page_of(cluster.id, row.kind, row.namespace, row.name) if row is not None else ""
    if not page:
        raise NOT_FOUND(what=_("owner of this pod"))
    return go(page)


def _views(plural: str, namespace: str, name: str) -> tuple[Kind, str]:
    kind = KINDS.get(plural)
    if kind is None:
        raise NOT_FOUND(what=_("kind of object"))
    return kind, page_of("", plural, namespace, name)


@bp.get("/<cluster_id>/events/<plural>/<name>", defaults={"namespace": ""})
@bp.get("/<cluster_id>/events/<plural>/<namespace>/<name>")
@guard(permissions.CLUSTER_READ, resource=permissions.place)
def events(cluster_id: str, plural: str, namespace: str, name: str) -> Response:
    kind, __ = _views(plural, namespace, name)
    decisions.require(kind.permission, permissions.place(request.view_args or {}))
    context = detail(cluster_id, kind, namespace, name, "events")
    try:
        found, error = live.events(context["cluster"], kind.name, namespace, name), None
    except ConsoleError as refused:
        found, error = [], refused
    return render(
        "captain/events.html", fragment="events", events=found, error=error, box="events", about=False, **context
    )


@bp.get("/<cluster_id>/yaml/<plural>/<name>", defaults={"namespace": ""})
@bp.get("/<cluster_id>/yaml/<plural>/<namespace>/<name>")
@guard(permissions.CLUSTER_READ, resource=permissions.place)
def manifest(cluster_id: str, plural: str, namespace: str, name: str) -> Response:
    kind, __ = _views(plural, namespace, name)
    decisions.require(kind.permission, permissions.place(request.view_args or {}))
    context = detail(cluster_id, kind, namespace, name, "yaml")
    item, error = live.find(context["cluster"], kind.name, namespace, name)
    return render("captain/yaml.html", text=live.as_yaml(item) if item else "", error=error, **context)


def detail(cluster_id: str, kind: Kind, namespace: str, name: str, view: str = "overview") -> dict[str, Any]:
    """What the pages of one object share.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    context = opened(cluster_id, kind.plural)
    cluster: Cluster = context["cluster"]
    row = queries.get_object(cluster.id, kind, namespace, name)
    context.update(
        kind=kind,
        row=row,
        view=view,
        views=details.views(cluster.id, kind, namespace, name, view),
        page=page_of(cluster.id, kind.plural, namespace, name),
        name=name,
        space=namespace,
        conditions=details.conditions(row.data),
        words=details.words,
        state=details.state_text(row.state),
    )
    return context


def pods_beside(cluster: Cluster, row: KubeObject) -> list[KubeObject]:
    """Pods of the same owner, for moving between them."""
    if not row.owner_uid:
        return [row]
    query = queries.listed(cluster.id, "pods").where(KubeObject.owner_uid == row.owner_uid)
    return list(rows(query.limit(50)))
