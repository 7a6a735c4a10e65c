"""What the page of an order shows: its tree, the node that is looked at, what happened there."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import select

from app.auth import decisions
from app.db import db, rows
from app.orders import history, tree, verbs
from app.orders.models import Order, OrderEvent, OrderNode
from app.orders.types import OrderType, type_of
from app.web.language import t
from app.words import Text, _, pgettext, plain

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
LINES = 300


def context_of(order: Order, found: tree.Tree, wanted: str) -> dict[str, Any]:
    """What the template of the page is given; *wanted* names the node that is looked at."""
    node = _selected(order, found, wanted)
    return {**_order(order, found, node), **_detail(order, found, node)}


def _selected(order: Order, found: tree.Tree, wanted: str) -> OrderNode:
    """The node that is looked at: the one asked for, else where something waits or failed, else the first one."""
    if wanted in found.by_id:
        return found.by_id[wanted]
    type = type_of(order)
    for state in (tree.WAITING, tree.FAILED, tree.RUNNING):
        leaf = next((leaf for leaf in found.leaves if leaf.state == state), None)
        if leaf is not None:
            kinds = ((node, type.kind(node)) for node in reversed(found.path(leaf)[:-1]))
            return next((node for node, kind in kinds if kind.closed or kind.opens), leaf)
    return found.roots[0]


def _order(order: Order, found: tree.Tree, selected: OrderNode) -> dict[str, Any]:
    type = type_of(order)
    counted = [node for node in found.nodes if type.kind(node).counted]
    titles = [title for node in counted if (title := type.kind(node).counted)]
    counts: dict[str, int] = {}
    for node in counted or found.leaves:
        counts[node.state] = counts.get(node.state, 0) + 1
    return {
        "order": order,
        "type": type,
        "tree_nodes": [_shown(order, found, root, selected) for root in found.roots],
        "counts": sorted(counts.items()),
        "counted": len(counted or found.leaves),
        "counted_title": titles[0] if titles else _("Steps by state"),
        "order_verbs": verbs.of_order(order),
        "titles": verbs.TITLES,
        "state_words": STATES,
        "stuck": verbs.is_stuck(order),
        "waiting": [leaf for leaf in found.leaves if leaf.state == tree.WAITING],
        "failed": [leaf for leaf in found.leaves if leaf.state == tree.FAILED],
        "blocker": db.session.get(Order, order.blocked_by) if order.blocked_by else None,
        "may": decisions.allows(type.control, decisions.LATER),
        "live": order.state not in tree.TERMINAL,
    }


def _shown(order: Order, found: tree.Tree, node: OrderNode, selected: OrderNode) -> dict[str, Any]:
    kind = type_of(order).kind(node)
    children = [c for c in found.children.get(node.id, []) if not _is_empty(order, found, c)]
    leaves = found.under(node)
    inside = selected in (node, *found.below(node))
    return {
        "id": node.id,
        "title": t(node.title),
        "state": node.state,
        "href": url_for("orders.order_show", order_id=order.id, node=node.id),
        "done": sum(1 for x in leaves if x.state in tree.DONE),
        "total": len(leaves),
        "children": [] if kind.closed else [_shown(order, found, child, selected) for child in children],
        "open": inside or kind.opens and node.state in (tree.RUNNING, tree.WAITING, tree.FAILED),
        "selected": node.id == selected.id,
    }


def _is_empty(order: Order, found: tree.Tree, node: OrderNode) -> bool:
    return type_of(order).kind(node).opens and not found.children.get(node.id)


def _detail(order: Order, found: tree.Tree, node: OrderNode) -> dict[str, Any]:
    type, leaves = type_of(order), found.under(node)
    ids = [leaf.id for leaf in leaves]
    events = rows(
        select(OrderEvent)
        .where(OrderEvent.order_id == order.id, OrderEvent.node_id.in_([node.id, *ids][:500]))
        .order_by(OrderEvent.id.desc())
        .limit(30)
    )
    path = found.path(node)
    named = not any(type.kind(one).closed for one in path)  # what is below one closed node is about the same
    return {
        "node": node,
        "leaves": [(leaf, type.about(leaf) if named else "") for leaf in leaves],
        "node_verbs": verbs.of_node(order, node, leaves),
        "lines": history.last_lines(order, leaves, LINES),
        "events": [(event, _about(type, found, event, node, named), told(event)) for event in events],
        "path": path,
        **(type.details.context(order, found, node) if type.details else {}),
    }


def _about(type: OrderType, found: tree.Tree, event: OrderEvent, looked_at: OrderNode, named: bool) -> str:
    """Which node below the one *looked_at* an event is of; empty for that one itself."""
    node = found.by_id.get(event.node_id or "")
    if node is None or node is looked_at:
        return ""
    title = t(node.title) if node.title_en else node.name
    return " · ".join(filter(None, (type.about(node) if named else "", title)))


def told(event: OrderEvent) -> Text:
    """What happened, in words."""
    if event.what == "state":
        before, after = STATES.get(event.before, WAITING_TURN), STATES.get(event.after, WAITING_TURN)
        return _("{before} → {after}").format(before=before, after=after)
    return EVENTS.get(event.what) or verbs.TITLES.get(event.what) or plain(event.what)
