"""Captain for the rest of the console: search, links, first steps, health and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from app import caller
from app.contracts.declarations import ChecklistItem, Found, HealthCheck, Metric, ObjectLink, SearchProvider
from app.db import db, rows, scoped
from app.kube.models import REACHABLE, UNREACHABLE, Cluster, KubeObject, MirrorState
from app.web.language import t
from app.web.listing import matching
from app.words import Text, _
from plugins.captain import permissions, queries
from plugins.captain.kinds import KINDS, Kind, state_text
from plugins.captain.lists import base, page_of

CLUSTER = _("Cluster")


def find_clusters(text: str, limit: int) -> Sequence[Found]:
    """Clusters by name or server."""
    if not text.strip():
        return []
    found = queries.clusters_named(text, caller.current().tenant_id, limit)
    return [Found(CLUSTER, row.name, base(row.id), row.server) for row in found]


def _provider(kind: Kind) -> SearchProvider:
    def find(text: str, limit: int) -> Sequence[Found]:
        return find_objects(kind, text, limit)

    return SearchProvider(kind.permission, find)


def find_objects(kind: Kind, text: str, limit: int) -> Sequence[Found]:
    """Objects of one kind in all clusters of the tenant, by name."""
    if len(text.strip()) < 2:
        return []
    found = db.session.execute(scoped(Cluster).with_only_columns(Cluster.id, Cluster.name))
    names = {row[0]: row[1] for row in found}
    if not names:
        return []
    query = (
        select(KubeObject)
        .where(KubeObject.cluster_id.in_(names), KubeObject.kind == kind.plural, matching(text, (KubeObject.name,)))
        .options(defer(KubeObject.data))
        .order_by(func.length(KubeObject.name), KubeObject.name)
        .limit(limit)
    )
    return [
        Found(
            kind.title,
            row.name,
            page_of(row.cluster_id, row.kind, row.namespace, row.name),
            f"{names[row.cluster_id]} {row.namespace} {t(state_text(row.state))}".strip(),
        )
        for row in rows(query)
    ]


def providers() -> Sequence[SearchProvider]:
    """What the palette finds."""
    return [
        SearchProvider(permissions.CLUSTER_READ, find_clusters),
        *(_provider(kind) for kind in KINDS.values() if kind.tab),
    ]


def links() -> Sequence[ObjectLink]:
    """Where audit rows lead."""
    return [
        ObjectLink("cluster", CLUSTER, base),
        ObjectLink("pod", _("Pod"), _pod_page),
    ]


def _pod_page(identifier: str) -> str | None:
    """Pods are named by ``cluster/namespace/name``, or by their UID."""
    parts = identifier.split("/")
    if len(parts) == 3:
        return page_of(parts[0], "pods", parts[1], parts[2])
    row = db.session.scalar(select(KubeObject).where(KubeObject.uid == identifier).options(defer(KubeObject.data)))
    return page_of(row.cluster_id, row.kind, row.namespace, row.name) if row is not None else None


def has_cluster() -> bool:
    """Whether the tenant has a cluster."""
    return db.session.scalar(scoped(Cluster).with_only_columns(Cluster.id).limit(1)) is not None


def checklist() -> Sequence[ChecklistItem]:
    """First steps."""
    return [
        ChecklistItem(
            20,
            _("Register a cluster"),
            _("Give the console a kubeconfig; it lists what runs there."),
            "captain.cluster_new",
            permissions.CLUSTER_EDIT,
            has_cluster,
        )
    ]


def unreachable() -> Text | None:
    """Clusters that do not answer, in words, or None."""
    query = select(Cluster).where(Cluster.state == UNREACHABLE).order_by(Cluster.name)
    found = [f"{row.name} ({row.error_code})" for row in rows(query)]
    if not found:
        return None
    names = ", ".join(found)
    return _("Clusters that do not answer: {names}. Check their API servers and credentials.").format(names=names)


def checks() -> Sequence[HealthCheck]:
    """Checks of ``antstack doctor``."""
    return [HealthCheck("clusters", unreachable)]


def reachability() -> Mapping[tuple[str, ...], float]:
    """1 for each cluster that answers, 0 for each that does not."""
    found = db.session.execute(select(Cluster.id, Cluster.name, Cluster.state))
    return {(row[0], row[1]): float(row[2] == REACHABLE) for row in found}


def objects() -> Mapping[tuple[str, ...], float]:
    """Objects in the mirror by cluster and kind."""
    found = db.session.execute(select(MirrorState.cluster_id, MirrorState.kind, MirrorState.objects))
    return {(row[0], row[1]): float(row[2]) for row in found}


def metrics() -> Sequence[Metric]:
    """Numbers of ``/metrics``."""
    return [
        Metric(
            "antstack_cluster_reachable", "Whether the cluster's API server answers", ("cluster", "name"), reachability
        ),
        Metric("antstack_mirror_objects", "Objects in the mirror", ("cluster", "kind"), objects),
    ]
