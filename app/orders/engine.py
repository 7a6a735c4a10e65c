"""Advancing orders in short ticks under a lease with a fencing token; waiting holds no worker.

A tick takes the order's lease, reads what people told it, starts the steps whose
turn it is, asks the running ones how far they are, and goes on until nothing
moves. Killed anywhere, the next tick goes on from what was committed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update

from app import audit, caller, site
from app.caller import Caller
from app.contracts.identity import Principal
from app.contracts.text import Text
from app.db import db, now
from app.errors import UNKNOWN, ConsoleError, ErrorCode
from app.guard import Operation
from app.kube.errors import is_transient
from app.leases import owner
from app.orders import commands, locks, tree
from app.orders.models import Order, OrderEvent, OrderLog, OrderNode
from app.orders.steps import Context, OrderType, Outcome, StepKind
from app.orders.tree import Tree

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=15)  # how long an order waits for a worker that was killed in a step
RENEW_SECONDS = 4.0
TICK_SECONDS = 15.0
AGAIN_SECONDS = 1.0
AT_ONCE = 256
TRIES = 5
BACKOFF = (1, 2, 5, 10, 20)
CONFIRM = "confirm"
TIMED_OUT = ErrorCode(
    "ORDERS/STEP_TIMED_OUT",
    504,
    Text("{step} was not finished within {seconds} s.", "{step} 未能在 {seconds} 秒内完成。"),
    Text(
        "See its events and log for what holds it, then retry, skip or roll back.",
        "请查看事件与日志了解原因，然后重试、跳过或回滚。",
    ),
)
FINISHED = Operation("orders.order.finished", Text("Order ended", "执行单结束"))
ERRORS = (TIMED_OUT,)


class Fenced(Exception):
    """Another process works on this order now; what this one did since its last commit is dropped."""


def tick(order_id: str) -> None:
    """Advance an order as far as it goes now. Safe to call at any time, from anywhere, twice."""
    order = take(order_id)
    if order is None:
        return
    work = Tick(order)
    with caller.acting_as(_caller(order)):
        try:
            work.run()
        except Fenced:
            db.session.rollback()
            log.info("order %s: another process took over", order_id)
        finally:
            db.session.rollback()
            _release(order_id, work.token)


def take(order_id: str) -> Order | None:
    """Take the order's lease and raise its token; None while another process holds it."""
    moment = now()
    free = or_(Order.lease_until.is_(None), Order.lease_until < moment)
    taken = db.session.execute(
        update(Order)
        .where(Order.id == order_id, free, Order.state.not_in(tree.TERMINAL))
        .values(lease_owner=owner(), lease_until=moment + LEASE, token=Order.token + 1)
    )
    db.session.commit()
    return db.session.get(Order, order_id, populate_existing=True) if getattr(taken, "rowcount", 0) else None


def _release(order_id: str, token: int) -> None:
    db.session.execute(update(Order).where(Order.id == order_id, Order.token == token).values(lease_until=None))
    db.session.commit()


def _caller(order: Order) -> Caller:
    return Caller(
        principal=Principal(**order.principal),
        workspace_id=order.workspace_id,
        trace_id=order.trace_id,
        source_ip="worker",
    )


