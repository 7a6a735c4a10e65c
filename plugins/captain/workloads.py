"""Workloads: Deployments, StatefulSets, DaemonSets, Jobs and ReplicaSets, with the pods that they made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from flask import Response
from sqlalchemy import Select, or_, select

from app.auth import decisions
from app.contracts.shapes import doc
from app.db import rows
from app.errors import NOT_FOUND
from app.guard import guard
from app.kube.clusters import get_cluster
from app.kube.models import Cluster, KubeObject
from app.web.api import Out, Page
from app.web.listing import Column, Listing
from app.web.table import Cell
from app.words import _, pgettext
from plugins.captain import permissions
from plugins.captain.blueprint import ONE, api, bp
from plugins.captain.objects import mirror
from plugins.captain.objects.cluster_page import opened
from plugins.captain.objects.kinds import KINDS, Kind
from plugins.captain.objects.object_list import (
    READY,
    age_column,
    images_column,
    listing,
    name_column,
    namespace_column,
    page_of_objects,
    state_column,
)
from plugins.captain.objects.object_page import detail, owner_link
from plugins.captain.objects.shapes import ClusterId, Namespace, ObjectName, ObjectQuery, images_of
from plugins.captain.pods import shapes as pod_shapes
from plugins.captain.pods.shapes import PodOut
from plugins.captain.pods.views import pods

Plural = Annotated[str, doc("Kind of workload: `deployments`, `statefulsets`, `daemonsets` or `jobs`.")]
SEARCH = (KubeObject.name, KubeObject.images, KubeObject.application, KubeObject.product)


class WorkloadOut(Out):
    """A workload: its state in words, and how many of its replicas (a Job's completions) are there."""

    name: Annotated[str, doc("Name of the object.")]
    namespace: Annotated[str, doc("Namespace that it is in; empty where it is in none.")]
    uid: Annotated[str, doc("UID that the cluster gave; another object of this name has another.")]
    kind: Annotated[str, doc("Kind: `Deployment`, `StatefulSet`, `DaemonSet` or `Job`.")]
    state: Annotated[str, doc("State, as `kubectl get` would call it.")]
    ready: Annotated[int, doc("Replicas that are ready; of a Job, completions.")]
    desired: Annotated[int, doc("Replicas that are wanted; of a Job, completions.")]
    images: Annotated[list[str], doc("Images of its containers.")]
    product: Annotated[str | None, doc("Product that it was delivered with; null for others.")]
    application: Annotated[str | None, doc("Application that it runs; null for others.")]
    created_at: Annotated[datetime | None, doc("When it was created in the cluster.")]


def kind_of_workload(plural: str) -> Kind:
    """The kind of workload with this plural.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    kind = KINDS.get(plural)
    if kind is None or not kind.workload:
        raise NOT_FOUND(what=_("kind of workload"))
    return kind


def pods_of(owner: KubeObject) -> Select[KubeObject]:
    """Pods that an object made, itself or through the ReplicaSets that it made."""
    made = select(KubeObject.uid).where(KubeObject.cluster_id == owner.cluster_id, KubeObject.owner_uid == owner.uid)
    return mirror.listed(owner.cluster_id, "pods").where(
        or_(KubeObject.owner_uid == owner.uid, KubeObject.owner_uid.in_(made.correlate(None)))
    )


def made_by(owner: KubeObject, plural: str) -> Sequence[KubeObject]:
    """Objects of a kind that an object made, newest first."""
    query = mirror.listed(owner.cluster_id, plural).where(KubeObject.owner_uid == owner.uid)
    return rows(query.order_by(None).order_by(KubeObject.created_at.desc()))


def workloads(cluster: Cluster, kind: Kind) -> Listing:
    """Workloads of one kind."""
    columns = [
        name_column(),
        namespace_column(),
        state_column(),
        Column(
            "ready",
            pgettext("number of pods", "Completed") if kind.plural == "jobs" else READY,
            lambda r: Cell("progress", value=(r.ready, r.total)),
            sort=KubeObject.ready,
        ),
        images_column(),
        Column("product", _("Product"), lambda r: r.product, "mono", KubeObject.product, hidden=True),
        Column("application", _("Application"), lambda r: r.application, "mono", KubeObject.application, hidden=True),
        age_column(),
    ]
    query = mirror.listed(cluster.id, kind.plural)
    return listing(cluster, kind.plural, columns, query, SEARCH, _("Name, image, application"))


@bp.get("/<cluster_id>/workloads/<plural>")
@guard(permissions.WORKLOAD_READ, resource=permissions.place)
def workload_list(cluster_id: str, plural: str) -> Response:
    kind = kind_of_workload(plural)
    context = opened(cluster_id, plural)
    return workloads(context["cluster"], kind).respond("captain/object_list.html", kind=kind, **context)


@bp.get("/<cluster_id>/workloads/<plural>/<namespace>/<name>")
@guard(permissions.WORKLOAD_READ, resource=permissions.place)
def workload_detail(cluster_id: str, plural: str, namespace: str, name: str) -> Response:
    context = detail(cluster_id, kind_of_workload(plural), namespace, name)
    row, cluster = context["row"], context["cluster"]
    context["revisions"] = made_by(row, "replicasets") if plural == "deployments" else []
    context["owner"] = owner_link(cluster, row)
    listing = pods(cluster, pods_of(row), "workload-pods", same=("namespace", "owner"))
    return listing.respond("captain/workload_detail.html", **context)


def workload(row: KubeObject) -> WorkloadOut:
    """A workload."""
    return WorkloadOut(
        row.name,
        row.namespace,
        row.uid,
        row.kind,
        row.state,
        row.ready,
        row.total,
        images_of(row),
        row.product or None,
        row.application or None,
        row.created_at,
    )


@api.operation(
    "GET",
    f"{ONE}/workloads/<plural>",
    "captain.workloads.list",
    _("List workloads of a kind"),
    permissions.WORKLOAD_READ,
    query=ObjectQuery,
    returns=Page[WorkloadOut],
    resource=permissions.place,
)
def list_workloads(cluster_id: ClusterId, plural: Plural, query: ObjectQuery) -> Page[WorkloadOut]:
    return page_of_objects(
        mirror.listed(get_cluster(cluster_id).id, kind_of_workload(plural).plural), query, workload, SEARCH
    )


@api.operation(
    "GET",
    f"{ONE}/workloads/<plural>/<namespace>/<name>",
    "captain.workloads.get",
    _("Show a workload"),
    permissions.WORKLOAD_READ,
    returns=WorkloadOut,
    resource=permissions.place,
)
def get_workload(cluster_id: ClusterId, plural: Plural, namespace: Namespace, name: ObjectName) -> WorkloadOut:
    return workload(mirror.get_object(get_cluster(cluster_id).id, kind_of_workload(plural), namespace, name))


@api.operation(
    "GET",
    f"{ONE}/workloads/<plural>/<namespace>/<name>/pods",
    "captain.workloads.pods",
    _("Pods of a workload"),
    permissions.WORKLOAD_READ,
    query=ObjectQuery,
    returns=Page[PodOut],
    resource=permissions.place,
)
def list_workload_pods(
    cluster_id: ClusterId,
    plural: Plural,
    namespace: Namespace,
    name: ObjectName,
    query: ObjectQuery,
) -> Page[PodOut]:
    decisions.require(permissions.POD_READ, {"cluster": cluster_id, "namespace": namespace})
    row = mirror.get_object(get_cluster(cluster_id).id, kind_of_workload(plural), namespace, name)
    return page_of_objects(pods_of(row), query, pod_shapes.pod, (KubeObject.name,))
