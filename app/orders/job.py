"""The RQ job that advances an order."""

from __future__ import annotations

from app.db import db
from app.orders import engine


def tick(order_id: str) -> None:
    """Advance one order. Called by RQ, in the application of the worker."""
    try:
        engine.tick(order_id)
    finally:
        db.session.remove()
