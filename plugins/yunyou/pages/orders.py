"""Orders: lists, and the live page of one order."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response, make_response, request, url_for
from sqlalchemy import Select, select

from app.auth import decisions
from app.contracts.text import Text, plain
from app.db import db, rows, scoped
from app.errors import NOT_FOUND, ConsoleError
from app.guard import guard
from app.kube import paths
from app.kube.client import Kube
from app.orders import commands, tree, verbs
from app.orders.models import Order, OrderEvent, OrderLog, OrderNode
from app.web import pod_logs
from app.web.language import t
from app.web.listing import Column, Filter, Listing
from app.web.pod_logs import LogQuery
from app.web.render import go, render
from app.web.table import Cell, Empty
from plugins.yunyou import environments, lifecycle, live, order_api, orders, permissions, products
from plugins.yunyou.domain.podview import view
from plugins.yunyou.models import Environment

bp = Blueprint("yunyou_orders", __name__, url_prefix="/yunyou/orders")
STATES = {
    "queued": Text("Queued", "排队中"),
    "running": Text("Running", "执行中"),
    "waiting": Text("Waiting for you", "待确认"),
    "paused": Text("Paused", "已暂停"),
    "failed": Text("Failed", "失败"),
    "succeeded": Text("Succeeded", "成功"),
    "cancelling": Text("Cancelling", "取消中"),
    "cancelled": Text("Cancelled", "已取消"),
    "rolled-back": Text("Rolled back", "已回滚"),
    "skipped": Text("Skipped", "已跳过"),
}
WAITING_TURN = Text("Pending", "等待")
EVENTS = {
    "started": Text("Started", "开始执行"),
    "resumed": Text("Taken over by another worker", "由其他工作进程接续"),
    "corrected": Text("Planned anew after a correction", "更正后重新规划"),
}
TYPES = {"release": Text("Release", "发布单"), "operation": Text("Operation", "运维单"), "test": Text("Test", "测试单")}
PODS_SHOWN = 600
LOG_LINES = 200
LINES = 300


def order_listing(id: str, query: Select[Any]) -> Listing:
    """A list of orders: all of them, one solution's, one product's."""
    columns = (
        Column("title", Text("Order", "执行单"), lambda o: o.title, "link", Order.title, narrow=True),
        Column("type", Text("Type", "类型"), lambda o: TYPES[o.type], sort=Order.type),
        Column("state", Text("State", "状态"), lambda o: Cell("status", status=o.state), sort=Order.state, narrow=True),
        Column(
            "progress",
            Text("Progress", "进度"),
            lambda o: Cell("progress", value=o.progress, text=f"{o.progress:.0%}"),
            sort=Order.progress,
        ),
        Column("creator", Text("Created by", "创建人"), lambda o: o.creator, sort=Order.creator),
        Column("created", Text("Created", "创建时间"), lambda o: o.created_at, "time", Order.created_at),
        Column("finished", Text("Ended", "结束时间"), lambda o: o.finished_at, "time", Order.finished_at),
    )
    filters = (
        Filter("state", Text("State", "状态"), Order.state, list(STATES.items())),
        Filter("type", Text("Type", "类型"), Order.type, list(TYPES.items())),
    )
    return Listing(
        id,
        query,
        columns,
        search=(Order.title, Order.creator),
        filters=filters,
        default_sort="-created",
        poll=3,
        href=lambda o: url_for("yunyou_orders.order_show", order_id=o.id),
        empty=Empty(
            Text("No order yet", "还没有执行单"),
            Text(
                "Orders come from solutions, and from operations on applications.",
                "执行单由解决方案部署或应用运维产生。",
            ),
        ),
    )


@bp.get("")
@guard(permissions.ORDER_READ)
def order_list() -> Response:
    return order_listing("orders", scoped(Order).where(Order.plugin == "yunyou")).respond("yunyou/order_list.html")


@bp.get("/<order_id>")
@guard(permissions.ORDER_READ)
def order_show(order_id: str) -> Response:
    order = order_api.get_order(order_id)
    found = tree.Tree(order_api.nodes_of(order))
    selected = _selected(found, request.args.get("node", ""))
    return render(
        "yunyou/order_show.html",
        fragment=request.args.get("part") or "live",
        order=order,
        **_order(order, found, selected),
        **_detail(order, found, selected),
    )


def _selected(found: tree.Tree, wanted: str) -> OrderNode:
    """The node that is looked at: the one asked for, else where something waits or failed, else the first product."""
    if wanted in found.by_id:
        return found.by_id[wanted]
    for state in (tree.WAITING, tree.FAILED, tree.RUNNING):
        for leaf in found.leaves:
            if leaf.state == state:
                parent = found.by_id.get(leaf.parent_id or "")
                while parent is not None and parent.kind not in ("application", "stage"):
                    parent = found.by_id.get(parent.parent_id or "")
                return parent or leaf
    return found.roots[0]


def _order(order: Order, found: tree.Tree, selected: OrderNode) -> dict[str, Any]:
    counts: dict[str, int] = {}
    applications = [node for node in found.nodes if node.kind == "application"]
    for node in applications:
        counts[node.state] = counts.get(node.state, 0) + 1
    environment = db.session.get(Environment, order.environment_id)
    return {
        "tree_nodes": [_shown(order, found, root, selected) for root in found.roots],
        "counts": sorted(counts.items()),
        "applications": len(applications),
        "environment": environment,
        "order_verbs": verbs.of_order(order),
        "titles": verbs.TITLES,
        "state_words": STATES,
        "type_word": TYPES[order.type],
        "stuck": verbs.is_stuck(order),
        "waiting": [leaf for leaf in found.leaves if leaf.state == tree.WAITING],
        "failed": [leaf for leaf in found.leaves if leaf.state == tree.FAILED],
        "found": found,
        "blocker": db.session.get(Order, order.blocked_by) if order.blocked_by else None,
        "may": decisions.allows(permissions.ORDER_CONTROL, decisions.LATER),
        "live": order.state not in tree.TERMINAL,
    }


def _shown(order: Order, found: tree.Tree, node: OrderNode, selected: OrderNode) -> dict[str, Any]:
    children = [c for c in found.children.get(node.id, []) if not (c.kind == "stage" and not found.children.get(c.id))]
    leaves = found.under(node)
    inside = any(n.id == selected.id for n in (node, *_below(found, node)))
    deep = node.kind in ("application",)
    return {
        "id": node.id,
        "title": t(Text(node.title_en, node.title_zh)) if node.title_en else node.name,
        "state": node.state,
        "href": url_for("yunyou_orders.order_show", order_id=order.id, node=node.id),
        "done": sum(1 for x in leaves if x.state in tree.DONE),
        "total": len(leaves),
        "children": [] if deep else [_shown(order, found, child, selected) for child in children],
        "open": inside or node.kind == "stage" and node.state in (tree.RUNNING, tree.WAITING, tree.FAILED),
        "selected": node.id == selected.id,
    }


def _below(found: tree.Tree, node: OrderNode) -> list[OrderNode]:
    children = found.children.get(node.id, [])
    return [*children, *(x for child in children for x in _below(found, child))]


def _detail(order: Order, found: tree.Tree, node: OrderNode) -> dict[str, Any]:
    leaves = found.under(node)
    ids = [leaf.id for leaf in leaves]
    lines = rows(
        select(OrderLog)
        .where(OrderLog.order_id == order.id, OrderLog.node_id.in_(ids[:500]))
        .order_by(OrderLog.id.desc())
        .limit(LINES)
    )
    events = rows(
        select(OrderEvent)
        .where(OrderEvent.order_id == order.id, OrderEvent.node_id.in_([node.id, *ids][:500]))
        .order_by(OrderEvent.id.desc())
        .limit(30)
    )
    return {
        "node": node,
        "leaves": leaves,
        "node_verbs": verbs.of_node(order, node, leaves),
        "lines": list(reversed(lines)),
        "events": [(event, told(event)) for event in events],
        "pod_groups": _pods(order, found, node),
        "path": _path(found, node),
        "failures": [leaf for leaf in leaves if leaf.state == tree.FAILED],
    }


def told(event: OrderEvent) -> Text:
    """What happened, in words."""
    if event.what == "state":
        before, after = STATES.get(event.before, WAITING_TURN), STATES.get(event.after, WAITING_TURN)
        return Text(f"{before.en} → {after.en}", f"{before.zh} → {after.zh}")
    return EVENTS.get(event.what) or verbs.TITLES.get(event.what) or plain(event.what)


def _path(found: tree.Tree, node: OrderNode) -> list[OrderNode]:
    path = [node]
    while path[0].parent_id and path[0].parent_id in found.by_id:
        path.insert(0, found.by_id[path[0].parent_id])
    return path


def _pods(order: Order, found: tree.Tree, node: OrderNode) -> list[dict[str, Any]]:
    """Squares: every pod of the selected applications by group, as far as the cluster shows them."""
    environment = db.session.get(Environment, order.environment_id)
    applications = [n for n in (*_path(found, node), *_below(found, node)) if n.kind == "application"]
    if environment is None or not applications:
        return []
    try:
        seen = live.look(environment)
        groups = [g for app in applications[:60] for g in _groups(order, found, app, seen)]
    except ConsoleError:
        return []
    return groups


def _groups(order: Order, found: tree.Tree, node: OrderNode, seen: live.View) -> list[dict[str, Any]]:
    plan = order.plan["applications"].get(node.key) or {"application": node.name, "cell": ""}
    running = seen.pods_of(plan["application"], plan["cell"])
    pods = {pod["metadata"]["name"]: pod for pod in sorted(running, key=lambda p: p["metadata"]["name"])}
    taken: set[str] = set()
    groups: list[dict[str, Any]] = []
    members = [child for child in found.children.get(node.id, []) if child.kind == "group"]
    for member in members:
        spec = next((leaf.spec for leaf in found.under(member) if "names" in leaf.spec), {})
        names = [name for name in spec.get("names", []) if name in pods]
        taken |= set(names)
        groups.append(
            _group(order, node, Text(member.title_en, member.title_zh), member.state, [pods[name] for name in names])
        )
    rest = [pod for name, pod in pods.items() if name not in taken]
    if len(members) == 1 and not taken:
        groups[0]["pods"] = [_square(order, pod) for pod in rest[:PODS_SHOWN]]
    elif rest:
        groups.append(_group(order, node, Text("Pods", "容器"), "", rest))
    return [group for group in groups if group["pods"]]


def _group(order: Order, node: OrderNode, title: Text, state: str, pods: list[dict[str, Any]]) -> dict[str, Any]:
    name = f"{node.name}: {t(title)}"
    return {
        "title": name,
        "state": state or None,
        "note": None,
        "pods": [_square(order, pod) for pod in pods[:PODS_SHOWN]],
    }


def _square(order: Order, pod: dict[str, Any]) -> dict[str, Any]:
    shown = products.container(pod)
    states = {"ok": "running", "bad": "failed", "warn": "running", "info": "running", "neutral": "skipped"}
    name = pod["metadata"]["name"]
    return {
        "id": name,
        "name": name,
        "href": url_for("yunyou_orders.pod_show", order_id=order.id, name=name),
        "state": "succeeded" if view(pod).ready else states[shown["tone"]],
        "note": shown["state"],
    }


@bp.get("/<order_id>/pods/<name>")
@guard(permissions.ORDER_READ)
def pod_show(order_id: str, name: str) -> Response:
    """A pod of an order in the drawer: conditions, environment variables, events, log (Y-33)."""
    kube, namespace = _cluster(order_id)
    pod = kube.find(paths.one("Pod", namespace, name))
    if pod is None:
        raise NOT_FOUND(what=plain(name))
    of_pod = {"fieldSelector": f"involvedObject.uid={pod['metadata']['uid']}"}
    events = kube.get(paths.collection("Event", namespace), of_pod)["items"]
    container = pod["spec"]["containers"][0]
    return render(
        "yunyou/_pod.html", pod=products.container(pod), events=events, **_log(order_id, name, container["name"]),
        env=[(e["name"], e.get("value", "•••••• (secret)")) for e in container.get("env", ())],
    )  # fmt: skip


@bp.get("/<order_id>/pods/<name>/log")
@guard(permissions.ORDER_READ)
def pod_log(order_id: str, name: str) -> Response:
    return render("yunyou/_pod_log.html", **_log(order_id, name))


def _log(order_id: str, name: str, container: str = "") -> dict[str, Any]:
    """What of a pod's log is known, and where it goes on."""
    kube, namespace = _cluster(order_id)
    query = _log_query(container)
    lines, error = [], None
    try:
        lines = pod_logs.read(kube, namespace, name, query)
    except ConsoleError as refused:
        error = refused
    at: dict[str, Any] = {"order_id": order_id, "name": name, "container": query.container}
    return {
        "order_id": order_id, "name": name, "query": query, "error": error,
        "lines": [pod_logs.shown(line, query.timestamps) for line in lines],
        "follow": None if query.previous else url_for(".pod_log_stream", after=pod_logs.last_stamp(lines), **at),
        "download": url_for(".pod_log_download", previous="1" if query.previous else None, **at),
    }  # fmt: skip


