"""Who works on an order: a lease in its row with a token that only rises, so that a late worker cannot write."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlalchemy.exc import SQLAlchemyError

from app.db import affected, db, now
from app.leases import is_of_a_wrong_clock, owner
from app.orders import tree
from app.orders.models import Order

LEASE = timedelta(seconds=15)  # how long an order waits for a worker that was killed in a step
RENEW_SECONDS = 4.0


class Fenced(Exception):
    """Another process works on this order now; what this one did since its last commit is dropped."""


@dataclass
class Lease:
    """The right to work on an order until another process raises its token."""

    order_id: str
    token: int
    renewed: float = field(default_factory=time.monotonic)

    def commit(self) -> None:
        """Keep what was done, and renew the lease.

        :raises Fenced: another process raised the token
        """
        ours = update(Order).where(Order.id == self.order_id, Order.token == self.token)
        if not affected(ours.values(lease_until=now() + LEASE).execution_options(synchronize_session=False)):
            raise Fenced
        db.session.commit()
        self.renewed = time.monotonic()

    def keep(self) -> None:
        """As :meth:`commit`, if that is some seconds ago.

        :raises Fenced: another process raised the token
        """
        if time.monotonic() - self.renewed > RENEW_SECONDS:
            self.commit()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Renew it from beside while a step takes long, or no step of a slow cluster would ever end between two workers."""
        over, engine = threading.Event(), db.engine
        mine = update(Order).where(Order.id == self.order_id, Order.token == self.token, Order.lease_until.is_not(None))

        def renew() -> None:
            while not over.wait(RENEW_SECONDS):
                with suppress(SQLAlchemyError), engine.begin() as connection:
                    connection.execute(mine.values(lease_until=now() + LEASE))

        threading.Thread(target=renew, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def release(self) -> None:
        """Give the order to whoever comes next, if it is still ours, and commit."""
        ours = update(Order).where(Order.id == self.order_id, Order.token == self.token)
        db.session.execute(ours.values(lease_until=None))
        db.session.commit()


def take(order_id: str) -> Lease | None:
    """Take the order's lease, raise its token and commit; None while another process holds it, or when the order ended."""
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
    return Lease(order_id, order.token)


def is_free(moment: datetime) -> ColumnElement[bool]:
    """Whether nobody works on an order."""
    return or_(Order.lease_until.is_(None), Order.lease_until < moment, is_of_a_wrong_clock(Order.lease_until, moment, LEASE))


def revoke(order_id: str) -> None:
    """Take the order from whoever works on it."""
    raised = update(Order).where(Order.id == order_id).values(token=Order.token + 1, lease_until=None)
    db.session.execute(raised.execution_options(synchronize_session=False))
