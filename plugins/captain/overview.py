"""The list of clusters, and the numbers of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.contracts.text import Text
from app.db import db, scoped
from app.kube.models import REACHABLE, UNREACHABLE, Cluster
from app.web.listing import Column, Filter, Listing
from app.web.table import Action, Cell, Empty
from plugins.captain import queries, words
from plugins.captain.kinds import KINDS, WORKLOADS, state_text
from plugins.captain.lists import NAME, STATE, base
from plugins.captain.queries import Usage

STATES = {
    REACHABLE: (Text("Reachable", "可达"), "ok"),
    UNREACHABLE: (Text("Unreachable", "不可达"), "bad"),
}
TONES = (
    ("ok", Text("well", "正常")), ("info", Text("changing", "变更中")), ("warn", Text("incomplete", "未完成")),
    ("bad", Text("failed", "失败")), ("neutral", Text("stopped", "已停止")),
)  # fmt: skip
NOT_YET = (Text("Not read yet", "尚未读取"), "neutral")
REGISTER = Text("Register a cluster", "注册集群")
NOTHING = Empty(
    Text("No cluster yet", "暂无集群"),
    Text("Register a cluster by its kubeconfig, and its nodes, workloads and pods are listed here.",
         "通过 kubeconfig 注册集群后，可在此查看其节点、工作负载与容器组。"),
)  # fmt: skip


def listing(refused: Text | None) -> Listing:
    """Clusters of the tenant with their state and use."""
    identifiers = db.session.scalars(scoped(Cluster).with_only_columns(Cluster.id)).all()
    used, mirrors = queries.usage(identifiers), queries.mirrors(identifiers)

    def use(row: Cluster) -> Usage:
        return used.get(row.id, Usage())

    columns = [
        Column("name", NAME, lambda r: r.name, "text", Cluster.name, narrow=True),
        Column("state", STATE, state_cell, "tone", Cluster.state, narrow=True),
        Column("code", Text("Error", "错误码"), lambda r: Cell("mono", text=r.error_code, title=r.error_detail), "mono"),
        Column("version", Text("Version", "版本"), lambda r: r.server_version, "mono", Cluster.server_version),
        Column("nodes", Text("Nodes", "节点"), lambda r: Cell("progress", value=(use(r).ready, use(r).nodes), href=f"{base(r.id)}/nodes")),
        Column("pods", Text("Pods", "容器组"), lambda r: Cell("number", value=use(r).pods, href=f"{base(r.id)}/pods")),
        Column("cpu", Text("CPU requested", "CPU 请求"), lambda r: words.share(use(r).cpu_requested, use(r).cpu, words.cores), align="right"),
        Column("memory", Text("Memory requested", "内存请求"), lambda r: words.share(use(r).memory_requested, use(r).memory, words.size), align="right"),
        Column("heard", Text("Heard", "同步时间"), lambda r: mirrors[r.id].heard_at if r.id in mirrors else None, "time"),
        Column("server", Text("Server", "服务器"), lambda r: r.server, "mono", Cluster.server, hidden=True),
        Column("description", Text("Description", "描述"), lambda r: r.description, hidden=True),
        Column("age", Text("Registered", "注册时间"), lambda r: r.created_at, "time", Cluster.created_at, hidden=True),
    ]
    choices = [(key, text) for key, (text, _) in STATES.items()]
    empty = Empty(NOTHING.title, NOTHING.body, Action(REGISTER, "/captain/clusters/new", primary=True, disabled_reason=refused, icon="plus"))
    return Listing(
        "clusters", scoped(Cluster), columns, (Cluster.name, Cluster.server, Cluster.description),
        [Filter("state", STATE, Cluster.state, choices)], default_sort="name", href=lambda row: base(row.id),
        actions=lambda row: _actions(row, refused), empty=empty, poll=5.0,
    )  # fmt: skip


def state_cell(cluster: Cluster) -> Cell:
    """A cluster's state in words; the error on hover."""
    text, tone = STATES.get(cluster.state, NOT_YET)
    return Cell("tone", tone=tone, text=text, title=cluster.error_detail)


def _actions(row: Cluster, refused: Text | None) -> Sequence[Action]:
    return [
        Action(Text("Edit", "编辑"), f"{base(row.id)}/edit", icon="pencil", disabled_reason=refused),
        Action(Text("Remove", "移除"), f"{base(row.id)}/remove", dialog=True, danger=True, icon="trash-2", disabled_reason=refused),
    ]


def numbers(cluster_id: str) -> Mapping[str, Any]:
    """What the overview draws: use, and counts by state of nodes, pods and workloads."""
    used = queries.usage([cluster_id])[cluster_id]
    return {
        "usage": used,
        "nodes": _parts(queries.by_state(cluster_id, "nodes")),
        "tones": [(text, tone) for tone, text in TONES],
        "pods": _parts(queries.by_state(cluster_id, "pods")),
        "workloads": [(KINDS[plural].title, series(queries.by_state(cluster_id, plural))) for plural in WORKLOADS if KINDS[plural].tab],
    }


def _parts(found: Sequence[tuple[str, str, int]], most: int = 7) -> list[tuple[Text, int, str]]:
    """States for a chart; the rarest are put together."""
    shown = [(state_text(state), number, tone) for state, tone, number in found[:most]]
    rest = sum(number for _, _, number in found[most:])
    return [*shown, (Text("others", "其他"), rest, "neutral")] if rest else shown


def series(found: Sequence[tuple[str, str, int]]) -> list[int]:
    """Numbers by tone, in the order of ``TONES``."""
    sums = dict.fromkeys((tone for tone, _ in TONES), 0)
    for _, tone, number in found:
        sums[tone] = sums.get(tone, 0) + number
    return list(sums.values())
