"""``/api/v1/orders``: the orders of every plugin (C-44)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from flask import Response
from sqlalchemy import Select, select

from app.auth import decisions
from app.contracts.shapes import doc
from app.db import db, rows
from app.errors import invalid
from app.guard import SIGNED_IN, Operation
from app.order_views import access, shapes
from app.order_views.shapes import EventOut, EventsOut, LogAfter, LogLine, LogOut, NodeId, OrderId, OrderItem, OrderOut
from app.orders import commands, history, tree, verbs
from app.orders.models import Order, OrderEvent, OrderNode
from app.orders.types import type_of
from app.web.api import Api, In, ListQuery, OpenQuery, Page, accepted, page
from app.web.forms import check, json_body
from app.words import Text, _

api = Api("orders", _("Orders"))
ORDER_VERBS = ("pause", "resume", "cancel", "force-cancel", "retry", "skip")
LINES = 2000  # of a log at once
NODE_VERBS = ("retry", "skip", "confirm")
TOLD = Operation("orders.order.told", _("Controlled an order"))
ROLLED_BACK = Operation("orders.order.rolled_back", _("Rolled an order back"))
BY_TYPE = "the order's plugin says who may see and control it"
NOTHING_TO_ADOPT = _("Orders of this plugin take nothing over from others.")


class OrderQuery(ListQuery):
    """Filters of the list of orders."""

    plugin: Annotated[str, doc("Only orders of this plugin.")] = ""
    type: Annotated[str, doc("Only orders of this type.")] = ""
    state: Annotated[str, doc("Only orders in this state.")] = ""
    creator: Annotated[str, doc("Only orders that whoever has this name made.")] = ""


@api.operation("GET", "/orders", "orders.list", _("List orders"), SIGNED_IN, query=OrderQuery, returns=Page[OrderItem])
def list_orders(query: OrderQuery) -> Page[OrderItem]:
    found = access.visible()
    for column, value in (
        (Order.plugin, query.plugin),
        (Order.type, query.type),
        (Order.state, query.state),
        (Order.creator, query.creator),
    ):
        if value:
            found = found.where(column == value)
    return page_of_orders(found, query)


def page_of_orders(found: Select[Order], query: ListQuery) -> Page[OrderItem]:
    """One page of these orders."""
    return page(
        found,
        query,
        shapes.order_item,
        sorts={"createdAt": Order.created_at, "title": Order.title, "state": Order.state},
        search=(Order.title, Order.creator),
        key=Order.id,
        default="-createdAt",
    )


@api.operation("GET", "/orders/<order_id>", "orders.get", _("Show an order"), SIGNED_IN, returns=OrderOut)
def show_order(order_id: OrderId) -> OrderOut:
    return shape_of(access.get_order(order_id))


def shape_of(order: Order) -> OrderOut:
    """An order with its tree."""
    return shapes.order(order, access.nodes_of(order))


class Told(In):
    """Why, and for a retry whether foreign objects are taken over."""

    reason: Annotated[str, doc("Why, for the history of the order.")] = ""
    adopt: Annotated[bool, doc("For a retry: whether objects that others made are taken over.")] = False


def tell(order: Order, verb: str, node_id: str | None, told: Told) -> None:
    """Give an order, or a node of it, a command of the caller.

    :raises ConsoleError: CORE/FORBIDDEN; CORE/INVALID_INPUT where its plugin takes nothing over; as
        :func:`app.orders.commands.give`
    """
    access.require_control(order)
    if told.adopt and verb == verbs.RETRY:
        adopt = type_of(order).adopt
        if adopt is None:
            raise invalid({"adopt": NOTHING_TO_ADOPT})
        adopt(order, db.session.get(OrderNode, node_id) if node_id else None)
    commands.give(order, verb, node_id, told.reason)


def _told(order_id: str, verb: str, node_id: str | None, body: Told) -> OrderOut:
    order = access.get_order(order_id)
    tell(order, verb, node_id, body)
    db.session.flush()
    return shape_of(order)


def teller(verb: str) -> Callable[..., OrderOut]:
    """The operation that gives a whole order this command."""

    def run(order_id: OrderId, body: Told) -> OrderOut:
        return _told(order_id, verb, None, body)

    return run


def node_teller(verb: str) -> Callable[..., OrderOut]:
    """The operation that gives a node of an order this command."""

    def run(order_id: OrderId, node_id: NodeId, body: Told) -> OrderOut:
        return _told(order_id, verb, node_id, body)

    return run


def _command(below: str, id: str, summary: Text, run: Callable[..., OrderOut]) -> None:
    api.operation(
        "POST",
        f"/orders/<order_id>/{below}",
        f"orders.{id}",
        summary,
        SIGNED_IN,
        audit=TOLD,
        body=Told,
        returns=OrderOut,
        resource=decisions.later,
        public=BY_TYPE,
    )(run)


for _verb in ORDER_VERBS:
    _command(_verb, _verb, _("{verb} an order").format(verb=verbs.TITLES[_verb]), teller(_verb))
for _verb in NODE_VERBS:
    _words = _("{verb} a step").format(verb=verbs.TITLES[_verb])
    _command(f"nodes/<node_id>/{_verb}", f"nodes.{_verb}", _words, node_teller(_verb))


class RollbackSettings(OpenQuery):
    """Settings of a rollback, as the plugin of the order takes them."""


@api.operation(
    "POST",
    "/orders/<order_id>/rollback",
    "orders.rollback",
    _("Roll an order back"),
    SIGNED_IN,
    audit=ROLLED_BACK,
    body=RollbackSettings,
    raw_body="application/json",
    returns=OrderOut,
    status=202,
    resource=decisions.later,
    public=BY_TYPE,
)
def rollback_order(order_id: OrderId) -> Response:
    return _rolled_back(order_id, "")


@api.operation(
    "POST",
    "/orders/<order_id>/nodes/<node_id>/rollback",
    "orders.nodes.rollback",
    _("Roll a part of an order back"),
    SIGNED_IN,
    audit=ROLLED_BACK,
    body=RollbackSettings,
    raw_body="application/json",
    returns=OrderOut,
    status=202,
    resource=decisions.later,
    public=BY_TYPE,
)
def rollback_node(order_id: OrderId, node_id: NodeId) -> Response:
    return _rolled_back(order_id, node_id)


def roll_back(order_id: str, node_id: str, settings: Any) -> Order:
    """Make the order that takes another one, or what is below a node of it, back.

    :raises ConsoleError: CORE/FORBIDDEN, ORDERS/NOT_IN_THIS_STATE, and as its plugin says
    """
    order = access.get_order(order_id)
    access.require_control(order)
    rollback = type_of(order).rollback
    if rollback is None or verbs.ROLLBACK not in verbs.of_order(order):
        raise verbs.not_now(verbs.ROLLBACK, order.state)
    made = rollback.make(order, check(rollback.wanted, settings), node_id)
    if order.state in (tree.FAILED, tree.WAITING):  # it ends in favour of its rollback, which may begin
        commands.force_cancel(order, tree.Tree(access.nodes_of(order)), order.creator, "rolled back")
    db.session.flush()
    return made


def _rolled_back(order_id: str, node_id: str) -> Response:
    made = roll_back(order_id, node_id, json_body())
    return accepted(shape_of(made), f"/api/v1/orders/{made.id}")


@api.operation(
    "GET",
    "/orders/<order_id>/nodes/<node_id>/log",
    "orders.nodes.log",
    _("Log of a step"),
    SIGNED_IN,
    query=LogAfter,
    returns=LogOut,
)
def node_log(order_id: OrderId, node_id: NodeId, query: LogAfter) -> LogOut:
    order = access.get_order(order_id)
    lines = history.lines_after(order, access.leaves_under(order, node_id), query.after, LINES)
    shown = [LogLine(line.id, line.at.isoformat(), line.level, line.line) for line in lines]
    return LogOut(shown, lines[-1].id if lines else query.after)


@api.operation(
    "GET", "/orders/<order_id>/events", "orders.events", _("History of an order"), SIGNED_IN, returns=EventsOut
)
def order_events(order_id: OrderId) -> EventsOut:
    order = access.get_order(order_id)
    found = rows(select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.id).limit(5000))
    shown = [EventOut(e.id, e.node_id, e.at.isoformat(), e.what, e.before, e.after, e.actor, e.detail) for e in found]
    return EventsOut(shown)
