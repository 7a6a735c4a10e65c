"""``/api/v1/captain``: clusters, their numbers and warnings."""

from __future__ import annotations

from collections.abc import Sequence

from app.kube import clusters
from app.kube.clusters import get_cluster
from app.kube.errors import ERRORS as KUBE_ERRORS
from app.kube.errors import IN_USE
from app.web.api import Out
from app.web.conflicts import need_version
from app.words import _
from plugins.captain import blueprint, permissions
from plugins.captain.blueprint import ONE
from plugins.captain.clusters import registration, shapes
from plugins.captain.clusters.listed import CLUSTERS
from plugins.captain.clusters.registration import ChangedCluster, NewCluster
from plugins.captain.clusters.usage import usage
from plugins.captain.objects.events import Seen, warnings
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.mirror import by_state
from plugins.captain.objects.shapes import ClusterId

api = blueprint.api


@api.operation(
    "POST",
    "/captain/clusters",
    "captain.clusters.create",
    _("Register a cluster"),
    permissions.CLUSTER_EDIT,
    audit=permissions.CLUSTER_ADDED,
    body=NewCluster,
    returns=shapes.ClusterOut,
    status=201,
    errors=KUBE_ERRORS,
)
def create_cluster(body: NewCluster) -> Out:
    return CLUSTERS.shaped(registration.register(body))


@api.operation(
    "GET",
    ONE,
    "captain.clusters.get",
    _("Show a cluster"),
    permissions.CLUSTER_READ,
    returns=shapes.ClusterOut,
    resource=permissions.place,
)
def show_cluster(cluster_id: ClusterId) -> Out:
    return CLUSTERS.shaped(get_cluster(cluster_id))


@api.operation(
    "PATCH",
    ONE,
    "captain.clusters.update",
    _("Change a cluster"),
    permissions.CLUSTER_EDIT,
    audit=permissions.CLUSTER_CHANGED,
    body=ChangedCluster,
    returns=shapes.ClusterOut,
    errors=KUBE_ERRORS,
    resource=permissions.place,
    versioned=True,
)
def change_cluster(cluster_id: ClusterId, body: ChangedCluster) -> Out:
    row = get_cluster(cluster_id)
    need_version(row)
    return CLUSTERS.shaped(registration.change(row, body))


@api.operation(
    "DELETE",
    ONE,
    "captain.clusters.delete",
    _("Remove a cluster"),
    permissions.CLUSTER_EDIT,
    audit=permissions.CLUSTER_REMOVED,
    status=204,
    errors=(IN_USE,),
    resource=permissions.place,
)
def remove_cluster(cluster_id: ClusterId) -> None:
    clusters.remove(get_cluster(cluster_id))


@api.operation(
    "GET",
    f"{ONE}/overview",
    "captain.overview.get",
    _("Numbers of a cluster"),
    permissions.CLUSTER_READ,
    returns=shapes.OverviewOut,
    resource=permissions.place,
)
def get_overview(cluster_id: ClusterId) -> shapes.OverviewOut:
    identifier = get_cluster(cluster_id).id

    def counts(plural: str) -> list[shapes.Count]:
        return [shapes.Count(state, number) for state, __, number in by_state(identifier, plural)]

    kinds = [kind.plural for kind in KINDS.values() if kind.workload and kind.tab]
    used = shapes.usage(usage([identifier])[identifier])
    return shapes.OverviewOut(used, counts("nodes"), counts("pods"), {plural: counts(plural) for plural in kinds})


@api.operation(
    "GET",
    f"{ONE}/warnings",
    "captain.warnings.list",
    _("Recent warnings of a cluster"),
    permissions.CLUSTER_READ,
    returns=list[Seen],
    errors=KUBE_ERRORS,
    resource=permissions.place,
)
def get_warnings(cluster_id: ClusterId) -> Sequence[Seen]:
    return warnings(get_cluster(cluster_id))
