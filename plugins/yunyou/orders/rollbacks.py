"""Orders that take others back: what an order changed returns to what it found (Y-39)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.db import db
from app.order_views.access import leaves_under
from app.orders import commands, tree, verbs
from app.orders.models import Order, OrderNode
from app.words import plain
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders import targets
from plugins.yunyou.orders.requests import OrderRequest, RollbackRequest
from plugins.yunyou.orders.service import Draft, create, draft_of


def draft_rollback(order: Order, request: OrderRequest, keys: Sequence[str]) -> Draft:
    """Plan what returns what *order* changed to what it found (Y-39).

    :raises ConsoleError: ORDERS/NOT_IN_THIS_STATE, and as :func:`draft`
    """
    if verbs.ROLLBACK not in verbs.of_order(order):
        raise verbs.NOT_NOW(verb=verbs.TITLES[verbs.ROLLBACK], state=plain(order.state))
    return draft_of(targets.rollback.of_order(order, keys), request)


def create_rollback(order: Order, request: OrderRequest, keys: Sequence[str]) -> Order:
    """Make the order that :func:`draft_rollback` plans; one that failed or waits ends with it.

    :raises ConsoleError: as :func:`draft_rollback` and :func:`create`
    """
    planned = draft_rollback(order, request, keys)
    if order.state in (tree.FAILED, tree.WAITING):
        close(order)
    return create(request, planned)


def close(order: Order) -> None:
    """End an order that failed or waits in favour of its rollback: it lets its applications go."""
    nodes = db.session.scalars(select(OrderNode).where(OrderNode.order_id == order.id)).all()
    commands.force_cancel(order, tree.Tree(nodes), order.creator, "rolled back")


def roll_back(order: Order, body: RollbackRequest, node_id: str) -> Order:
    """Make the order that returns what *order*, or what is below one of its nodes, changed.

    :raises ConsoleError: as :func:`create_rollback`
    """
    return create_rollback(order, *rollback_wanted(order, body, node_id))


def rollback_wanted(order: Order, body: RollbackRequest, node_id: str) -> tuple[OrderRequest, list[str]]:
    """The order to be that *body* asks for, and the applications ``PRODUCT/app`` that it takes back."""
    asked = OrderRequest(type="release", grouping=body.grouping, beta=body.beta, name=body.name, preview=body.preview)
    if not node_id:
        return asked, body.applications
    below = [str(leaf.spec.get("application", "")) for leaf in leaves_under(order, node_id)]
    return asked, list(dict.fromkeys(filter(None, below)))


def rollback_draft(order: Order, body: RollbackRequest, node_id: str = "") -> orders.Draft:
    """What the rollback of an order, or of what is below one of its nodes, would send."""
    return draft_rollback(order, *rollback_wanted(order, body, node_id))
