"""Orders that the caller may see and control, as their plugins declare it; what somebody may not see is not there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from app import site
from app.auth import decisions
from app.db import db, rows, scoped
from app.errors import NOT_FOUND
from app.orders import types
from app.orders.models import Order, OrderNode
from app.orders.tree import Tree
from app.orders.types import OrderType
from app.words import _

ORDER, STEP = _("order"), _("step")


def may_see(type: OrderType) -> bool:
    """Whether the caller may see the orders of a plugin: to read them, or to control some."""
    return decisions.allows(type.read) or decisions.allows(type.control, decisions.LATER)


def visible() -> Select[Any]:
    """The orders of the caller's tenant that the caller may see."""
    known = site.catalogue().order_types
    seen: list[ColumnElement[bool]] = [Order.plugin.in_([name for name, type in known.items() if may_see(type)])]
    if may_see(types.of_plugin("")):
        seen.append(Order.plugin.not_in(list(known)))
    return scoped(Order).where(or_(*seen))


def get_order(order_id: str) -> Order:
    """One order of the caller's tenant.

    :raises ConsoleError: CORE/NOT_FOUND, also where the caller may not see it
    """
    order: Order | None = db.session.scalar(scoped(Order).where(Order.id == order_id))
    if order is None or not may_see(types.type_of(order)):
        raise NOT_FOUND(what=ORDER)
    return order


def require_control(order: Order) -> None:
    """Refuse who may not control all that the order acts on.

    :raises ConsoleError: CORE/FORBIDDEN
    """
    type = types.type_of(order)
    for resource in type.resources(order):
        decisions.require(type.control, resource)


def nodes_of(order: Order) -> list[OrderNode]:
    """The nodes of an order."""
    return list(rows(select(OrderNode).where(OrderNode.order_id == order.id)))


def leaves_under(order: Order, node_id: str) -> list[OrderNode]:
    """The steps below a node.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    found = Tree(nodes_of(order))
    if node_id not in found.by_id:
        raise NOT_FOUND(what=STEP)
    return found.under(found.by_id[node_id])
