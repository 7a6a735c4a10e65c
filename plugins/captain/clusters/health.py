"""Clusters for the rest of the console: search, links, first steps, health and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app import caller
from app.contracts.declarations import ChecklistItem, Found, HealthCheck, Metric, ObjectLink, SearchProvider
from app.db import db, rows, scoped
from app.kube.models import REACHABLE, UNREACHABLE, Cluster
from app.web.listing import matching
from app.words import Text, _
from plugins.captain import permissions
from plugins.captain.objects.kinds import base

CLUSTER = _("Cluster")


def find_clusters(text: str, limit: int) -> Sequence[Found]:
    """Clusters by name or server."""
    if not text.strip():
        return []
    found = clusters_named(text, caller.current().tenant_id, limit)
    return [Found(CLUSTER, row.name, base(row.id), row.server) for row in found]


def clusters_named(text: str, tenant_id: str, limit: int) -> Sequence[Cluster]:
    """Clusters of a tenant whose name holds the text."""
    query = select(Cluster).where(Cluster.tenant_id == tenant_id, matching(text, (Cluster.name, Cluster.server)))
    return rows(query.order_by(Cluster.name).limit(limit))


def has_cluster() -> bool:
    """Whether the tenant has a cluster."""
    return db.session.scalar(scoped(Cluster).with_only_columns(Cluster.id).limit(1)) is not None


def unreachable() -> Text | None:
    """Clusters that do not answer, in words, or None."""
    query = select(Cluster).where(Cluster.state == UNREACHABLE).order_by(Cluster.name)
    found = [f"{row.name} ({row.error_code})" for row in rows(query)]
    if not found:
        return None
    names = ", ".join(found)
    return _("Clusters that do not answer: {names}. Check their API servers and credentials.").format(names=names)


def reachability() -> Mapping[tuple[str, ...], float]:
    """1 for each cluster that answers, 0 for each that does not."""
    found = db.session.execute(select(Cluster.id, Cluster.name, Cluster.state))
    return {(row[0], row[1]): float(row[2] == REACHABLE) for row in found}


SEARCH = SearchProvider(permissions.CLUSTER_READ, find_clusters)
LINK = ObjectLink("cluster", CLUSTER, base)
CHECK = HealthCheck("clusters", unreachable)
METRIC = Metric(
    "antstack_cluster_reachable", "Whether the cluster's API server answers", ("cluster", "name"), reachability
)
FIRST_STEP = ChecklistItem(
    20,
    _("Register a cluster"),
    _("Give the console a kubeconfig; it lists what runs there."),
    "captain.cluster_new",
    permissions.CLUSTER_EDIT,
    has_cluster,
)
