"""Clusters, declared once for their list, its CSV and the API: with their state, and what is requested of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import g

from app.contracts.shapes import doc
from app.db import db, scoped
from app.kube.clusters import CLUSTER
from app.kube.models import REACHABLE, UNREACHABLE, Cluster
from app.web.frame import why_not
from app.web.listed import Listed
from app.web.listing import Column, Filter
from app.web.table import Action, Cell, Empty
from app.words import _, pgettext
from plugins.captain import permissions
from plugins.captain.blueprint import api, bp
from plugins.captain.clusters import shapes
from plugins.captain.clusters.usage import Usage, usage
from plugins.captain.objects.kinds import base
from plugins.captain.objects.mirror import Mirror, mirrors
from plugins.captain.objects.object_list import NAME, STATE
from plugins.captain.objects.shapes import ClusterId
from plugins.captain.objects.units import cores, share, size

STATES = {
    REACHABLE: (_("Reachable"), "ok"),
    UNREACHABLE: (_("Unreachable"), "bad"),
}
NOT_YET = (_("Not read yet"), "neutral")
EDIT = permissions.CLUSTER_EDIT


def shaped(found: Sequence[Cluster]) -> list[shapes.ClusterOut]:
    """Clusters as the API answers them."""
    identifiers = [row.id for row in found]
    used, heard = usage(identifiers), mirrors(identifiers)
    return [shapes.cluster(row, used[row.id], heard[row.id]) for row in found]


def _seen() -> tuple[Mapping[str, Usage], Mapping[str, Mirror]]:
    """Use and freshness of the tenant's clusters, read once for all rows of a page."""
    if "clusters_seen" not in g:
        identifiers = db.session.scalars(scoped(Cluster).with_only_columns(Cluster.id)).all()
        g.clusters_seen = usage(identifiers), mirrors(identifiers)
    found: tuple[Mapping[str, Usage], Mapping[str, Mirror]] = g.clusters_seen
    return found


def _use(row: Cluster) -> Usage:
    return _seen()[0].get(row.id, Usage())


def _state(row: Cluster) -> Cell:
    text, tone = STATES.get(row.state, NOT_YET)
    return Cell("tone", tone=tone, text=text, title=row.error_detail)


def _nodes(row: Cluster) -> Cell:
    return Cell("progress", value=(_use(row).ready, _use(row).nodes), href=f"{base(row.id)}/nodes")


def _register() -> Action:
    refused = why_not(EDIT)
    return Action(_("Register a cluster"), "/captain/clusters/new", primary=True, disabled_reason=refused, icon="plus")


CLUSTERS = Listed(
    api,
    bp,
    "cluster",
    "",
    _("Clusters"),
    CLUSTER,
    Cluster,
    shapes.ClusterOut,
    ClusterId,
    permissions.CLUSTER_READ,
    shapes=shaped,
    served=("/captain/clusters", "captain.clusters"),
)
CLUSTERS.listed(
    _("List clusters"),
    [
        Column("name", NAME, lambda r: r.name, "text", Cluster.name, narrow=True),
        Column("state", STATE, _state, "tone", Cluster.state, narrow=True),
        Column(
            "code", pgettext("code", "Error"), lambda r: Cell("mono", text=r.error_code, title=r.error_detail), "mono"
        ),
        Column(
            "version", _("Version"), lambda r: r.server_version, "mono", Cluster.server_version, field="serverVersion"
        ),
        Column("nodes", _("Nodes"), _nodes),
        Column("pods", _("Pods"), lambda r: Cell("number", value=_use(r).pods, href=f"{base(r.id)}/pods")),
        Column("cpu", _("CPU requested"), lambda r: share(_use(r).cpu_requested, _use(r).cpu, cores), align="right"),
        Column(
            "memory",
            _("Memory requested"),
            lambda r: share(_use(r).memory_requested, _use(r).memory, size),
            align="right",
        ),
        Column("heard", _("Heard"), lambda r: _seen()[1][r.id].heard_at if r.id in _seen()[1] else None, "time"),
        Column("server", _("Server"), lambda r: r.server, "mono", Cluster.server, hidden=True),
        Column("description", _("Description"), lambda r: r.description, hidden=True),
        Column(
            "age", _("Registered"), lambda r: r.created_at, "time", Cluster.created_at, hidden=True, field="createdAt"
        ),
    ],
    search=(Cluster.name, Cluster.server, Cluster.description),
    filters=[
        Filter(
            "state",
            STATE,
            Cluster.state,
            [(key, text) for key, (text, __) in STATES.items()],
            doc=doc("Only clusters in this state."),
        )
    ],
    sort="name",
    empty=lambda: Empty(
        _("No cluster yet"),
        _("Register a cluster by its kubeconfig, and its nodes, workloads and pods are listed here."),
        _register(),
    ),
    buttons=lambda: [_register()],
    href=lambda row: base(row.id),
    poll=5.0,
)


@CLUSTERS.offers
def edit(row: Cluster) -> Action:
    """To its form."""
    return Action(_("Edit"), f"{base(row.id)}/edit", icon="pencil", disabled_reason=why_not(EDIT))


@CLUSTERS.offers
def remove(row: Cluster) -> Action:
    """To the question whether it shall go."""
    refused = why_not(EDIT)
    return Action(
        _("Remove"), f"{base(row.id)}/remove", dialog=True, danger=True, icon="trash-2", disabled_reason=refused
    )
