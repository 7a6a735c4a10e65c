"""Objects of all clusters for the palette and for ``/metrics``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from app.contracts.declarations import Found, Metric, SearchProvider
from app.db import db, rows, scoped
from app.kube.models import Cluster, KubeObject, MirrorState
from app.web.language import t
from app.web.listing import matching
from plugins.captain.objects.kinds import KINDS, Kind, page_of, state_text


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


def _provider(kind: Kind) -> SearchProvider:
    return SearchProvider(kind.permission, lambda text, limit: find_objects(kind, text, limit))


def objects() -> Mapping[tuple[str, ...], float]:
    """Objects in the mirror by cluster and kind."""
    found = db.session.execute(select(MirrorState.cluster_id, MirrorState.kind, MirrorState.objects))
    return {(row[0], row[1]): float(row[2]) for row in found}


SEARCH = [_provider(kind) for kind in KINDS.values() if kind.tab]
METRICS = [Metric("antstack_mirror_objects", "Objects in the mirror", ("cluster", "kind"), objects)]
