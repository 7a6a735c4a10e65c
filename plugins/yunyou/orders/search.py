"""What the palette finds of orders."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from app.contracts.declarations import Found
from app.db import db, rows, scoped
from app.orders.models import Order
from app.web.listing import matching
from app.words import _


def search_orders(text: str, limit: int) -> Sequence[Found]:
    """Orders by title."""
    query = scoped(Order).where(Order.plugin == "yunyou", matching(text, (Order.title,)))
    kind = _("Order")
    found = rows(query.order_by(Order.id.desc()).limit(limit))
    return [Found(kind, o.title, url_for("orders.order_show", order_id=o.id), o.state) for o in found]


def anything_ordered() -> bool:
    """Whether the tenant ever made an order."""
    return db.session.scalar(scoped(Order).limit(1)) is not None
