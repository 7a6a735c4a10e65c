"""What people tell orders: a row that the next tick reads; applied at once where nobody works on the order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, select, update

from app import audit, caller
from app.db import affected, db, new_id, now
from app.errors import NOT_FOUND, ConsoleError
from app.orders import due, locks, tree, verbs
from app.orders.history import event, move
from app.orders.models import Order, OrderCommand, OrderNode
from app.orders.tree import Tree
from app.orders.types import type_of
from app.words import _

STEP = _("step")


def give(order: Order, verb: str, node_id: str | None = None, reason: str = "") -> None:
    """Tell *order* (or a node of it) to do *verb*; it is obeyed by the next tick.

    Its state says so at once: whoever looks after a retry does not see the failure before it any more. Force-cancel is
    carried out here and now: it raises the token, so that a late worker cannot write.

    :raises ConsoleError: ORDERS/NOT_IN_THIS_STATE, ORDERS/STEP_REQUIRED, CORE/NOT_FOUND
    """
    nodes = db.session.scalars(select(OrderNode).where(OrderNode.order_id == order.id)).all()
    found = Tree(nodes)
    node = found.by_id.get(node_id) if node_id else None
    if node_id and node is None:
        raise NOT_FOUND(what=STEP)
    check(order, found, node, verb)
    actor, before = caller.current().name, order.state
    audit.note("order", order.id, order.title, verb=verb, node=node.key if node else None, reason=reason or None)
    if verb == verbs.FORCE_CANCEL:
        force_cancel(order, found, actor, reason)
        return
    _hold(order, verb)
    if verb == verbs.CANCEL:
        event(order, None, "state", before, tree.CANCELLING, actor)
    db.session.add(
        OrderCommand(id=new_id(), order_id=order.id, node_id=node_id, verb=verb, actor=actor, reason=reason[:1000])
    )
    due.look_soon()


def _hold(order: Order, verb: str) -> None:
    """Write what *verb* makes of the order's row, and make it due: a tick may have ended it since it was read.

    :raises ConsoleError: ORDERS/NOT_IN_THIS_STATE
    """
    open_still = update(Order).where(Order.id == order.id, Order.state.not_in(verbs.too_late(verb)))
    if not affected(open_still.values(_values(verb)).execution_options(synchronize_session=False)):
        db.session.refresh(order, with_for_update=True)  # as it is now, not as this transaction began
        raise verbs.not_now(verb, order.state)
    db.session.refresh(order)


def _values(verb: str) -> dict[str, Any]:
    if verb == verbs.FORCE_CANCEL:
        return {"token": Order.token + 1, "lease_until": None}
    if verb in (verbs.PAUSE, verbs.RESUME):
        return {"due_at": now(), "paused": verb == verbs.PAUSE}
    if verb == verbs.CANCEL:
        return {"due_at": now(), "state": tree.CANCELLING}
    goes_on = case((Order.state.in_((tree.FAILED, tree.WAITING)), tree.RUNNING), else_=Order.state)
    return {"due_at": now(), "state": goes_on}


def check(order: Order, found: Tree, node: OrderNode | None, verb: str) -> None:
    """Refuse what is not possible now.

    :raises ConsoleError: ORDERS/NOT_IN_THIS_STATE, ORDERS/STEP_REQUIRED
    """
    possible = verbs.of_order(order) if node is None else verbs.of_node(order, node, found.under(node))
    if verb in possible:
        return
    if verb == verbs.SKIP and node is not None:
        required = next((x for x in found.under(node) if x.required and x.state not in tree.DONE), None)
        if required is not None and order.state not in tree.TERMINAL:
            raise verbs.REQUIRED_STEP(step=required.title)
    raise verbs.not_now(verb, node.state if node else order.state)


def obey(order: Order, found: Tree) -> None:
    """Apply every command that was not obeyed yet, oldest first. Called under the order's lease."""
    waiting = select(OrderCommand).where(OrderCommand.order_id == order.id, OrderCommand.done_at.is_(None))
    for command in db.session.scalars(waiting.order_by(OrderCommand.id)):
        _obey(order, found, command)
        command.done_at = now()
    if order.state == tree.CANCELLING:
        _cancel_rest(order, found)


