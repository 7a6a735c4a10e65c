"""One running order per scope: a second one is queued behind the first and starts by itself (Y-35)."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.db import db, now
from app.orders import tree
from app.orders.models import Order, OrderLock


def scopes_of(order: Order) -> list[str]:
    """The scopes that an order needs, as its options say."""
    return sorted(order.options.get("scopes", ()))


def holder(scopes: list[str], besides: str = "") -> str | None:
    """The order that holds any of these scopes."""
    if not scopes:
        return None
    query = select(OrderLock.order_id).where(OrderLock.scope.in_(scopes), OrderLock.order_id != besides)
    return db.session.scalar(query.limit(1))


def first_in_line(scopes: list[str]) -> str | None:
    """The order that holds any of these scopes, or else waits to."""
    held_by = holder(scopes)
    if held_by is not None or not scopes:
        return held_by
    waiting = db.session.execute(select(Order.id, Order.options).where(Order.state == tree.QUEUED).order_by(Order.id))
    return next((row.id for row in waiting if not set(scopes).isdisjoint(row.options.get("scopes", ()))), None)


def take_all(order: Order) -> str | None:
    """Take every scope of *order*, or none of them.

    :returns: None when it holds them all, else the order that is in the way
    """
    wanted = scopes_of(order)
    blocker = holder(wanted, order.id)
    if blocker is not None:
        return blocker
    held = set(db.session.scalars(select(OrderLock.scope).where(OrderLock.order_id == order.id)))
    missing = [{"scope": scope, "order_id": order.id} for scope in wanted if scope not in held]
    if missing:
        try:
            with db.session.begin_nested():
                db.session.execute(insert(OrderLock), missing)
        except IntegrityError:
            return holder(wanted, order.id) or order.id
    return None


def release(order_id: str) -> None:
    """Give all scopes up, and let the orders that were blocked by this one look again; others do within a second."""
    db.session.execute(delete(OrderLock).where(OrderLock.order_id == order_id))
    blocked = update(Order).where(Order.state.in_((tree.QUEUED, tree.RUNNING)), Order.blocked_by == order_id)
    db.session.execute(blocked.values(due_at=now()))
