"""The list of nodes, and the page of one with the pods on it."""

from __future__ import annotations

from flask import Response, request

from app.auth import decisions
from app.guard import guard
from app.kube.models import Cluster, KubeObject
from app.web.listing import Column, Listing
from app.web.render import render
from app.web.table import Cell
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import bp
from plugins.captain.nodes import orders
from plugins.captain.nodes.facts import info, roles, taints, usage_by_node
from plugins.captain.nodes.shapes import SEARCH
from plugins.captain.objects.cluster_page import opened
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.mirror import listed
from plugins.captain.objects.object_list import age_column, listing, name_column, state_column
from plugins.captain.objects.object_page import detail
from plugins.captain.objects.units import capacity, cores, share, size
from plugins.captain.pods.views import pods

NOTHING = (0, 0, 0)


def nodes(cluster: Cluster) -> Listing:
    """Nodes, with what is requested of them."""
    used = usage_by_node(cluster.id)
    query = listed(cluster.id, "nodes", whole=True)

    def asked(row: KubeObject, place: int) -> int:
        return used.get(row.name, NOTHING)[place]

    columns = [
        name_column(),
        state_column(),
        Column("roles", _("Roles"), lambda r: roles(r.data), "tags"),
        Column("ip", _("IP"), lambda r: Cell("mono", text=r.ip), "mono", KubeObject.ip),
        Column("pods", _("Pods"), lambda r: Cell("progress", value=(asked(r, 0), r.total))),
        Column("cpu", _("CPU requested"), lambda r: share(asked(r, 1), r.cpu, cores), align="right"),
        Column("memory", _("Memory requested"), lambda r: share(asked(r, 2), r.memory, size), align="right"),
        Column("version", _("Version"), lambda r: info(r.data).get("kubeletVersion", ""), "mono"),
        Column("taints", _("Taints"), lambda r: taints(r.data), "tags", hidden=True),
        Column("system", _("System"), lambda r: info(r.data).get("osImage", ""), hidden=True),
        Column("labels", _("Labels"), lambda r: r.data["metadata"].get("labels") or {}, "labels", hidden=True),
        age_column(),
    ]
    return listing(cluster, "nodes", columns, query, SEARCH, actions=lambda row: orders.actions(cluster, row))


@bp.get("/<cluster_id>/nodes")
@guard(permissions.NODE_READ, resource=permissions.place)
def node_list(cluster_id: str) -> Response:
    context = opened(cluster_id, "nodes")
    return nodes(context["cluster"]).respond("captain/object_list.html", kind=KINDS["nodes"], **context)


@bp.get("/<cluster_id>/nodes/<name>")
@guard(permissions.NODE_READ, resource=permissions.place)
def node_detail(cluster_id: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["nodes"], "", name)
    row, cluster = context["row"], context["cluster"]
    context["used"] = usage_by_node(cluster.id, name).get(name, NOTHING)
    context.update(info=info(row.data), roles=roles(row.data), taints=taints(row.data), cores=cores, size_of=capacity)
    context["actions"] = orders.actions(cluster, row)
    if decisions.allows(permissions.POD_READ, permissions.place(request.view_args or {})):
        query = listed(cluster.id, "pods").where(KubeObject.node == row.name)
        listing = pods(cluster, query, "node-pods", same=("node",))
        return listing.respond("captain/node_detail.html", **context)
    return render("captain/node_detail.html", fragment="rows", listing=None, **context)
