"""What all pages of a cluster share: tabs, banner and freshness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from app import site
from app.auth import decisions
from app.kube.clusters import get_cluster
from app.kube.errors import UNREACHABLE
from app.kube.models import REACHABLE, Cluster
from app.words import Text, _, plain
from plugins.captain import permissions
from plugins.captain.objects.kinds import KINDS, base
from plugins.captain.objects.mirror import Mirror, mirrors

OVERVIEW = _("Overview")
STALE = _("What is shown here is not current")


@dataclass(frozen=True, slots=True)
class Banner:
    """What stands above a cluster's pages when it cannot be believed."""

    reason: Text
    remedy: Text
    code: str


def opened(cluster_id: str, active: str, **more: Any) -> dict[str, Any]:
    """The context of ``captain/cluster_page.html``.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    cluster = get_cluster(cluster_id)
    mirror = mirrors([cluster.id])[cluster.id]
    return {
        "cluster": cluster,
        "mirror": mirror,
        "tabs": tabs(cluster, mirror, active),
        "banner": banner(cluster, mirror),
        "base": base(cluster.id),
        "namespace": request.args.get("namespace", ""),
        **more,
    }


def tabs(cluster: Cluster, mirror: Mirror, active: str) -> list[Mapping[str, Any]]:
    """The kinds that the caller may see; a namespace that was chosen is kept."""
    root, namespace = base(cluster.id), request.args.get("namespace", "")
    place = permissions.place(request.view_args or {})
    kept = f"?namespace={namespace}" if namespace else ""
    found: list[Mapping[str, Any]] = [{"title": OVERVIEW, "url": root, "active": active == "overview", "count": None}]
    for kind in KINDS.values():
        if kind.tab and decisions.allows(kind.permission, place):
            path = f"workloads/{kind.plural}" if kind.workload else kind.plural
            inside = kept if kind.plural not in ("nodes", "namespaces") else ""
            count = mirror.counts.get(kind.plural)
            found.append(
                {"title": kind.title, "url": f"{root}/{path}{inside}", "active": active == kind.plural, "count": count}
            )
    return found


def banner(cluster: Cluster, mirror: Mirror) -> Banner | None:
    """Why the cluster's lists may be wrong now, and what to do about it; None when they are right."""
    if cluster.state != REACHABLE and cluster.error_code:
        known = site.catalogue().errors.get(cluster.error_code, UNREACHABLE)
        return Banner(_told(cluster), known.remedy.format(cluster=cluster.name), cluster.error_code)
    if mirror.errors:
        kind, detail = next(iter(mirror.errors.items()))
        code = detail.partition(":")[0] if "/" in detail.partition(":")[0] else "KUBE/CLUSTER_ERROR"
        known = site.catalogue().errors.get(code, UNREACHABLE)
        reason = _("{kind} cannot be read from {name}: {detail}").format(kind=kind, name=cluster.name, detail=detail)
        return Banner(reason, known.remedy.format(cluster=cluster.name), code)
    return None


def _told(cluster: Cluster) -> Text:
    known = site.catalogue().errors.get(cluster.error_code)
    detail = cluster.error_detail
    if known is UNREACHABLE:
        __, __, detail = detail.partition(": ")
        return UNREACHABLE.reason.format(cluster=cluster.name, detail=detail)
    return known.reason.format(cluster=cluster.name, detail=detail) if known else plain(detail)
