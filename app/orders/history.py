"""What happened to an order: changes of state and other events, appended in the transaction of the change."""

from __future__ import annotations

from typing import Any

from app.db import db, now
from app.orders.models import Order, OrderEvent, OrderNode


def move(order: Order, node: OrderNode, state: str, detail: dict[str, Any] | None = None, actor: str = "") -> None:
    """Change a leaf's state with its event."""
    event(order, node, "state", node.state, state, actor, detail)
    node.state = state
    node.version += 1


def event(
    order: Order,
    node: OrderNode | None,
    what: str,
    before: str = "",
    after: str = "",
    actor: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Append to the order's history."""
    node_id = node.id if node else None
    db.session.add(
        OrderEvent(
            order_id=order.id,
            node_id=node_id,
            at=now(),
            what=what,
            before=before,
            after=after,
            actor=actor,
            detail=detail,
        )
    )
