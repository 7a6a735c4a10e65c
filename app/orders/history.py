"""What happened to an order: changes of state and other events, appended in the transaction of the change; and what
its steps wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from app.db import db, now, rows
from app.orders.models import Order, OrderEvent, OrderLog, OrderNode


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


def lines_after(order: Order, leaves: Sequence[OrderNode], after: int, limit: int) -> Sequence[OrderLog]:
    """What these steps wrote after the line *after*, oldest first."""
    found = _lines(order, leaves).where(OrderLog.id > after).order_by(OrderLog.id)
    return rows(found.limit(limit))


def last_lines(order: Order, leaves: Sequence[OrderNode], limit: int) -> Sequence[OrderLog]:
    """What these steps wrote last, oldest first."""
    return rows(_lines(order, leaves).order_by(OrderLog.id.desc()).limit(limit))[::-1]


def _lines(order: Order, leaves: Sequence[OrderNode]) -> Select[Any]:
    return select(OrderLog).where(OrderLog.order_id == order.id, OrderLog.node_id.in_([leaf.id for leaf in leaves]))
