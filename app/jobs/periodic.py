"""Periodic work: exactly once per period whatever the number of schedulers (C-42)."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from app import site
from app.contracts.declarations import Periodic
from app.db import affected, db, now
from app.errors import ConsoleError
from app.jobs.models import PeriodicRun

log = logging.getLogger(__name__)


def next_time(work: Periodic, after: datetime) -> datetime:
    """When *work* is due after a moment; cron expressions count in the site's time zone."""
    if work.every:
        return after + timedelta(seconds=work.every)
    from croniter import croniter  # slow to load, and most work is by interval

    local = after.astimezone(ZoneInfo(site.settings().timezone))
    found: datetime = croniter(work.cron, local).get_next(datetime)
    return found


def run_due() -> int:
    """Run what is due now; each is claimed by a conditional update first.

    :returns: how many ran
    """
    known = {row.name: row for row in db.session.scalars(select(PeriodicRun))}
    moment = now()
    ran = 0
    for work in site.catalogue().periodic.values():
        row = known.get(work.name)
        if row is None:
            _introduce(work, moment)
        elif row.next_at is not None and _is_due(work, row.next_at, moment) and _claim(work, row.next_at, moment):
            run(work)
            ran += 1
    return ran


def _is_due(work: Periodic, due: datetime, moment: datetime) -> bool:
    """Whether its time came, or is further away than its period: then a clock was wrong."""
    return due <= moment or bool(work.every and (due - moment).total_seconds() > work.every)


def run(work: Periodic) -> None:
    """Run *work* now and keep how it ended."""
    started = time.monotonic()
    result, detail = "success", ""
    try:
        work.run()
        db.session.commit()
    except Exception as error:
        db.session.rollback()
        log.exception("periodic work %s failed", work.name)
        result, detail = "failed", f"{type(error).__name__}: {error}"[:1000]
    took = int((time.monotonic() - started) * 1000)
    values = {"last_at": now(), "result": result, "detail": detail, "duration_ms": took}
    db.session.execute(update(PeriodicRun).where(PeriodicRun.name == work.name).values(values))
    db.session.commit()


def _introduce(work: Periodic, moment: datetime) -> None:
    first = moment if work.every else next_time(work, moment)
    db.session.add(PeriodicRun(name=work.name, next_at=first))
    try:
        db.session.commit()
    except ConsoleError:
        db.session.rollback()


def _claim(work: Periodic, due: datetime, moment: datetime) -> bool:
    still_due = update(PeriodicRun).where(PeriodicRun.name == work.name, PeriodicRun.next_at == due)
    claimed = affected(still_due.values(next_at=next_time(work, moment)))
    db.session.commit()
    return bool(claimed)
