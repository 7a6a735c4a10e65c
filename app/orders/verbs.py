"""What a person may tell an order or a node, and in which states: the page shows and the server takes the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.db import now
from app.errors import ConsoleError, ErrorCode
from app.orders import tree
from app.orders.models import Order, OrderNode
from app.orders.types import type_of
from app.words import _, pgettext, plain

PAUSE, RESUME, CANCEL, FORCE_CANCEL = "pause", "resume", "cancel", "force-cancel"
RETRY, SKIP, CONFIRM, ROLLBACK = "retry", "skip", "confirm", "rollback"
TITLES = {
    PAUSE: _("Pause"),
    RESUME: _("Resume"),
    CANCEL: _("Cancel"),
    FORCE_CANCEL: _("Force cancel"),
    RETRY: _("Retry"),
    SKIP: _("Skip"),
    CONFIRM: pgettext("command of an order", "Confirm"),
    ROLLBACK: _("Roll back"),
}
STUCK_AFTER = timedelta(seconds=30)
NOT_NOW = ErrorCode(
    "ORDERS/NOT_IN_THIS_STATE",
    409,
    _("{verb} is not possible while this is {state}."),
    _("Reload the order: it offers what is possible now."),
)
REQUIRED_STEP = ErrorCode(
    "ORDERS/STEP_REQUIRED",
    409,
    _("The step {step} cannot be skipped: what follows needs it."),
    _("Correct what it says and retry it, or skip its whole application."),
)


def not_now(verb: str, state: str) -> ConsoleError:
    """The refusal of *verb* for what is in this state."""
    return NOT_NOW(verb=TITLES.get(verb, plain(verb)), state=plain(state))


def too_late(verb: str) -> frozenset[str]:
    """States of an order in which *verb* means nothing any more, to itself or to any of its nodes."""
    return tree.TERMINAL if verb in (RESUME, FORCE_CANCEL) else tree.TERMINAL | {tree.CANCELLING}


def of_order(order: Order) -> list[str]:
    """What may be told to the whole order now."""
    state = order.state
    found: list[str] = []
    if state in (tree.QUEUED, tree.RUNNING, tree.WAITING, tree.FAILED) and not order.paused:
        found.append(PAUSE)
    if order.paused and state not in tree.TERMINAL:
        found.append(RESUME)
    if state == tree.FAILED or (order.paused and order.error):
        found += [RETRY, SKIP]
    if state not in tree.TERMINAL and state != tree.CANCELLING:
        found.append(CANCEL)
    if state not in tree.TERMINAL:
        found.append(FORCE_CANCEL)
    if type_of(order).rollback and state in (tree.FAILED, tree.WAITING, tree.SUCCEEDED, tree.CANCELLED):
        found.append(ROLLBACK)
    return found


def of_node(order: Order, node: OrderNode, leaves: Sequence[OrderNode]) -> list[str]:
    """What may be told to a node now; *leaves* are those below it."""
    kind = type_of(order).kind(node)
    if order.state in tree.TERMINAL:
        return [ROLLBACK] if kind.rolls_back and order.state != tree.ROLLED_BACK else []
    if order.state in (tree.QUEUED, tree.CANCELLING):
        return []
    states = {leaf.state for leaf in leaves}
    found: list[str] = []
    if tree.WAITING in states:
        found.append(CONFIRM)
    if tree.FAILED in states:
        found.append(RETRY)
    open_leaves = [leaf for leaf in leaves if leaf.state not in tree.DONE]
    apart = kind.whole or not any(leaf.required for leaf in open_leaves)
    if open_leaves and apart and states - {tree.WAITING} - tree.DONE:
        found.append(SKIP)
    if order.state in (tree.FAILED, tree.WAITING) and kind.rolls_back:
        found.append(ROLLBACK)
    return found


def is_stuck(order: Order) -> bool:
    """Whether nobody has worked on a live order for a while: then forcing is offered first."""
    working = order.state in (tree.RUNNING, tree.CANCELLING)
    return working and order.due_at is not None and order.due_at + STUCK_AFTER < now()
