"""When an order's next tick is due, and making it due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from app.db import db, now
from app.orders import tree
from app.orders.models import Order
from app.orders.tree import Tree

AGAIN = timedelta(seconds=1)
AGAIN_WAITING = timedelta(seconds=15)  # for a person, whose commands make it due at once


def next_look(order: Order, found: Tree) -> datetime | None:
    """When there is something to do or see; None once the order ended, or waits for a command."""
    if order.state not in (tree.RUNNING, tree.QUEUED, tree.CANCELLING, tree.WAITING):
        return None
    waits = [leaf.retry_at for leaf in found.leaves if leaf.state == tree.PENDING and leaf.retry_at]
    if waits and not any(leaf.state == tree.RUNNING for leaf in found.leaves):
        return min(waits)
    return now() + (AGAIN_WAITING if order.state == tree.WAITING else AGAIN)


def due(limit: int = 50) -> Sequence[str]:
    """Orders whose next tick is due and that nobody works on, by identifier."""
    moment = now()
    query = (
        select(Order.id)
        .where(Order.due_at.is_not(None), Order.due_at <= moment)
        .where(or_(Order.lease_until.is_(None), Order.lease_until < moment))
        .order_by(Order.due_at)
        .limit(limit)
    )
    return db.session.scalars(query).all()


def wake_cluster(cluster_id: str) -> None:
    """Something of ours changed in a cluster: its running orders look again."""
    soon = now()
    running = update(Order).where(Order.cluster_id == cluster_id, Order.state == tree.RUNNING, Order.due_at > soon)
    db.session.execute(running.values(due_at=soon))