class Tick:
    """One tick over one order, under its lease."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.token = order.token
        self.renewed = time.monotonic()
        self.cache: dict[str, Any] = {}

    def run(self) -> None:
        """Go on until nothing moves, or the tick's time is over."""
        end = time.monotonic() + TICK_SECONDS
        self._read_tree()
        while True:
            commands.obey(self.order, self.tree)
            if not self._may_run():
                self._settle()
                return
            moved = self._start_ready() | self._check_running()
            self._settle()
            if self.order.state in tree.TERMINAL or not moved or time.monotonic() > end:
                return
            self.cache.clear()

    def _read_tree(self) -> None:
        nodes = db.session.scalars(select(OrderNode).where(OrderNode.order_id == self.order.id)).all()
        self.tree = Tree(nodes)

    def _may_run(self) -> bool:
        if self.order.state == tree.QUEUED:
            blocker = locks.take_all(self.order)
            if blocker is not None:
                self.order.blocked_by = blocker
                return False
            self._begin()
        return self.order.state not in tree.TERMINAL and self.order.state != tree.CANCELLING

    def _begin(self) -> None:
        self.order.blocked_by = None
        self.order.state = tree.RUNNING
        self.order.started_at = self.order.started_at or now()
        event(self.order, None, "started", tree.QUEUED, tree.RUNNING)
        kind = order_type(self.order)
        if kind and kind.before_start:
            try:
                kind.before_start(self.order)
                self._read_tree()
            except ConsoleError as error:
                self.order.error = problem(error)
                for leaf in self.tree.leaves[:1]:
                    self._fail(leaf, error)

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
        if after != before:
            self.order.state = after
            event(self.order, None, "state", before, after)
        if after in tree.TERMINAL:
            self._finish()
        self.order.due_at = self._next_due()
        self._commit()

    def _finish(self) -> None:
        self.order.finished_at = now()
        locks.release(self.order.id)
        kind = order_type(self.order)
        if kind and kind.finished:
            kind.finished(self.order)
        took = int((now() - (self.order.started_at or self.order.created_at)).total_seconds() * 1000)
        audit.record(
            FINISHED, "success" if self.order.state == tree.SUCCEEDED else self.order.state,
            resource=("order", self.order.id, self.order.title), duration_ms=took,
            detail={"state": self.order.state, "skipped": self.order.skipped},
        )  # fmt: skip

    def _next_due(self) -> datetime | None:
        if self.order.state in (tree.RUNNING, tree.QUEUED, tree.CANCELLING, tree.WAITING):
            waits = [x.retry_at for x in self.tree.leaves if x.state == tree.PENDING and x.retry_at]
            if any(leaf.state == tree.RUNNING for leaf in self.tree.leaves) or not waits:
                quiet = self.order.state == tree.WAITING
                return now() + timedelta(seconds=AGAIN_SECONDS * (15 if quiet else 1))
            return min(waits)
        return None

    def _commit(self) -> None:
        """Keep what was done, if the lease is still ours; renew it.

        :raises Fenced: another process raised the token
        """
        ours = db.session.execute(
            update(Order)
            .where(Order.id == self.order.id, Order.token == self.token)
            .values(lease_until=now() + LEASE)
            .execution_options(synchronize_session=False)
        )
        if not getattr(ours, "rowcount", 0):
            raise Fenced
        db.session.commit()
        self.renewed = time.monotonic()

    def _start_ready(self) -> bool:
        running = sum(1 for leaf in self.tree.leaves if leaf.state == tree.RUNNING)
        moved = False
        if self.order.paused:
            return False
        moment = now()
        due = [leaf for leaf in self.tree.ready() if leaf.retry_at is None or leaf.retry_at <= moment]
        for leaf in due[: max(0, AT_ONCE - running)]:
            moved |= self._start(leaf)
        return moved

    def _start(self, leaf: OrderNode) -> bool:
        moment = now()
        if leaf.step == CONFIRM:
            move(self.order, leaf, tree.WAITING)
            leaf.started_at = moment
            return True
        kind = self._kind(leaf)
        ctx = Context(self.order, leaf, self.cache)
        move(self.order, leaf, tree.RUNNING)
        leaf.started_at, leaf.finished_at, leaf.error = leaf.started_at or moment, None, None
        leaf.attempt += 0 if leaf.retry_at else 1
        leaf.retry_at = None
        try:
            if leaf.before is None:
                leaf.before = dict(kind.capture(ctx))
            self._commit()
            kind.apply(ctx)
            leaf.applied = True
        except ConsoleError as error:
            self._trouble(leaf, error)
        except Fenced:
            raise
        except Exception as error:
            log.exception("order %s step %s", self.order.id, leaf.key, exc_info=error)
            self._fail(leaf, UNKNOWN())
        finally:
            self._keep_lines(ctx)
        if leaf.state == tree.RUNNING:
            self._check(leaf, kind)
        return True

    def _check_running(self) -> bool:
        moved = False
        for leaf in self.tree.leaves:
            if leaf.state == tree.RUNNING:
                kind = self._kind(leaf)
                if not leaf.applied:
                    moved |= self._resume(leaf, kind)
                else:
                    moved |= self._check(leaf, kind)
                if time.monotonic() - self.renewed > RENEW_SECONDS:
                    self._commit()
        return moved

    def _resume(self, leaf: OrderNode, kind: StepKind) -> bool:
        """A worker died between its intent and the end of its act: act again, towards the same target."""
        event(self.order, leaf, "resumed", leaf.state, leaf.state)
        ctx = Context(self.order, leaf, self.cache)
        try:
            kind.apply(ctx)
            leaf.applied = True
        except ConsoleError as error:
            self._trouble(leaf, error)
        except Exception as error:
            log.exception("order %s step %s", self.order.id, leaf.key, exc_info=error)
            self._fail(leaf, UNKNOWN())
        finally:
            self._keep_lines(ctx)
        return True

    def _check(self, leaf: OrderNode, kind: StepKind) -> bool:
        ctx = Context(self.order, leaf, self.cache)
        try:
            found = kind.check(ctx)
        except ConsoleError as error:
            if not is_transient(error):
                self._fail(leaf, error)
                return True
            found = Outcome(progress=leaf.progress, detail={**(leaf.detail or {}), "note": str(error)})
        except Exception as error:
            log.exception("order %s step %s", self.order.id, leaf.key, exc_info=error)
            self._fail(leaf, UNKNOWN())
            return True
        finally:
            self._keep_lines(ctx)
        return self._take(leaf, found)

    def _take(self, leaf: OrderNode, found: Outcome) -> bool:
        if found.detail is not None and found.detail != leaf.detail:
            leaf.detail = dict(found.detail)
        if found.done:
            leaf.progress, leaf.finished_at = 1.0, now()
            leaf.result = dict(found.result) if found.result else leaf.result
            move(self.order, leaf, tree.SUCCEEDED)
            return True
        if found.error is not None:
            self._fail(leaf, found.error)
            return True
        if abs(found.progress - leaf.progress) > 1e-6:
            leaf.progress = found.progress
        began = leaf.started_at or now()
        if (now() - began).total_seconds() > leaf.timeout:
            self._fail(
                leaf, TIMED_OUT(step=Text(leaf.title_en or leaf.name, leaf.title_zh or leaf.name), seconds=leaf.timeout)
            )
            return True
        return False

    def _trouble(self, leaf: OrderNode, error: ConsoleError) -> None:
        """What may pass by itself is tried again, a few times, later and later; then it is a failure."""
        if not is_transient(error) or leaf.tries >= TRIES:
            self._fail(leaf, error)
            return
        leaf.retry_at = now() + timedelta(seconds=BACKOFF[min(leaf.tries, len(BACKOFF) - 1)])
        leaf.tries += 1
        leaf.error = problem(error)
        leaf.applied = False
        move(self.order, leaf, tree.PENDING, {"again": leaf.retry_at.isoformat(), "error": error.code})

    def _fail(self, leaf: OrderNode, error: ConsoleError) -> None:
        leaf.error, leaf.finished_at = problem(error), now()
        move(self.order, leaf, tree.FAILED, {"code": error.code})

    def _kind(self, leaf: OrderNode) -> StepKind:
        return site.catalogue().steps[leaf.step]

    def _keep_lines(self, ctx: Context) -> None:
        for level, line in ctx.lines:
            db.session.add(OrderLog(order_id=self.order.id, node_id=ctx.node.id, at=now(), level=level, line=line))
        ctx.lines.clear()


