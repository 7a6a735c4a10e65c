"""Keeps the audit sealed while the site runs, beside the scheduler's loop and under a lease of its own."""

from __future__ import annotations

import logging
import threading

from flask import Flask

from app import caller, leases
from app.audit import checkpoints, seal
from app.db import db

log = logging.getLogger(__name__)
LEASE = "audit-sealer"
LEASE_SECONDS = 30.0
SLICE_SECONDS = 5.0
PAUSE_SECONDS = 1.0


def start(app: Flask) -> threading.Event:
    """Seal in a thread of this process until the event that is returned is set."""
    stop = threading.Event()
    threading.Thread(target=_keep, args=(app, stop), name="audit-sealer", daemon=True).start()
    return stop


def _keep(app: Flask, stop: threading.Event) -> None:
    while not stop.is_set():
        sealed = 0
        with app.app_context():
            caller.become(caller.Caller())
            try:
                sealed = seal_slice()
            except Exception:
                log.exception("the audit's sealer")
                db.session.rollback()
            finally:
                db.session.remove()
        if sealed < seal.BATCH:
            stop.wait(PAUSE_SECONDS)


def seal_slice() -> int:
    """Seal what waits for some seconds at most, and write a checkpoint if one is due, unless another process does.

    :returns: how many rows were sealed
    """
    if leases.take(LEASE, LEASE_SECONDS) is None:
        return 0
    sealed = seal.seal_all(SLICE_SECONDS)
    if not checkpoints.write_if_due() and sealed:
        checkpoints.write_between()
    return sealed
