"""Performing a job on a worker: claimed by a conditional update, fenced by its attempt, logged as it goes."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from app import audit, caller
from app.caller import Caller
from app.conflicts import is_of_a_writer
from app.contracts.declarations import Job
from app.contracts.identity import Principal
from app.db import affected, db, now
from app.errors import UNKNOWN, ConsoleError
from app.guard import Operation
from app.jobs.control import KIND_UNKNOWN, WORKER_DIED
from app.jobs.models import CANCELLED, ENDED, FAILED, QUEUED, RUNNING, SUCCEEDED, JobLogLine, JobRun
from app.jobs.periodic import find_job
from app.jobs.queue import LOST_AFTER, push
from app.leases import Fenced, Lease, is_of_a_wrong_clock
from app.words import _

_log = logging.getLogger(__name__)
_running: ContextVar[tuple[str, Lease] | None] = ContextVar("job", default=None)
BACKOFF = (2, 10, 30)
LEASE = timedelta(seconds=45)
LATEST = timedelta(minutes=1)  # a job never waits longer for its next attempt, unless a clock was wrong
DONE = Operation("core.job.finished", _("Job finished"))


class Cancelled(Exception):
    """Somebody cancelled the job."""


def perform(run_id: str) -> None:
    """Take the job and do it: the one function that RQ calls, in the application of the worker. Safe to call twice,
    since
    only one claims the row. No transaction stays open, in which the next job would see the database as it was.
    """
    try:
        before = db.session.get(JobRun, run_id, populate_existing=True)
        was_running = before is not None and before.state == RUNNING
        if before is not None and _claim(before):
            _do(db.session.get_one(JobRun, run_id, populate_existing=True), was_running)
    finally:
        db.session.remove()


def _do(run: JobRun, was_running: bool) -> None:
    lease = Lease(_of_attempt(run.id, run.attempt), JobRun.lease_until, LEASE, run.attempt, (JobRun.due_at,))
    who = Caller(
        principal=Principal(**run.principal), workspace_id=run.workspace_id, trace_id=run.trace_id, source_ip="worker"
    )
    token = _running.set((run.id, lease))
    try:
        with caller.acting_as(who), lease.held():
            _attempt(run, lease, was_running)
    finally:
        _running.reset(token)


def _claim(before: JobRun) -> bool:
    """Take the job, if it is as it was just now and nobody works on it."""
    moment = now()
    free = or_(JobRun.state == QUEUED, (JobRun.state == RUNNING) & _is_lost(moment))
    same = (JobRun.id == before.id) & (JobRun.attempt == before.attempt) & (JobRun.state == before.state)
    held = {"state": RUNNING, "attempt": JobRun.attempt + 1, "lease_until": moment + LEASE}
    claimed = affected(update(JobRun).where(same, free).values(**held, started_at=moment, due_at=moment + LEASE))
    db.session.commit()
    return bool(claimed)


def _is_lost(moment: datetime) -> ColumnElement[bool]:
    """Whether nobody works on a running job."""
    return or_(JobRun.lease_until < moment, is_of_a_wrong_clock(JobRun.lease_until, moment, LEASE))


def _of_attempt(run_id: str, attempt: int) -> ColumnElement[bool]:
    return (JobRun.id == run_id) & (JobRun.attempt == attempt) & (JobRun.state == RUNNING)


def _attempt(run: JobRun, lease: Lease, was_running: bool) -> None:
    """Do it, unless nobody knows the work or it killed its workers (*was_running* when it was taken) as often as it
    may.
    """
    run_id, attempt, made, job = run.id, run.attempt, run.attempt - run.attempts_before, find_job(run.kind)
    try:
        if job is None:
            _end(run_id, lease, FAILED, error=_problem(KIND_UNKNOWN(kind=run.kind)))
        elif was_running and made > job.attempts:
            _end(run_id, lease, FAILED, error=_problem(WORKER_DIED(attempts=made - 1)))
        else:
            _work(run, job, lease)
    except Fenced:
        _log.warning("job %s: another worker took over; attempt %s came too late", run_id, attempt)


def _work(run: JobRun, job: Job, lease: Lease) -> None:
    """One attempt, and how it ends: in the transaction of what it did, if it is still ours.

    :raises Fenced: another worker took the job over
    """
    run_id, made, arguments = run.id, run.attempt - run.attempts_before, dict(run.arguments)
    try:
        result = job.run(**arguments)
        _end(run_id, lease, SUCCEEDED, result=result if isinstance(result, Mapping) else None)
    except Fenced:
        raise
    except Cancelled:
        db.session.rollback()
        _end(run_id, lease, CANCELLED)
    except Exception as error:
        db.session.rollback()
        expected = error if isinstance(error, ConsoleError) else None
        if expected is None:
            _log.exception("job %s failed", run_id, exc_info=error)
        if made < job.attempts and (expected is None or is_of_a_writer(expected)):
            _try_again(run_id, lease, BACKOFF[min(made, len(BACKOFF)) - 1], str(error))
        else:
            _end(run_id, lease, FAILED, error=_problem(expected or UNKNOWN()))


def _try_again(run_id: str, lease: Lease, delay: int, reason: str) -> None:
    lease.hold()
    run = db.session.get_one(JobRun, run_id, populate_existing=True)
    run.state, run.due_at, run.lease_until = QUEUED, now() + timedelta(seconds=delay), None
    _line(run.id, f"attempt {lease.token} failed: {reason[:300]}; again in {delay} s")
    db.session.commit()


def _end(
    run_id: str,
    lease: Lease,
    state: str,
    *,
    error: dict[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
) -> None:
    lease.hold()
    run = db.session.get_one(JobRun, run_id, populate_existing=True)
    run.state, run.finished_at, run.lease_until = state, now(), None
    run.error, run.result = error, dict(result) if result else None
    run.progress = 1.0 if state == SUCCEEDED else run.progress
    outcome = {SUCCEEDED: "success", CANCELLED: "cancelled"}.get(state, "failed")
    started = run.started_at or run.created_at
    if run.tenant_id:  # the site's own work is recorded by what it does
        audit.record(
            DONE,
            outcome,
            resource=("job", run.id, run.kind),
            detail={"arguments": run.arguments, "subject": run.subject},
            error_code=(error or {}).get("code", ""),
            duration_ms=int((now() - started).total_seconds() * 1000),
        )
    db.session.commit()


def _problem(error: ConsoleError) -> dict[str, Any]:
    return {
        "code": error.code,
        "status": error.status,
        "title": error.reason.in_all(),
        "remedy": error.remedy.in_all(),
        "traceId": caller.current().trace_id,
    }


def progress(fraction: float, step: str = "") -> None:
    """Tell how far the running job is, keep what it did, and stop here if somebody cancelled it.

    :raises Cancelled: at this safe point
    :raises Fenced: another worker took the job over
    """
    held = _running.get()
    if held is None:
        return
    run_id, lease = held
    lease.commit(progress=min(1.0, fraction), step=step[:255])
    if db.session.scalar(select(JobRun.cancel_requested).where(JobRun.id == run_id)):
        raise Cancelled(run_id)


def log(line: str) -> None:
    """Add a line to the running job's log."""
    held = _running.get()
    if held is not None:
        _line(held[0], line)
        db.session.commit()


def _line(run_id: str, line: str) -> None:
    db.session.add(JobLogLine(job_id=run_id, at=now(), line=line))


def hand_over_lost() -> int:
    """Hand rows to RQ again whose job is gone: Redis was emptied, a worker died, a retry is due (C-40, C-41).

    :returns: how many
    """
    moment = now()
    stuck = or_(
        (JobRun.state == QUEUED) & or_(JobRun.due_at <= moment, JobRun.due_at > moment + LATEST),
        (JobRun.state == RUNNING) & _is_lost(moment),
    )
    lost = db.session.scalars(select(JobRun).where(stuck).order_by(JobRun.due_at).limit(200)).all()
    handed = 0
    for run in lost:
        run.due_at = moment + LOST_AFTER
        if not push(run.id, find_job(run.kind), run.attempt):
            break  # nor will Redis take the others now, and each would wait for it anew
        handed += 1
    db.session.commit()
    return handed


def wait(run_id: str, seconds: float = 30) -> JobRun:
    """Wait until a job ended, for tests and commands."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        db.session.expire_all()
        run = db.session.get(JobRun, run_id)
        if run is not None and run.state in ENDED:
            return run
        time.sleep(0.05)
    raise TimeoutError(run_id)
