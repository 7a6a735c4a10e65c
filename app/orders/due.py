"""When an order's next tick is due, and making it due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import has_request_context
from sqlalchemy import Engine, Select, or_, select, update

from app.db import db, now
from app.following import after_commit
from app.jobs.queue import wake_scheduler
from app.orders import leases, tree
from app.orders.models import Order
from app.orders.tree import Tree

LATEST = timedelta(minutes=1)  # nothing is ever due later than that
AGAIN = timedelta(seconds=1)
AGAIN_WAITING = timedelta(seconds=45)  # for a person, whose commands make it due at once


def next_look(order: Order, found: Tree) -> datetime | None:
    """When there is something to do or see; None once the order ended, or waits for a command."""
    if order.state not in (tree.RUNNING, tree.QUEUED, tree.CANCELLING, tree.WAITING):
        return None
    waits = [leaf.retry_at for leaf in found.leaves if leaf.state == tree.PENDING and leaf.retry_at]
    if waits and not any(leaf.state == tree.RUNNING for leaf in found.leaves):
        return min(waits)
    return now() + (AGAIN_WAITING if order.state == tree.WAITING else AGAIN)


def is_now(then: datetime, moment: datetime) -> bool:
    """Whether the time has come; one further away than any that is set was told by a clock that was wrong."""
    return not moment < then < moment + LATEST


def due(limit: int = 50) -> Sequence[str]:
    """Orders whose next tick is due and that nobody works on, by identifier."""
    return db.session.scalars(_due().order_by(Order.due_at).limit(limit)).all()


def is_any(engine: Engine) -> bool:
    """Whether there are such: what an idle scheduler asks all the time, without a session."""
    with engine.connect() as connection:
        return connection.scalar(_due().limit(1)) is not None


def _due() -> Select[str]:
    moment = now()
    time_has_come = or_(Order.due_at <= moment, Order.due_at > moment + LATEST)
    return select(Order.id).where(time_has_come, leases.is_free(moment), Order.state.not_in(tree.TERMINAL))


def look_soon() -> None:
    """An order became due: an idle scheduler is told once this request's change is kept."""
    if has_request_context():
        after_commit(wake_scheduler)


def wake_cluster(cluster_id: str) -> None:
    """Something of ours changed in a cluster: its running orders look again."""
    soon = now()
    running = update(Order).where(Order.cluster_id == cluster_id, Order.state == tree.RUNNING, Order.due_at > soon)
    db.session.execute(running.values(due_at=soon))