@bp.get("/<order_id>/pods/<name>/log/stream")
@guard(permissions.ORDER_READ)
def pod_log_stream(order_id: str, name: str) -> Response:
    return pod_logs.streamed(*_cluster(order_id), name, _log_query())


@bp.get("/<order_id>/pods/<name>/log/download")
@guard(permissions.ORDER_READ)
def pod_log_download(order_id: str, name: str) -> Response:
    return pod_logs.downloaded(*_cluster(order_id), name, _log_query())


def _cluster(order_id: str) -> tuple[Kube, str]:
    """The API of an order's cluster, and the namespace that the order writes to."""
    order = order_api.get_order(order_id)
    assert order.environment_id is not None
    environment = environments.get_environment(order.environment_id)
    return environments.kube_of(environment), environment.namespace


def _log_query(container: str = "") -> LogQuery:
    given = {key: value for key, value in request.args.items() if value}
    wanted = {"container": container, "tail": LOG_LINES, **given, "previous": "previous" in given}
    return pod_logs.checked(msgspec.convert(wanted, LogQuery, strict=False))


@bp.post("/<order_id>/tell/<verb>")
@guard(permissions.ORDER_CONTROL, audit=permissions.ORDER_TOLD, resource=decisions.later)
def order_tell(order_id: str, verb: str) -> Response:
    order = order_api.get_order(order_id)
    node_id = request.form.get("node") or None
    node = db.session.get(OrderNode, node_id) if node_id else None
    order_api.may_control(order)
    if verb == verbs.RETRY and request.form.get("adopt"):
        lifecycle.adopt(order, node)
    commands.give(order, verb, node_id, request.form.get("reason", ""))
    words = verbs.TITLES.get(verb, plain(verb))
    return go(
        url_for(".order_show", order_id=order.id, node=node_id or request.form.get("stay")),
        Text(f"{words.en}: told.", f"已提交：{words.zh}。"),
    )


@bp.get("/<order_id>/force-cancel")
@guard(permissions.ORDER_READ)
def force_dialog(order_id: str) -> Response:
    return render("yunyou/_force.html", order=order_api.get_order(order_id))


@bp.get("/<order_id>/log")
@guard(permissions.ORDER_READ)
def node_log(order_id: str) -> Response:
    """New lines of a node's log, for the poll protocol of the log component."""
    order = order_api.get_order(order_id)
    wanted = orders.leaves_under(order, request.args.get("node", ""))
    after = request.args.get("after", 0, type=int)
    lines = rows(
        select(OrderLog)
        .where(OrderLog.order_id == order.id, OrderLog.node_id.in_(wanted[:500]), OrderLog.id > after)
        .order_by(OrderLog.id)
        .limit(1000)
    )
    response = make_response(
        "".join(f"{x.at:%H:%M:%S} {x.line}\n" for x in lines),
        286 if order.state in tree.TERMINAL and not lines else 200,
    )
    response.headers["X-Next"] = str(lines[-1].id if lines else after)
    response.mimetype = "text/plain"
    return response
