"""States of an order's tree: parents derive from their children, the order from its roots; who may start next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from app.orders.models import Order, OrderNode
from app.orders.types import OrderType

PENDING: Final = "pending"
QUEUED: Final = "queued"
RUNNING: Final = "running"
WAITING: Final = "waiting"
PAUSED: Final = "paused"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"
CANCELLING: Final = "cancelling"
CANCELLED: Final = "cancelled"
ROLLED_BACK: Final = "rolled-back"

DONE: Final = frozenset({SUCCEEDED, SKIPPED})
TERMINAL: Final = frozenset({SUCCEEDED, CANCELLED, ROLLED_BACK})
ACTIVE: Final = frozenset({QUEUED, RUNNING, WAITING, PAUSED, FAILED, CANCELLING})


class Tree:
    """The nodes of one order, by parent. Built once per tick or page."""

    def __init__(self, nodes: Sequence[OrderNode]) -> None:
        self.nodes = nodes
        self.by_id = {node.id: node for node in nodes}
        self.by_key = {node.key: node for node in nodes}
        self.children: dict[str | None, list[OrderNode]] = {}
        for node in nodes:
            self.children.setdefault(node.parent_id, []).append(node)
        for siblings in self.children.values():
            siblings.sort(key=lambda node: node.position)
        self.leaves = [node for node in nodes if node.step]

    @property
    def roots(self) -> list[OrderNode]:
        """Nodes without a parent."""
        return self.children.get(None, [])

    def under(self, node: OrderNode | None) -> list[OrderNode]:
        """The leaves below *node* (itself, if it is one), in order; of the whole tree for None."""
        if node is None:
            return [leaf for root in self.roots for leaf in self.under(root)]
        if node.step:
            return [node]
        return [leaf for child in self.children.get(node.id, []) for leaf in self.under(child)]

    def below(self, node: OrderNode) -> list[OrderNode]:
        """Every node below *node*, its children first."""
        children = self.children.get(node.id, [])
        return [*children, *(found for child in children for found in self.below(child))]

    def path(self, node: OrderNode) -> list[OrderNode]:
        """From the root to *node*, both included."""
        parent = self.by_id.get(node.parent_id or "")
        return [*self.path(parent), node] if parent else [node]

    def skipped_with(self, leaf: OrderNode, type: OrderType) -> list[OrderNode]:
        """What is left out when a leaf is: itself, or where the rest needs it all of what goes as a whole."""
        node: OrderNode | None = leaf
        while node is not None and leaf.required and not type.kind(node).whole:
            node = self.by_id.get(node.parent_id or "")
        return self.under(node)

    def derive(self) -> None:
        """Set state, progress and times of every parent from its children."""
        for root in self.roots:
            self._derive(root)

    def _derive(self, node: OrderNode) -> None:
        if node.step:
            return
        children = self.children.get(node.id, [])
        for child in children:
            self._derive(child)
        state = state_of(child.state for child in children)
        if node.state != state:
            node.state = state
        progress = sum(_fraction(child) for child in children) / len(children) if children else 1.0
        if abs(node.progress - progress) > 1e-6:
            node.progress = progress
        started = min((c.started_at for c in children if c.started_at), default=None)
        if node.started_at != started:
            node.started_at = started
        ended = [c.finished_at for c in children if c.finished_at]
        finished = max(ended) if ended and state in (SUCCEEDED, SKIPPED, CANCELLED, FAILED) else None
        if node.finished_at != finished:
            node.finished_at = finished
        failed = next((c.error for c in children if c.state == FAILED and c.error), None)
        if node.error != failed:
            node.error = failed

    def ready(self) -> list[OrderNode]:
        """Pending leaves whose turn it is."""
        found: list[OrderNode] = []
        self._ready(self.roots, True, found)
        return found

    def _ready(self, siblings: Sequence[OrderNode], parallel: bool, found: list[OrderNode]) -> None:
        for node in siblings:
            if node.state in DONE:
                continue
            if all(self.by_key[key].state in DONE for key in node.after if key in self.by_key):
                if not node.step:
                    self._ready(self.children.get(node.id, []), node.parallel, found)
                elif node.state == PENDING:
                    found.append(node)
            if not parallel:
                return

    def order_state(self, order: Order) -> str:
        """The order's state, from its leaves and what a person asked for."""
        if order.state in TERMINAL or order.state in (QUEUED, CANCELLING):
            return order.state
        states = {leaf.state for leaf in self.leaves}
        if states <= DONE:
            return SUCCEEDED
        if order.paused:
            return PAUSED
        if RUNNING in states:
            return RUNNING
        if WAITING in states:
            return WAITING
        if FAILED in states:
            return RUNNING if self.ready() else FAILED
        if PENDING in states:
            return RUNNING
        return CANCELLED


def state_of(states: Iterable[str]) -> str:
    """What children in these states make of their parent. Waiting for a person shows through everything."""
    found = set(states)
    if not found:
        return SUCCEEDED
    if found <= DONE:
        return SKIPPED if found == {SKIPPED} else SUCCEEDED
    for state in (WAITING, FAILED, RUNNING):
        if state in found:
            return state
    if CANCELLED in found:
        return CANCELLED
    return RUNNING if found & DONE else PENDING


def _fraction(node: OrderNode) -> float:
    return 1.0 if node.state in DONE else node.progress
