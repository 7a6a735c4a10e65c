"""Namespaces: their list, and what is in one."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response
from sqlalchemy import func, select

from app.db import db
from app.guard import guard
from app.kube.clusters import get_cluster
from app.kube.models import Cluster, KubeObject
from app.web.api import Page
from app.web.listing import Column, Listing
from app.web.render import render
from app.web.table import Cell
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import ONE, api, bp
from plugins.captain.objects import mirror
from plugins.captain.objects.cluster_page import opened
from plugins.captain.objects.conditions import labels
from plugins.captain.objects.kinds import KINDS, base, state_text
from plugins.captain.objects.object_list import age_column, listing, name_column, page_of_objects, state_column
from plugins.captain.objects.object_page import detail
from plugins.captain.objects.shapes import ClusterId, ObjectName, ObjectOut, ObjectQuery, labels_of

SEARCH = (KubeObject.name,)


class NamespaceOut(ObjectOut):
    """A namespace."""


def count_by_namespace(cluster_id: str, plural: str) -> Mapping[str, int]:
    """How many objects of a kind each namespace holds."""
    query = select(KubeObject.namespace, func.count()).where(
        KubeObject.cluster_id == cluster_id, KubeObject.kind == plural
    )
    return {row[0]: row[1] for row in db.session.execute(query.group_by(KubeObject.namespace))}


def namespaces(cluster: Cluster) -> Listing:
    """Namespaces, with how many pods are in them."""
    query = mirror.listed(cluster.id, "namespaces", whole=True)
    pods = count_by_namespace(cluster.id, "pods")
    columns = [
        name_column(),
        state_column(),
        Column(
            "pods",
            _("Pods"),
            lambda r: Cell("number", value=pods.get(r.name, 0), href=f"{base(cluster.id)}/pods?namespace={r.name}"),
        ),
        Column("labels", _("Labels"), lambda r: labels(r.data), "labels"),
        age_column(),
    ]
    return listing(cluster, "namespaces", columns, query, SEARCH)


@bp.get("/<cluster_id>/namespaces")
@guard(permissions.NAMESPACE_READ, resource=permissions.place)
def namespace_list(cluster_id: str) -> Response:
    context = opened(cluster_id, "namespaces")
    return namespaces(context["cluster"]).respond("captain/object_list.html", kind=KINDS["namespaces"], **context)


@bp.get("/<cluster_id>/namespaces/<name>")
@guard(permissions.NAMESPACE_READ, resource=permissions.of_namespace)
def namespace_detail(cluster_id: str, name: str) -> Response:
    context = detail(cluster_id, KINDS["namespaces"], "", name)
    counts = [
        (
            kind,
            [
                (state_text(state), tone, number)
                for state, tone, number in mirror.by_state(cluster_id, kind.plural, name)
            ],
        )
        for kind in KINDS.values()
        if kind.tab and kind.plural not in ("nodes", "namespaces")
    ]
    return render("captain/namespace_detail.html", counts=counts, **context)


def namespace(row: KubeObject) -> NamespaceOut:
    """A namespace."""
    return NamespaceOut(row.name, row.namespace, row.uid, row.state, row.created_at, labels_of(row))


@api.operation(
    "GET",
    f"{ONE}/namespaces",
    "captain.namespaces.list",
    _("List namespaces"),
    permissions.NAMESPACE_READ,
    query=ObjectQuery,
    returns=Page[NamespaceOut],
    resource=permissions.place,
)
def list_namespaces(cluster_id: ClusterId, query: ObjectQuery) -> Page[NamespaceOut]:
    return page_of_objects(
        mirror.listed(get_cluster(cluster_id).id, "namespaces", whole=True), query, namespace, SEARCH
    )


@api.operation(
    "GET",
    f"{ONE}/namespaces/<name>",
    "captain.namespaces.get",
    _("Show a namespace"),
    permissions.NAMESPACE_READ,
    returns=NamespaceOut,
    resource=permissions.of_namespace,
)
def get_namespace(cluster_id: ClusterId, name: ObjectName) -> NamespaceOut:
    return namespace(mirror.get_object(get_cluster(cluster_id).id, KINDS["namespaces"], "", name))