def are_waiting(order: Order) -> bool:
    """Whether the order was told something that it did not obey yet."""
    told = select(OrderCommand.id).where(OrderCommand.order_id == order.id, OrderCommand.done_at.is_(None))
    return db.session.scalar(told.limit(1)) is not None


def _obey(order: Order, found: Tree, command: OrderCommand) -> None:
    node = found.by_id.get(command.node_id) if command.node_id else None
    leaves = found.under(node)
    if command.verb == verbs.PAUSE:
        order.paused = True
    elif command.verb == verbs.RESUME:
        order.paused = False
    elif command.verb == verbs.CANCEL and order.state not in tree.TERMINAL:
        order.state = tree.CANCELLING
    elif command.verb == verbs.RETRY:
        _retry(order, [leaf for leaf in leaves if leaf.state == tree.FAILED], command)
    elif command.verb == verbs.SKIP:
        wanted = (
            leaves
            if node is not None
            else [x for leaf in leaves if leaf.state == tree.FAILED for x in found.skipped_with(leaf, type_of(order))]
        )
        _skip(order, wanted, command)
    elif command.verb == verbs.CONFIRM:
        _confirm(order, leaves, command)
    event(order, node, command.verb, actor=command.actor, detail={"reason": command.reason} if command.reason else None)


def _retry(order: Order, leaves: Sequence[OrderNode], command: OrderCommand) -> None:
    kind = type_of(order)
    if kind.before_retry and leaves:
        try:
            with db.session.begin_nested():
                kind.before_retry(order, leaves)
        except ConsoleError as error:
            for leaf in leaves:
                leaf.error = error.kept()
            event(order, None, "retry-refused", actor=command.actor, detail={"code": error.code})
            return
    for leaf in leaves:
        leaf.applied, leaf.retry_at, leaf.tries = False, None, 0
        leaf.started_at = leaf.finished_at = None
        leaf.error, leaf.progress = None, 0.0
        move(order, leaf, tree.PENDING, actor=command.actor)
    if leaves and order.state == tree.FAILED:
        order.state = tree.RUNNING


def _skip(order: Order, leaves: Sequence[OrderNode], command: OrderCommand) -> None:
    for leaf in leaves:
        if leaf.state not in tree.DONE:
            leaf.finished_at = now()
            leaf.result = {"skippedBy": command.actor, "reason": command.reason}
            move(order, leaf, tree.SKIPPED, actor=command.actor)
    if leaves and order.state == tree.FAILED:
        order.state = tree.RUNNING


def _confirm(order: Order, leaves: Sequence[OrderNode], command: OrderCommand) -> None:
    for leaf in leaves:
        if leaf.state == tree.WAITING:
            leaf.finished_at, leaf.progress = now(), 1.0
            leaf.result = {"confirmedBy": command.actor, "at": now().isoformat()}
            move(order, leaf, tree.SUCCEEDED, actor=command.actor)


def _cancel_rest(order: Order, found: Tree) -> None:
    """The safe point: no step is in the middle of acting while commands are obeyed."""
    for leaf in found.leaves:
        if leaf.state not in tree.DONE and leaf.state != tree.FAILED:
            leaf.finished_at = now() if leaf.started_at else None
            leaf.result = {"left": leaf.state, "applied": leaf.applied}
            move(order, leaf, tree.CANCELLED)
    event(order, None, "state", order.state, tree.CANCELLED)
    order.state = tree.CANCELLED


def force_cancel(order: Order, found: Tree, actor: str, reason: str) -> None:
    """End a stuck order now, whoever holds its lease, and record what was left in which state.

    :raises ConsoleError: ORDERS/NOT_IN_THIS_STATE where it ended meanwhile
    """
    _hold(order, verbs.FORCE_CANCEL)
    left = {
        leaf.key: {"state": leaf.state, "applied": leaf.applied} for leaf in found.leaves if leaf.state not in tree.DONE
    }
    _cancel_rest(order, found)
    found.derive()
    event(order, None, verbs.FORCE_CANCEL, actor=actor, detail={"left": left, "reason": reason})
    order.finished_at, order.due_at = now(), None
    locks.release(order.id)
    audit.note("order", order.id, order.title, left=left)
