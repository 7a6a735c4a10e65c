"""The scheduler: hands due orders, lost jobs and periodic work to the workers. One acts at a time, under a lease."""

from __future__ import annotations

import logging
import time

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app import leases, site
from app.audit import sealer
from app.db import db
from app.jobs import periodic
from app.jobs.queue import queue
from app.jobs.run import hand_over_lost
from app.logs import to_json
from app.orders.due import due, is_any

log = logging.getLogger(__name__)
LEASE_SECONDS = 6.0
ORDERS_EVERY, JOBS_EVERY, PERIODIC_EVERY = 0.2, 2.0, 2.0
ROUND = 2.0  # where no order is due
QUIET_EVERY, QUIET_AFTER = 0.5, 30.0  # how often is looked for orders where none was due for so long
TICK_LIMIT = 300  # seconds; a tick ends by itself long before, unless a step hangs


def schedule(app: Flask) -> None:
    """Run until the process is told to stop."""
    to_json(app.extensions[site.SETTINGS].log_level)
    sealer.start(app)
    last = {"jobs": 0.0, "periodic": 0.0, "lease": 0.0}
    handed: dict[str, str] = {}
    busy = time.monotonic()
    while True:
        pause = ORDERS_EVERY if time.monotonic() - busy < QUIET_AFTER else QUIET_EVERY
        busy = time.monotonic() if _wait(app, pause) else busy
        with app.app_context():
            try:
                moment = time.monotonic()
                if moment - last["lease"] > LEASE_SECONDS / 3:
                    if leases.take("scheduler", LEASE_SECONDS) is None:
                        time.sleep(1)
                        continue
                    last["lease"] = moment
                _round(moment, last, handed)
            except Exception:
                log.exception("scheduler")
                db.session.rollback()
                time.sleep(1)
            finally:
                db.session.remove()


def _wait(app: Flask, pause: float) -> bool:
    """Until an order is due, or the time for the rest has come.

    :returns: whether one is due
    """
    end = time.monotonic() + ROUND
    with app.app_context():
        engine = db.engine
    while time.monotonic() < end:
        time.sleep(pause)
        try:
            if is_any(engine):
                return True
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
    return False


def _round(moment: float, last: dict[str, float], handed: dict[str, str]) -> None:
    hand_over_orders(handed)
    if moment - last["jobs"] > JOBS_EVERY:
        hand_over_lost()
        last["jobs"] = moment
    if moment - last["periodic"] > PERIODIC_EVERY:
        periodic.order_due()
        last["periodic"] = moment


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
            log.warning("redis did not take order %s: %s", order_id, error)
    return count
