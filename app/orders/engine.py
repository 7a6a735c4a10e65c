"""Advancing orders in short ticks under a lease with a fencing token; waiting holds no worker.

A tick takes the order's lease, reads what people told it, starts the steps whose
turn it is, asks the running ones how far they are, and goes on until nothing
moves. Killed anywhere, the next tick goes on from what was committed.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import select

from app import audit, caller
from app.caller import Caller
from app.contracts.identity import Principal
from app.db import db, now
from app.errors import ConsoleError
from app.guard import Operation
from app.orders import commands, due, leases, locks, tree
from app.orders.execution import STEP_UNKNOWN, TIMED_OUT, Execution
from app.orders.history import event
from app.orders.models import Order, OrderNode
from app.orders.tree import Tree
from app.orders.types import type_of
from app.words import _

log = logging.getLogger(__name__)
TICK_SECONDS = 15.0  # then other orders have their turn
AFTER_A_CRASH = timedelta(seconds=15)
SPREAD = 0.6180339887  # the golden ratio: its multiples, without their whole part, lie evenly between 0 and 1
AT_ONCE = 256  # steps of one order that run at the same time
FINISHED = Operation("orders.order.finished", _("Order ended"))
ERRORS = (TIMED_OUT, STEP_UNKNOWN)


def tick(order_id: str) -> None:
    """Advance an order as far as it goes now. Safe to call at any time, from anywhere, twice."""
    lease = leases.take(order_id)
    if lease is None:
        return
    order = db.session.get_one(Order, order_id)
    with caller.acting_as(_caller(order)):
        db.session().expire_on_commit = (
            False  # the whole tree is read once in a round, not row by row after each commit
        )
        try:
            with lease.held():
                Tick(order, lease).run()
        except leases.Fenced:
            log.info("order %s: another process took over", order_id)
        except Exception:
            _postpone(lease)
            raise
        finally:
            db.session.rollback()
            db.session().expire_on_commit = True
            lease.release()


def _postpone(lease: leases.Lease) -> None:
    """A tick that failed in a way nobody foresaw is not due again at once: others have their turn."""
    db.session.rollback()
    with suppress(leases.Fenced):
        lease.commit(due_at=now() + AFTER_A_CRASH)


def _caller(order: Order) -> Caller:
    return Caller(
        principal=Principal(**order.principal),
        workspace_id=order.workspace_id,
        trace_id=order.trace_id,
        source_ip="worker",
    )


class Tick:
    """One tick over one order, under its lease."""

    def __init__(self, order: Order, lease: leases.Lease) -> None:
        self.order = order
        self.lease = lease
        self.execution = Execution(order, lease)
        self.began = time.monotonic()

    def run(self) -> None:
        """Go on until nothing moves, or the tick's time is over.

        :raises Fenced: another process works on the order
        """
        while True:
            db.session.expire_all()
            self._read_tree()
            commands.obey(self.order, self.tree)
            if not self._may_run():
                self._settle()
                return
            moved = self._start_ready() | self._look_at_running()
            self._settle()
            if self.order.state in tree.TERMINAL or not moved or self._is_over():
                return
            self.execution.cache.clear()

    def _is_over(self) -> bool:
        return time.monotonic() - self.began > TICK_SECONDS

    def _read_tree(self) -> None:
        self.tree = Tree(db.session.scalars(select(OrderNode).where(OrderNode.order_id == self.order.id)).all())

    def _may_run(self) -> bool:
        queued = self.order.state == tree.QUEUED
        if queued or self.order.state == tree.RUNNING:  # one whose step nobody knew has given its scopes up
            self.order.blocked_by = locks.take_all(self.order)
            if self.order.blocked_by is not None:
                return False
        if queued:
            self.lease.commit()
            self._begin()
        return self.order.state not in tree.TERMINAL and self.order.state != tree.CANCELLING

    def _begin(self) -> None:
        self.order.blocked_by = None
        self.order.state = tree.RUNNING
        self.order.started_at = self.order.started_at or now()
        event(self.order, None, "started", tree.QUEUED, tree.RUNNING)
        kind = type_of(self.order)
        if kind.before_start:
            try:
                kind.before_start(self.order)
                self._read_tree()
            except ConsoleError as error:
                self.order.error = error.kept()
                for leaf in self.tree.leaves[:1]:
                    self.execution.fail(leaf, error)

    def _start_ready(self) -> bool:
        if self.order.paused:
            return False
        running = sum(1 for leaf in self.tree.leaves if leaf.state == tree.RUNNING)
        moment = now()
        ready = [leaf for leaf in self.tree.ready() if due.is_now(leaf.retry_at or moment, moment)]
        starting = ready[: max(0, AT_ONCE - running)]
        for leaf in starting:
            self.execution.start(leaf)
            if self._is_over():
                break
        return bool(starting)

    def _look_at_running(self) -> bool:
        """Ask the running leaves for as long as the tick has time; the next one begins elsewhere, so that all are
        asked.
        """
        self.lease.commit()
        running = [leaf for leaf in self.tree.leaves if leaf.state == tree.RUNNING]
        first = int(len(running) * (self.lease.token * SPREAD % 1))
        moved = False
        for leaf in running[first:] + running[:first]:
            moved |= self.execution.look(leaf)
            self.lease.keep()
            if self._is_over():
                break
        return moved

    def _settle(self) -> None:
        """Derive parents and order, and keep everything, unless another process took over."""
        self.tree.derive()
        before, after = self.order.state, self.tree.order_state(self.order)
        leaves = self.tree.leaves
        self.order.progress = sum(1.0 if x.state in tree.DONE else x.progress for x in leaves) / max(1, len(leaves))
        self.order.skipped = sum(1 for leaf in leaves if leaf.state == tree.SKIPPED)
        failed = next((leaf.error for leaf in leaves if leaf.state == tree.FAILED), None)
        if self.order.error != failed:
            self.order.error = failed
        if after == tree.FAILED and failed and failed["code"] == STEP_UNKNOWN.code:
            locks.release(self.order.id)
        if after != before:
            self.order.state = after
            event(self.order, None, "state", before, after)
        if after in tree.TERMINAL:
            self._finish()
        self.order.due_at = due.next_look(self.order, self.tree)
        self.lease.commit()
        if self.order.due_at is None and after not in tree.TERMINAL and commands.are_waiting(self.order):
            self.lease.commit(due_at=now())  # told since this round began, and made due, which was overwritten just now

    def _finish(self) -> None:
        self.order.finished_at = now()
        locks.release(self.order.id)
        took = int((now() - (self.order.started_at or self.order.created_at)).total_seconds() * 1000)
        audit.record(
            FINISHED,
            "success" if self.order.state == tree.SUCCEEDED else self.order.state,
            resource=("order", self.order.id, self.order.title),
            duration_ms=took,
            detail={"state": self.order.state, "skipped": self.order.skipped},
        )
