"""Keeps the audit sealed while the site runs, beside the scheduler's loop and under a lease of its own."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

from flask import Flask

from app import caller, leases
from app.audit import checkpoints, seal
from app.db import db

log = logging.getLogger(__name__)
LEASE = "audit-sealer"
LEASE_SECONDS = 30.0
SLICE_SECONDS = 5.0
PAUSE_SECONDS = 2.0


@dataclass
class Sealer:
    """Seals slice by slice. ``told``: the last checkpoint tells where every chain ends, as far as this process
    knows.
    """

    told: bool = False
    leased: float = -math.inf

    def slice(self) -> int:
        """Seal what waits for some seconds at most, and write a checkpoint if one is due, unless another process does.

        :returns: how many rows were sealed
        """
        if self._is_ours() and not seal.is_any(db.engine):
            return 0
        if leases.take(LEASE, LEASE_SECONDS) is None:
            self.told, self.leased = False, -math.inf
            return 0
        self.leased = time.monotonic()
        sealed = seal.seal_all(SLICE_SECONDS)
        if sealed or not self.told:  # idle processes ask for nothing else
            self.told = checkpoints.write_if_due()
            if sealed or self.told:
                checkpoints.write_between()
        return sealed

    def _is_ours(self) -> bool:
        """Whether the lease is ours for some time to come; an idle process asks for it, and for checkpoints, only
        then.
        """
        return time.monotonic() - self.leased < LEASE_SECONDS / 3


def seal_for_ever(app: Flask) -> None:
    """Seal until the process ends."""
    sealer = Sealer()
    while True:
        if _seal_once(app, sealer) < seal.BATCH:
            time.sleep(PAUSE_SECONDS)


def _seal_once(app: Flask, sealer: Sealer) -> int:
    try:
        with app.app_context():
            caller.become(caller.Caller())
            try:
                return sealer.slice()
            finally:
                db.session.remove()
    except Exception:
        log.exception("the audit's sealer")
        sealer.told = False
        return 0