def move(order: Order, node: OrderNode, state: str, detail: dict[str, Any] | None = None, actor: str = "") -> None:
    """Change a leaf's state with its event."""
    event(order, node, "state", node.state, state, actor, detail)
    node.state = state
    node.version += 1


def event(
    order: Order, node: OrderNode | None, what: str, before: str = "", after: str = "", actor: str = "",
    detail: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Append to the order's history."""
    db.session.add(
        OrderEvent(
            order_id=order.id, node_id=node.id if node else None, at=now(), what=what, before=before, after=after,
            actor=actor, detail=detail,
        )
    )  # fmt: skip


def problem(error: ConsoleError) -> dict[str, Any]:
    """An error as an order keeps it, in both languages."""
    kept: dict[str, Any] = {
        "code": error.code,
        "reason": {"en": error.reason.en, "zh": error.reason.zh},
        "remedy": {"en": error.remedy.en, "zh": error.remedy.zh},
    }
    if error.extra:
        kept["extra"] = dict(error.extra)
    return kept


def order_type(order: Order) -> OrderType | None:
    """What the order's plugin adds to its life."""
    return site.catalogue().order_types.get(order.plugin)


def due(limit: int = 50) -> Sequence[str]:
    """Orders whose next tick is due and that nobody works on."""
    moment = now()
    query = (
        select(Order.id)
        .where(Order.due_at.is_not(None), Order.due_at <= moment)
        .where(or_(Order.lease_until.is_(None), Order.lease_until < moment))
        .order_by(Order.due_at)
        .limit(limit)
    )
    return db.session.scalars(query).all()


def wake(order_ids: Sequence[str]) -> None:
    """Make these orders due now."""
    db.session.execute(update(Order).where(Order.id.in_(order_ids)).values(due_at=now()))


def wake_cluster(cluster_id: str) -> None:
    """Something of ours changed in a cluster: its running orders look again."""
    soon = now()
    db.session.execute(
        update(Order)
        .where(Order.cluster_id == cluster_id, Order.state == tree.RUNNING, Order.due_at > soon)
        .values(due_at=soon)
    )
