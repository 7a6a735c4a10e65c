"""The scheduler: hands due orders, lost jobs and periodic work to the workers. One acts at a time, under a lease."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app import leases, site
from app.audit import sealer
from app.db import db
from app.jobs import periodic
from app.jobs.queue import queue, wait_for_wake
from app.jobs.run import hand_over_lost
from app.logs import to_json
from app.orders.due import due, is_any
from app.processes import threads

log = logging.getLogger(__name__)
LEASE_SECONDS = 12.0
ORDERS_EVERY, JOBS_EVERY, PERIODIC_EVERY = 0.2, 2.0, 2.0
ROUND = 4.0  # where no order is due
QUIET_AFTER = 3.0  # running orders are due each second; where none was for so long, whoever orders wakes the scheduler
QUIET_EVERY = 0.5  # but while Redis is away
AFTER_A_FAILURE = 1.0
TICK_LIMIT = 300  # seconds; a tick ends by itself long before, unless a step hangs


def schedule(app: Flask) -> None:
    """Run until the process is told to stop."""
    to_json(app.extensions[site.SETTINGS].log_level)
    threads.start("audit-sealer", sealer.seal_for_ever, app)
    scheduler = Scheduler(app)
    while True:
        scheduler.turn()


@dataclass
class Scheduler:
    """What a scheduler knows between its rounds: when it did what last, and which ticks it handed over."""

    app: Flask
    busy: float = field(default_factory=time.monotonic)
    leased: float = -math.inf
    jobs: float = -math.inf
    periodic: float = -math.inf
    handed: dict[str, str] = field(default_factory=dict)

    def turn(self) -> None:
        """Wait for something to do, and do it; whatever fails is logged and tried again."""
        try:
            is_due = _wait(self.app, is_quiet=time.monotonic() - self.busy >= QUIET_AFTER)
            if is_due:
                self.busy = time.monotonic()
            with self.app.app_context():
                try:
                    self.act(time.monotonic(), is_due)
                finally:
                    db.session.remove()
        except Exception:
            log.exception("scheduler")
            time.sleep(AFTER_A_FAILURE)

    def act(self, moment: float, is_due: bool = True) -> None:
        """Hand over what is due, unless another process does.

        :param moment: seconds of a clock that only goes on
        :param is_due: whether an order may be
        """
        if moment - self.leased > LEASE_SECONDS / 3:
            if leases.take("scheduler", LEASE_SECONDS) is None:
                time.sleep(1)
                return
            self.leased = moment
        if is_due:
            hand_over_orders(self.handed)
        if moment - self.jobs > JOBS_EVERY:
            hand_over_lost()
            self.jobs = moment
        if moment >= self.periodic:
            self.periodic = moment + max(PERIODIC_EVERY, periodic.order_due())


def _wait(app: Flask, is_quiet: bool) -> bool:
    """Until an order is due, or the time for the rest has come. Where none was due for long, somebody who orders tells
    it.

    :returns: whether one is due
    """
    end = time.monotonic() + ROUND
    with app.app_context():
        while True:
            _pause(is_quiet)
            try:
                if is_any(db.engine):
                    return True
            except SQLAlchemyError as error:
                log.warning("the database does not answer: %s", error)
            if time.monotonic() >= end:
                return False


def _pause(is_quiet: bool) -> None:
    if not is_quiet:
        time.sleep(ORDERS_EVERY)
        return
    try:
        wait_for_wake(ROUND)
    except RedisError as error:
        log.warning("redis does not answer: %s", error)
        time.sleep(QUIET_EVERY)


def hand_over_orders(handed: dict[str, str]) -> int:
    """Give due orders to the workers; one whose tick still waits there is not given again.

    Each tick is a job of its own: RQ removes a job that ended, and with one name for all of an order it would take away
    the next one, which waits or runs already.

    :param handed: the last tick of each order that was due, by the job's name
    :returns: how many
    """
    found, count = due(), 0
    for order_id in handed.keys() - set(found):
        handed.pop(order_id)
    for order_id in found:
        try:
            orders = queue("orders")
            if order_id in handed and orders.get_job_position(handed[order_id]) is not None:
                continue
            made = orders.enqueue_call(
                "app.orders.job.tick", args=(order_id,), timeout=TICK_LIMIT, result_ttl=0, failure_ttl=60
            )
            handed[order_id] = made.id
            count += 1
        except RedisError as error:
            log.warning("redis did not take order %s, nor will it the others now: %s", order_id, error)
            break  # each of fifty would wait for it anew, beyond the scheduler's lease
    return count
