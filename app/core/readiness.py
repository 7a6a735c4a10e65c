"""Whether what the site needs answers: each check in a thread of its own, so that one that hangs is a "no" in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from flask import Flask, current_app

from app.db import db

PATIENCE_SECONDS = 3.0
EXTENSION = "antstack.readiness"
Check = Callable[[], bool]


def answers(checks: Mapping[str, Check]) -> dict[str, bool]:
    """Which checks say yes within some seconds; one that still hangs from an earlier call is not started again."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    running: dict[str, Future[bool]] = app.extensions.setdefault(EXTENSION, {})
    end = time.monotonic() + PATIENCE_SECONDS
    for name, check in checks.items():
        if name not in running or running[name].done():
            running[name] = Future()
            threading.Thread(target=_ask, args=(app, check, running[name]), name=f"ready-{name}", daemon=True).start()
    return {name: _says(running[name], end - time.monotonic()) for name in checks}


def _says(asked: Future[bool], seconds: float) -> bool:
    try:
        return asked.result(max(seconds, 0))
    except TimeoutError:
        return False


def _ask(app: Flask, check: Check, told: Future[bool]) -> None:
    found = False
    try:
        with app.app_context():
            try:
                found = check()
            finally:
                db.session.remove()
    except Exception:
        found = False
    finally:
        told.set_result(found)
