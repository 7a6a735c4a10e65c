"""The RQ job that advances an order."""

from __future__ import annotations

from flask import current_app

from app.db import db
from app.orders import engine
from app.processes import application


def tick(order_id: str) -> None:
    """Advance one order. Called by RQ, on a worker."""
    if current_app:
        _tick(order_id)
        return
    with application().app_context():
        _tick(order_id)


def _tick(order_id: str) -> None:
    try:
        engine.tick(order_id)
    finally:
        db.session.remove()
