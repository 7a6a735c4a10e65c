"""What follows a change: done once its transaction is kept, and never a reason to answer that it failed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import g, request

from app.db import db

log = logging.getLogger(__name__)


def after_commit(action: Callable[[], object]) -> None:
    """Run *action* once this request's transaction is kept; nobody is told if it fails."""
    g.setdefault("after_commit", []).append(action)


def follow() -> None:
    """Do what follows the change that was kept just now. What fails is logged: the change is answered as done."""
    for action in g.pop("after_commit", []):
        try:
            action()
        except Exception:
            log.exception("after the commit of %s", request.endpoint)
            db.session.rollback()
