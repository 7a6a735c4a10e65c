"""One step of an order as it runs: started, taken up again, asked how far it is, tried again or failed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from app import site
from app.conflicts import is_of_a_writer
from app.db import db, now
from app.errors import UNKNOWN, ConsoleError, ErrorCode
from app.kube.errors import is_transient
from app.orders import tree
from app.orders.history import event, move
from app.orders.leases import Fenced, Lease
from app.orders.models import Order, OrderLog, OrderNode
from app.orders.steps import Confirm, Context, Outcome, StepKind
from app.words import _

log = logging.getLogger(__name__)
BACKOFF_SECONDS = (1, 2, 5)  # how long what may pass by itself waits before the next try; the last for all further ones
PATIENCE_SECONDS = 900  # for how long it is tried, however short the step's own time is
TIMED_OUT = ErrorCode(
    "ORDERS/STEP_TIMED_OUT",
    504,
    _("{step} was not finished within {seconds} s."),
    _("See its events and log for what holds it, then retry, skip or roll back."),
)
STEP_UNKNOWN = ErrorCode(
    "ORDERS/STEP_UNKNOWN",
    501,
    _("No enabled plugin of this site knows the step {step}."),
    _("Enable the plugin {plugin}, then retry; until then the order holds nothing."),
)


def may_pass(error: ConsoleError) -> bool:
    """Whether the same step may succeed in a moment: its cluster is busy, or another writer was faster."""
    return is_transient(error) or is_of_a_writer(error)


def is_out_of_time(error: Exception) -> bool:
    """Whether RQ took the worker's time away: nothing is known of the step then, and the next tick takes it up
    again.
    """
    return type(error).__module__ == "rq.timeouts"


class Execution:
    """The steps of one order during one tick; ``cache`` is what they share.

    While a step only looks at a cluster, nothing is flushed: no other writer of the database waits for a slow API
    server.
    """

    def __init__(self, order: Order, lease: Lease) -> None:
        self.order = order
        self.lease = lease
        self.cache: dict[str, Any] = {}

    def start(self, leaf: OrderNode) -> None:
        """Start a leaf whose turn it is, or start it again.

        :raises Fenced: another process works on the order
        """
        if leaf.step == Confirm.name:
            move(self.order, leaf, tree.WAITING)
            leaf.started_at = now()
            return
        move(self.order, leaf, tree.RUNNING)
        leaf.started_at, leaf.finished_at, leaf.error = leaf.started_at or now(), None, None
        leaf.attempt += 0 if leaf.retry_at else 1
        leaf.retry_at = None
        self._act(leaf)

    def look(self, leaf: OrderNode) -> bool:
        """Ask a running leaf how far it is.

        :returns: whether more than its fraction changed
        :raises Fenced: another process works on the order
        """
        if leaf.applied:
            return self._check(leaf)
        # A worker died between its intent and the end of its act: act again, towards the same target.
        event(self.order, leaf, "resumed", leaf.state, leaf.state)
        self._act(leaf)
        return True

    def fail(self, leaf: OrderNode, error: ConsoleError) -> None:
        """End a leaf with what is wrong."""
        leaf.error, leaf.finished_at = error.kept(), now()
        move(self.order, leaf, tree.FAILED, {"code": error.code})

    def _act(self, leaf: OrderNode) -> None:
        """Record the intent, then act towards the target."""
        try:
            with self._running(leaf) as (kind, ctx):
                if leaf.before is None:
                    with db.session.no_autoflush:
                        leaf.before = dict(kind.capture(ctx))
                self.lease.commit()
                kind.apply(ctx)
                leaf.applied = True
        except ConsoleError as error:
            self._try_again(leaf, error)

    def _check(self, leaf: OrderNode) -> bool:
        try:
            with self._running(leaf) as (kind, ctx), db.session.no_autoflush:
                found = kind.check(ctx)
        except ConsoleError as error:
            if not may_pass(error):
                self.fail(leaf, error)
                return True
            found = Outcome(progress=leaf.progress, error=error, may_pass=True)
        return self._take(leaf, found)

    @contextmanager
    def _running(self, leaf: OrderNode) -> Iterator[tuple[StepKind, Context]]:
        """The leaf's step at work: its lines are kept, and what it did not foresee is an error that says so.

        :raises ConsoleError: ORDERS/STEP_UNKNOWN where its plugin is not enabled any more
        """
        kind, ctx = site.catalogue().steps.get(leaf.step), Context(self.order, leaf, self.cache)
        if kind is None:
            raise STEP_UNKNOWN(step=leaf.step, plugin=self.order.plugin)
        try:
            yield kind, ctx
        except Fenced:
            raise
        except ConsoleError as error:
            if is_of_a_writer(error):
                db.session.rollback()  # as after the death of a worker: what was not kept is read and done again
            raise
        except Exception as error:
            if is_out_of_time(error):
                raise
            log.exception("order %s step %s", self.order.id, leaf.key, exc_info=error)
            raise UNKNOWN() from error
        finally:
            for level, line in ctx.lines:
                db.session.add(OrderLog(order_id=self.order.id, node_id=leaf.id, at=now(), level=level, line=line))

    def _take(self, leaf: OrderNode, found: Outcome) -> bool:
        if found.detail is not None and found.detail != leaf.detail:
            leaf.detail = dict(found.detail)
        if found.done:
            leaf.progress, leaf.finished_at, leaf.error = 1.0, now(), None
            leaf.result = dict(found.result) if found.result else leaf.result
            move(self.order, leaf, tree.SUCCEEDED)
            return True
        if found.error is not None and not found.may_pass:
            self.fail(leaf, found.error)
            return True
        reason = found.error.kept() if found.error else None
        if reason != leaf.error:
            leaf.error = reason
        if abs(found.progress - leaf.progress) > 1e-6:
            leaf.progress = found.progress
        if self._took(leaf) > leaf.timeout:
            self.fail(leaf, TIMED_OUT(step=leaf.title, seconds=leaf.timeout))
            return True
        return False

    def _took(self, leaf: OrderNode) -> float:
        """Seconds that a step has had: not those in which nobody worked on its order."""
        return (now() - (leaf.started_at or now())).total_seconds() - self.order.idle

    def _try_again(self, leaf: OrderNode, error: ConsoleError) -> None:
        """What may pass by itself is tried again until it took too long; then it is a failure."""
        if not may_pass(error) or self._took(leaf) > max(leaf.timeout, PATIENCE_SECONDS):
            self.fail(leaf, error)
            return
        leaf.retry_at = now() + timedelta(seconds=BACKOFF_SECONDS[min(leaf.tries, len(BACKOFF_SECONDS) - 1)])
        leaf.tries += 1
        leaf.error = error.kept()
        leaf.applied = False
        move(self.order, leaf, tree.PENDING, {"again": leaf.retry_at.isoformat(), "error": error.code})
