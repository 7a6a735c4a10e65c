"""Pages of orders: the list, and the live page of one with its commands."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, request, url_for
from sqlalchemy import Select, func

from app import site
from app.auth import decisions
from app.db import db, scoped
from app.guard import SIGNED_IN, guard
from app.order_views import access
from app.order_views.api import BY_TYPE, ROLLED_BACK, TOLD, Told, roll_back, tell
from app.order_views.shown import STATES, context_of
from app.orders import history, tree, types, verbs
from app.orders.models import Order
from app.orders.types import type_of
from app.web import dialogs
from app.web.dialogs import Form
from app.web.frame import light
from app.web.language import t
from app.web.listing import Column, Filter, Listing
from app.web.render import go, render
from app.web.table import Cell, Empty
from app.words import Text, _, plain

POLLED = 1000  # lines of a log at once
bp = Blueprint("orders", __name__, url_prefix="/orders")


def order_listing(id: str, query: Select[Order]) -> Listing:
    """A list of orders: all of them, or some of a plugin."""
    known = site.catalogue().order_types
    titles = {name: title for type in known.values() for name, title in type.titles.items()}
    columns = (
        Column("title", _("Order"), lambda o: o.title, "link", Order.title, narrow=True),
        Column("type", _("Type"), lambda o: t(title_of(o)), sort=Order.type),
        Column("state", _("State"), lambda o: Cell("status", status=o.state), sort=Order.state, narrow=True),
        Column("progress", _("Progress"), _progress, sort=Order.progress),
        Column("creator", _("Created by"), lambda o: o.creator, sort=Order.creator),
        Column("created", _("Created"), lambda o: o.created_at, "time", Order.created_at),
        Column("finished", _("Ended"), lambda o: o.finished_at, "time", Order.finished_at),
        Column("plugin", _("Plugin"), lambda o: o.plugin, sort=Order.plugin, hidden=True),
    )
    filters = (
        Filter("state", _("State"), Order.state, list(STATES.items())),
        Filter("type", _("Type"), Order.type, list(titles.items())),
        Filter("plugin", _("Plugin"), Order.plugin, [(name, plain(name)) for name in known]),
    )
    return Listing(
        id,
        query,
        columns,
        search=(Order.title, Order.creator),
        filters=filters,
        default_sort="-created",
        poll=3,
        href=lambda o: url_for("orders.order_show", order_id=o.id),
        empty=Empty(_("No order yet"), _("Work of several steps in a cluster or elsewhere appears here.")),
    )


def title_of(order: Order) -> Text:
    """What people call the type of an order, or that nobody here knows it."""
    if not types.is_known(order.plugin):
        return _("{type}, of the plugin {plugin} that is not enabled").format(type=order.type, plugin=order.plugin)
    return type_of(order).title(order.type)


def _progress(order: Order) -> Cell:
    return Cell("progress", value=order.progress, text=f"{order.progress:.0%}")


def how_many_wait(plugin: str, type: str) -> int:
    """How many orders of the tenant wait for a person, of a type of a plugin; counted once a page for all of them."""
    if "orders_waiting" not in g:
        waiting = scoped(Order).where(Order.state == tree.WAITING).group_by(Order.plugin, Order.type)
        counted = db.session.execute(waiting.with_only_columns(Order.plugin, Order.type, func.count()))
        g.orders_waiting = {(row[0], row[1]): row[2] for row in counted}
    found: int = g.orders_waiting.get((plugin, type), 0)
    return found


@bp.get("")
@guard(SIGNED_IN, reason=BY_TYPE)
def order_list() -> Response:
    return order_listing("orders", access.visible()).respond("orders/order_list.html")


@bp.get("/<order_id>")
@guard(SIGNED_IN, reason=BY_TYPE)
def order_show(order_id: str) -> Response:
    order = access.get_order(order_id)
    light({"plugin": order.plugin, "type": order.type})
    found = tree.Tree(access.nodes_of(order))
    return render(
        "orders/order_show.html",
        fragment="live",
        type_word=title_of(order),
        **context_of(order, found, request.args.get("node", "")),
    )


@bp.post("/<order_id>/tell/<verb>")
@guard(SIGNED_IN, audit=TOLD, resource=decisions.later, reason=BY_TYPE)
def order_tell(order_id: str, verb: str) -> Response:
    order = access.get_order(order_id)
    told = Told(request.form.get("reason", ""), bool(request.form.get("adopt")))
    told_nodes: list[str | None] = [*request.form.getlist("node")] or [None]
    for node_id in told_nodes:
        tell(order, verb, node_id, told)
    words = verbs.TITLES.get(verb, plain(verb))
    return go(
        url_for(".order_show", order_id=order.id, node=request.form.get("stay") or told_nodes[0]),
        _("{words}: told.").format(words=words),
    )


@bp.get("/<order_id>/force-cancel")
@guard(SIGNED_IN, reason=BY_TYPE)
def force_dialog(order_id: str) -> Response:
    return render("orders/_force.html", order=access.get_order(order_id))


@bp.get("/<order_id>/log")
@guard(SIGNED_IN, reason=BY_TYPE)
def node_log(order_id: str) -> Response:
    """New lines of a node's log, for the poll protocol of the log component."""
    order = access.get_order(order_id)
    after = request.args.get("after", 0, type=int)
    lines = history.lines_after(order, access.leaves_under(order, request.args.get("node", "")), after, POLLED)
    response = make_response(
        "".join(f"{x.at:%H:%M:%S} {x.line}\n" for x in lines),
        286 if order.state in tree.TERMINAL and not lines else 200,
    )
    response.headers["X-Next"] = str(lines[-1].id if lines else after)
    response.mimetype = "text/plain"
    return response


def _ask_rollback(order_id: str) -> Form:
    order = access.get_order(order_id)
    light({"plugin": order.plugin, "type": order.type})
    rollback = type_of(order).rollback
    what = rollback.says(order) if rollback and rollback.says else title_of(order)
    title = _("Roll back {order}?").format(order=order.title)
    body = _("An order of its own takes back what this one changed: {what}.").format(what=what)
    return Form(title, url_for(".order_rollback", order_id=order.id), verbs.TITLES[verbs.ROLLBACK], (), body)


def _roll_back(order_id: str) -> Response:
    made = roll_back(order_id, "", {})
    return go(url_for(".order_show", order_id=made.id), _("The order is made."))


dialogs.routes(bp, "/<order_id>/rollback", "order_rollback", SIGNED_IN, ROLLED_BACK, _ask_rollback, _roll_back)
