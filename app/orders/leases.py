"""Who works on an order: a lease in its row with a token that only rises, so that a late worker cannot write."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update

from app.db import affected, db, now
from app.leases import Fenced, Lease, is_of_a_wrong_clock, owner
from app.orders import tree
from app.orders.models import Order

__all__ = ["LEASE", "Fenced", "Lease", "is_free", "take"]
LEASE = timedelta(seconds=15)  # how long an order waits for a worker that was killed in a step


def take(order_id: str) -> Lease | None:
    """Take the order's lease, raise its token and commit; None while another process holds it, or when the order
    ended.
    """
    moment = now()
    taken = update(Order).where(Order.id == order_id, is_free(moment), Order.state.not_in(tree.TERMINAL))
    found = affected(taken.values(lease_owner=owner(), lease_until=moment + LEASE, token=Order.token + 1))
    db.session.commit()
    order = db.session.get(Order, order_id, populate_existing=True) if found else None
    if order is None:
        return None
    late = moment - (order.due_at or moment)
    if order.state == tree.RUNNING and late > LEASE:
        order.idle += late.total_seconds()
        db.session.commit()
    return Lease((Order.id == order_id) & (Order.token == order.token), Order.lease_until, LEASE, order.token)


def is_free(moment: datetime) -> ColumnElement[bool]:
    """Whether nobody works on an order."""
    return or_(
        Order.lease_until.is_(None), Order.lease_until < moment, is_of_a_wrong_clock(Order.lease_until, moment, LEASE)
    )
