"""Keeps the audit sealed while the site runs, beside the scheduler's loop and under a lease of its own."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from flask import Flask

from app import caller, leases
from app.audit import checkpoints, seal
from app.db import db

log = logging.getLogger(__name__)
LEASE = "audit-sealer"
LEASE_SECONDS = 30.0
SLICE_SECONDS = 5.0
PAUSE_SECONDS = 1.0


@dataclass
class Sealer:
    """Seals slice by slice. ``told``: the last checkpoint tells where every chain ends, as far as this process knows."""

    told: bool = False

    def slice(self) -> int:
        """Seal what waits for some seconds at most, and write a checkpoint if one is due, unless another process does.

        :returns: how many rows were sealed
        """
        if leases.take(LEASE, LEASE_SECONDS) is None:
            self.told = False
            return 0
        sealed = seal.seal_all(SLICE_SECONDS)
        if sealed or not self.told:  # idle processes ask for nothing else
            self.told = checkpoints.write_if_due()
            if sealed and not self.told:
                checkpoints.write_between()
        return sealed


def start(app: Flask) -> threading.Event:
    """Seal in a thread of this process until the event that is returned is set."""
    stop = threading.Event()
    threading.Thread(target=_keep, args=(app, stop), name="audit-sealer", daemon=True).start()
    return stop


def _keep(app: Flask, stop: threading.Event) -> None:
    sealer = Sealer()
    while not stop.is_set():
        sealed = 0
        with app.app_context():
            caller.become(caller.Caller())
            try:
                sealed = sealer.slice()
            except Exception:
                log.exception("the audit's sealer")
                db.session.rollback()
            finally:
                db.session.remove()
        if sealed < seal.BATCH:
            stop.wait(PAUSE_SECONDS)
