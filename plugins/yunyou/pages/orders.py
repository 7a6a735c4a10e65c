"""Orders: lists, and the live page of one order."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, request, url_for
from sqlalchemy import Select, func, select

from app.auth import decisions
from app.db import db, rows, scoped
from app.guard import guard
from app.order_views import access
from app.order_views import api as order_views
from app.orders import tree, verbs
from app.orders.models import Order, OrderEvent, OrderLog, OrderNode
from app.web.language import t
from app.web.listing import Column, Filter, Listing
from app.web.render import go, render
from app.web.table import Cell, Empty
from app.words import Text, _, pgettext, plain
from plugins.yunyou import lifecycle, permissions
from plugins.yunyou.models import Environment
from plugins.yunyou.pages.order_pods import squares

bp = Blueprint("yunyou_orders", __name__, url_prefix="/yunyou/orders")
STATES = {
    "queued": _("Queued"),
    "running": _("Running"),
    "waiting": _("Waiting for you"),
    "paused": _("Paused"),
    "failed": _("Failed"),
    "succeeded": _("Succeeded"),
    "cancelling": _("Cancelling"),
    "cancelled": _("Cancelled"),
    "rolled-back": _("Rolled back"),
    "skipped": _("Skipped"),
}
WAITING_TURN = _("Pending")
EVENTS = {
    "started": pgettext("event", "Started"),
    "resumed": _("Taken over by another worker"),
    "corrected": _("Planned anew after a correction"),
}
TYPES = lifecycle.TYPE.titles
LINES = 300


def order_listing(id: str, query: Select[Any]) -> Listing:
    """A list of orders: all of them, one solution's, one product's."""
    columns = (
        Column("title", _("Order"), lambda o: o.title, "link", Order.title, narrow=True),
        Column("type", _("Type"), lambda o: TYPES[o.type], sort=Order.type),
        Column("state", _("State"), lambda o: Cell("status", status=o.state), sort=Order.state, narrow=True),
        Column("progress", _("Progress"), _progress, sort=Order.progress),
        Column("creator", _("Created by"), lambda o: o.creator, sort=Order.creator),
        Column("created", _("Created"), lambda o: o.created_at, "time", Order.created_at),
        Column("finished", _("Ended"), lambda o: o.finished_at, "time", Order.finished_at),
    )
    filters = (
        Filter("state", _("State"), Order.state, list(STATES.items())),
        Filter("type", _("Type"), Order.type, list(TYPES.items())),
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
            _("No order yet"),
            _("Orders come from solutions, and from operations on applications."),
        ),
    )


def _progress(order: Order) -> Cell:
    return Cell("progress", value=order.progress, text=f"{order.progress:.0%}")


def how_many_wait() -> int:
    """How many orders of the tenant wait for a person."""
    waiting = scoped(Order).where(Order.plugin == "yunyou", Order.state == tree.WAITING)
    return db.session.scalar(waiting.with_only_columns(func.count())) or 0


@bp.get("")
@guard(permissions.ORDER_READ)
def order_list() -> Response:
    return order_listing("orders", scoped(Order).where(Order.plugin == "yunyou")).respond("yunyou/order_list.html")


@bp.get("/<order_id>")
@guard(permissions.ORDER_READ)
def order_show(order_id: str) -> Response:
    order = access.get_order(order_id)
    found = tree.Tree(access.nodes_of(order))
    selected = _selected(found, request.args.get("node", ""))
    return render(
        "yunyou/order_show.html",
        fragment="live",
        order=order,
        **_order(order, found, selected),
        **_detail(order, found, selected),
    )


def _selected(found: tree.Tree, wanted: str) -> OrderNode:
    """The node that is looked at: the one asked for, else where something waits or failed, else the first product."""
    if wanted in found.by_id:
        return found.by_id[wanted]
    for state in (tree.WAITING, tree.FAILED, tree.RUNNING):
        leaf = next((leaf for leaf in found.leaves if leaf.state == state), None)
        if leaf is not None:
            above = reversed(found.path(leaf)[:-1])
            return next((node for node in above if node.kind in ("application", "stage")), leaf)
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
    inside = selected in (node, *found.below(node))
    deep = node.kind == "application"
    return {
        "id": node.id,
        "title": t(node.title),
        "state": node.state,
        "href": url_for("yunyou_orders.order_show", order_id=order.id, node=node.id),
        "done": sum(1 for x in leaves if x.state in tree.DONE),
        "total": len(leaves),
        "children": [] if deep else [_shown(order, found, child, selected) for child in children],
        "open": inside or node.kind == "stage" and node.state in (tree.RUNNING, tree.WAITING, tree.FAILED),
        "selected": node.id == selected.id,
    }


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
        "events": [(event, _about(found, event, node), told(event)) for event in events],
        "pod_groups": squares(order, found, node),
        "path": found.path(node),
        "failures": [leaf for leaf in leaves if leaf.state == tree.FAILED],
    }


def _about(found: tree.Tree, event: OrderEvent, looked_at: OrderNode) -> str:
    """Which node below the one *looked_at* an event is of; empty for that one itself."""
    node = found.by_id.get(event.node_id or "")
    if node is None or node is looked_at:
        return ""
    title = t(node.title) if node.title_en else node.name
    application = node.spec.get("application", "") if looked_at.kind not in ("application", "group") else ""
    return " · ".join(filter(None, (application, title)))


def told(event: OrderEvent) -> Text:
    """What happened, in words."""
    if event.what == "state":
        before, after = STATES.get(event.before, WAITING_TURN), STATES.get(event.after, WAITING_TURN)
        return _("{before} → {after}").format(before=before, after=after)
    return EVENTS.get(event.what) or verbs.TITLES.get(event.what) or plain(event.what)


@bp.post("/<order_id>/tell/<verb>")
@guard(permissions.ORDER_CONTROL, audit=permissions.ORDER_TOLD, resource=decisions.later)
def order_tell(order_id: str, verb: str) -> Response:
    order = access.get_order(order_id)
    told = order_views.Told(request.form.get("reason", ""), bool(request.form.get("adopt")))
    told_nodes: list[str | None] = [*request.form.getlist("node")] or [None]
    for node_id in told_nodes:
        order_views.tell(order, verb, node_id, told)
    words = verbs.TITLES.get(verb, plain(verb))
    return go(
        url_for(".order_show", order_id=order.id, node=request.form.get("stay") or told_nodes[0]),
        _("{words}: told.").format(words=words),
    )


@bp.get("/<order_id>/force-cancel")
@guard(permissions.ORDER_READ)
def force_dialog(order_id: str) -> Response:
    return render("yunyou/_force.html", order=access.get_order(order_id))


@bp.get("/<order_id>/log")
@guard(permissions.ORDER_READ)
def node_log(order_id: str) -> Response:
    """New lines of a node's log, for the poll protocol of the log component."""
    order = access.get_order(order_id)
    wanted = [leaf.id for leaf in access.leaves_under(order, request.args.get("node", ""))]
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
