"""The list of clusters, and the numbers of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.db import db, scoped
from app.kube.models import REACHABLE, UNREACHABLE, Cluster
from app.web.listing import Column, Filter, Listing
from app.web.table import Action, Cell, Empty
from app.words import Text, _, pgettext
from plugins.captain.clusters.usage import Usage, usage
from plugins.captain.objects.kinds import KINDS, WORKLOADS, base, state_text
from plugins.captain.objects.mirror import by_state, mirrors
from plugins.captain.objects.object_list import NAME, STATE
from plugins.captain.objects.units import cores, share, size

STATES = {
    REACHABLE: (_("Reachable"), "ok"),
    UNREACHABLE: (_("Unreachable"), "bad"),
}
TONES = (
    ("ok", _("well")),
    ("info", _("changing")),
    ("warn", _("incomplete")),
    ("bad", _("failed")),
    ("neutral", _("stopped")),
)
NOT_YET = (_("Not read yet"), "neutral")
REGISTER = _("Register a cluster")
NOTHING = Empty(
    _("No cluster yet"),
    _("Register a cluster by its kubeconfig, and its nodes, workloads and pods are listed here."),
)


def listing(refused: Text | None) -> Listing:
    """Clusters of the tenant with their state and use."""
    identifiers = db.session.scalars(scoped(Cluster).with_only_columns(Cluster.id)).all()
    used, heard = usage(identifiers), mirrors(identifiers)

    def use(row: Cluster) -> Usage:
        return used.get(row.id, Usage())

    columns = [
        Column("name", NAME, lambda r: r.name, "text", Cluster.name, narrow=True),
        Column("state", STATE, state_cell, "tone", Cluster.state, narrow=True),
        Column(
            "code", pgettext("code", "Error"), lambda r: Cell("mono", text=r.error_code, title=r.error_detail), "mono"
        ),
        Column("version", _("Version"), lambda r: r.server_version, "mono", Cluster.server_version),
        Column(
            "nodes",
            _("Nodes"),
            lambda r: Cell("progress", value=(use(r).ready, use(r).nodes), href=f"{base(r.id)}/nodes"),
        ),
        Column("pods", _("Pods"), lambda r: Cell("number", value=use(r).pods, href=f"{base(r.id)}/pods")),
        Column(
            "cpu",
            _("CPU requested"),
            lambda r: share(use(r).cpu_requested, use(r).cpu, cores),
            align="right",
        ),
        Column(
            "memory",
            _("Memory requested"),
            lambda r: share(use(r).memory_requested, use(r).memory, size),
            align="right",
        ),
        Column("heard", _("Heard"), lambda r: heard[r.id].heard_at if r.id in heard else None, "time"),
        Column("server", _("Server"), lambda r: r.server, "mono", Cluster.server, hidden=True),
        Column("description", _("Description"), lambda r: r.description, hidden=True),
        Column("age", _("Registered"), lambda r: r.created_at, "time", Cluster.created_at, hidden=True),
    ]
    choices = [(key, text) for key, (text, __) in STATES.items()]
    empty = Empty(
        NOTHING.title,
        NOTHING.body,
        Action(REGISTER, "/captain/clusters/new", primary=True, disabled_reason=refused, icon="plus"),
    )
    return Listing(
        "clusters",
        scoped(Cluster),
        columns,
        (Cluster.name, Cluster.server, Cluster.description),
        [Filter("state", STATE, Cluster.state, choices)],
        default_sort="name",
        href=lambda row: base(row.id),
        actions=lambda row: _actions(row, refused),
        empty=empty,
        poll=5.0,
    )


def state_cell(cluster: Cluster) -> Cell:
    """A cluster's state in words; the error on hover."""
    text, tone = STATES.get(cluster.state, NOT_YET)
    return Cell("tone", tone=tone, text=text, title=cluster.error_detail)


def _actions(row: Cluster, refused: Text | None) -> Sequence[Action]:
    return [
        Action(_("Edit"), f"{base(row.id)}/edit", icon="pencil", disabled_reason=refused),
        Action(
            _("Remove"), f"{base(row.id)}/remove", dialog=True, danger=True, icon="trash-2", disabled_reason=refused
        ),
    ]


def numbers(cluster_id: str) -> Mapping[str, Any]:
    """What the overview draws: use, and counts by state of nodes, pods and workloads."""
    used = usage([cluster_id])[cluster_id]
    return {
        "usage": used,
        "nodes": _parts(by_state(cluster_id, "nodes")),
        "tones": [(text, tone) for tone, text in TONES],
        "pods": _parts(by_state(cluster_id, "pods")),
        "workloads": [
            (KINDS[plural].title, series(by_state(cluster_id, plural))) for plural in WORKLOADS if KINDS[plural].tab
        ],
    }


def _parts(found: Sequence[tuple[str, str, int]], most: int = 7) -> list[tuple[Text, int, str]]:
    """States for a chart; the rarest are put together."""
    shown = [(state_text(state), number, tone) for state, tone, number in found[:most]]
    rest = sum(number for __, __, number in found[most:])
    return [*shown, (_("others"), rest, "neutral")] if rest else shown


def series(found: Sequence[tuple[str, str, int]]) -> list[int]:
    """Numbers by tone, in the order of ``TONES``."""
    sums = dict.fromkeys((tone for tone, __ in TONES), 0)
    for __, tone, number in found:
        sums[tone] = sums.get(tone, 0) + number
    return list(sums.values())
