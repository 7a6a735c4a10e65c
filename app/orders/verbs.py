"""What a person may tell an order or a node, and in which states: the page shows and the server takes the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.contracts.text import Text, plain
from app.db import now
from app.errors import ConsoleError, ErrorCode
from app.orders import tree
from app.orders.models import Order, OrderNode

PAUSE, RESUME, CANCEL, FORCE_CANCEL = "pause", "resume", "cancel", "force-cancel"
RETRY, SKIP, CONFIRM, ROLLBACK = "retry", "skip", "confirm", "rollback"
TITLES = {
    PAUSE: Text("Pause", "暂停"),
    RESUME: Text("Resume", "继续"),
    CANCEL: Text("Cancel", "取消"),
    FORCE_CANCEL: Text("Force cancel", "强制取消"),
    RETRY: Text("Retry", "重试"),
    SKIP: Text("Skip", "跳过"),
    CONFIRM: Text("Confirm", "确认继续"),
    ROLLBACK: Text("Roll back", "回滚"),
}
STUCK_AFTER = timedelta(seconds=30)
NOT_NOW = ErrorCode(
    "ORDERS/NOT_IN_THIS_STATE",
    409,
    Text("{verb} is not possible while this is {state}.", "当前状态（{state}）下不能{verb}。"),
    Text("Reload the order: it offers what is possible now.", "请刷新执行单查看当前可用的操作。"),
)
REQUIRED_STEP = ErrorCode(
    "ORDERS/STEP_REQUIRED",
    409,
    Text("The step {step} cannot be skipped: what follows needs it.", "步骤 {step} 不可跳过：后续步骤依赖它。"),
    Text("Correct what it says and retry it, or skip its whole application.", "请按提示修正后重试，或跳过整个应用。"),
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
    if state in (tree.FAILED, tree.WAITING, tree.SUCCEEDED, tree.CANCELLED):
        found.append(ROLLBACK)
    return found


def of_node(order: Order, node: OrderNode, leaves: Sequence[OrderNode]) -> list[str]:
    """What may be told to a node now; *leaves* are those below it."""
    if order.state in tree.TERMINAL:
        return (
            [ROLLBACK] if node.kind in ("product", "application", "group") and order.state != tree.ROLLED_BACK else []
        )
    if order.state in (tree.QUEUED, tree.CANCELLING):
        return []
    states = {leaf.state for leaf in leaves}
    found: list[str] = []
    if tree.WAITING in states:
        found.append(CONFIRM)
    if tree.FAILED in states:
        found.append(RETRY)
    open_leaves = [leaf for leaf in leaves if leaf.state not in tree.DONE]
    apart = node.kind in tree.WHOLE or not any(leaf.required for leaf in open_leaves)
    if open_leaves and apart and states - {tree.WAITING} - tree.DONE:
        found.append(SKIP)
    if order.state in (tree.FAILED, tree.WAITING) and node.kind in ("product", "application", "group"):
        found.append(ROLLBACK)
    return found


def is_stuck(order: Order) -> bool:
    """Whether nobody has worked on a live order for a while: then forcing is offered first."""
    working = order.state in (tree.RUNNING, tree.CANCELLING)
    return working and order.due_at is not None and order.due_at + STUCK_AFTER < now()
