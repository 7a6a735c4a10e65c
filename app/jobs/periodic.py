"""Periodic work: ordered as a job exactly once per period, whatever the number of schedulers (C-42)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update

from app import caller, site
from app.contracts.declarations import Job, Periodic
from app.db import affected, db, new_id, now
from app.errors import ConsoleError
from app.jobs.models import ENDED, JobLogLine, JobRun, PeriodicRun
from app.jobs.queue import LOST_AFTER, push

ASK_AGAIN = timedelta(seconds=30)
OF_THE_SITE = ""  # the tenant of jobs that are of none


def next_time(work: Periodic, after: datetime) -> datetime:
    """When *work* is due after a moment; cron expressions count in the site's time zone."""
    if work.every:
        return after + timedelta(seconds=work.every)
    from croniter import croniter  # slow to load, and most work is by interval

    local = after.astimezone(ZoneInfo(site.settings().timezone))
    found: datetime = croniter(work.cron, local).get_next(datetime)
    return found


def order_due() -> float:
    """Order what is due now; each is claimed by a conditional update in the transaction that writes its job.

    :returns: seconds until it is worth asking again; bounded, since other schedulers and wrong clocks move what is due
    """
    known = {row.name: row.next_at for row in db.session.execute(select(PeriodicRun.name, PeriodicRun.next_at))}
    moment = now()
    soonest = moment + ASK_AGAIN
    for work in site.catalogue().periodic.values():
        due = known.get(work.name)
        if work.name not in known:
            _introduce(work, moment)
            soonest = moment
        elif due is not None and _is_due(work, due, moment):
            _order_if_claimed(work, due, moment)
            soonest = moment
        elif due is not None:
            soonest = min(soonest, due)
    return (soonest - moment).total_seconds()


def _order_if_claimed(work: Periodic, due: datetime, moment: datetime) -> None:
    """Order *work*, unless another scheduler was faster."""
    made = order(work) if _claim(work, due, moment) else None
    db.session.commit()
    if made is not None:
        push(made.id, job_of(work))


def order(work: Periodic) -> JobRun | None:
    """A job of *work* in this transaction; None while its last one has not ended. Only the last one is kept."""
    ours = select(JobRun.id).where(JobRun.kind == work.name, JobRun.tenant_id == OF_THE_SITE)
    if db.session.scalar(ours.where(JobRun.state.not_in(ENDED)).limit(1)) is not None:
        return None
    gone = db.session.scalars(ours).all()
    db.session.execute(delete(JobLogLine).where(JobLogLine.job_id.in_(gone)))
    db.session.execute(delete(JobRun).where(JobRun.id.in_(gone)))
    who = caller.system(OF_THE_SITE)
    assert who.principal is not None
    made = JobRun(
        id=new_id(),
        tenant_id=OF_THE_SITE,
        kind=work.name,
        arguments={},
        due_at=now() + LOST_AFTER,
        subject=str(work.title),
        principal=asdict(who.principal),
        trace_id=who.trace_id,
    )
    db.session.add(made)
    return made


def last_jobs() -> Mapping[str, JobRun]:
    """The last job of each periodic work."""
    ours = select(JobRun).where(JobRun.tenant_id == OF_THE_SITE).order_by(JobRun.id)
    return {row.kind: row for row in db.session.scalars(ours)}


def job_of(work: Periodic) -> Job:
    """*work* as workers know it."""
    return Job(work.name, partial(run, work), work.title, None)


def _is_due(work: Periodic, due: datetime, moment: datetime) -> bool:
    """Whether its time came, or is further away than its period: then a clock was wrong."""
    return due <= moment or bool(work.every and (due - moment).total_seconds() > work.every)


def find_job(kind: str) -> Job | None:
    """The work of this name, a plugin's or periodic; None where its plugin is not enabled any more."""
    work = site.catalogue().periodic.get(kind)
    return job_of(work) if work else site.catalogue().jobs.get(kind)


def run(work: Periodic) -> None:
    """Run *work* now, in nobody's name, and keep how it ended.

    :raises Exception: what it raises
    """
    started = time.monotonic()
    try:
        with caller.acting_as(caller.Caller()):
            work.run()
        db.session.commit()
    except Exception as error:
        db.session.rollback()
        _keep(work, started, "failed", f"{type(error).__name__}: {error}"[:1000])
        raise
    _keep(work, started, "success", "")


def _keep(work: Periodic, started: float, result: str, detail: str) -> None:
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
    return bool(affected(still_due.values(next_at=next_time(work, moment))))
