"""Looking after jobs: find, cancel, retry."""

from __future__ import annotations

from sqlalchemy import null, update

from app import audit
from app.db import affected, db, get_scoped, now
from app.errors import ErrorCode
from app.following import after_commit
from app.jobs.models import CANCELLED, ENDED, QUEUED, JobRun
from app.jobs.periodic import find_job
from app.jobs.queue import LOST_AFTER, push
from app.words import _

JOB = _("job")
ENDED_ALREADY = ErrorCode(
    "JOBS/ENDED",
    409,
    _("The job has ended: {state}."),
    _("Retry it, or order the work again."),
)
NOT_ENDED = ErrorCode(
    "JOBS/NOT_ENDED",
    409,
    _("The job has not ended."),
    _("Wait for it, or cancel it first."),
)
WORKER_DIED = ErrorCode(
    "JOBS/WORKER_DIED",
    500,
    _("The worker died at each of {attempts} attempts."),
    _("See the log of the workers for what ended them (memory?), then run it again."),
)
KIND_UNKNOWN = ErrorCode(
    "JOBS/KIND_UNKNOWN",
    501,
    _("No enabled plugin of this site knows the work {kind}."),
    _("Enable the plugin that it is of, then run it again."),
)
ERRORS = (ENDED_ALREADY, NOT_ENDED, WORKER_DIED, KIND_UNKNOWN)


def get_job(job_id: str) -> JobRun:
    """One job of the caller's tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(JobRun, job_id, JOB)


def cancel(run: JobRun) -> JobRun:
    """Ask a job to stop at its next safe point; one that waits is cancelled at once.

    :raises ConsoleError: JOBS/ENDED
    """
    this = update(JobRun).where(JobRun.id == run.id).execution_options(synchronize_session=False)
    if not affected(this.where(JobRun.state.not_in(ENDED)).values(cancel_requested=True)):
        raise ENDED_ALREADY(state=_state_now(run))
    # From here on the row is this transaction's: no worker takes it meanwhile.
    db.session.execute(this.where(JobRun.state == QUEUED).values(state=CANCELLED, finished_at=now()))
    return _told(run)


def retry(run: JobRun) -> JobRun:
    """Queue a job that ended once more, with all of its attempts.

    :raises ConsoleError: JOBS/NOT_ENDED
    """
    again = (
        update(JobRun)
        .where(JobRun.id == run.id, JobRun.state.in_(ENDED))
        .values(
            state=QUEUED,
            error=null(),
            result=null(),
            progress=0.0,
            cancel_requested=False,
            finished_at=None,
            due_at=now() + LOST_AFTER,
            attempts_before=JobRun.attempt,
        )
    )
    if not affected(again.execution_options(synchronize_session=False)):
        raise NOT_ENDED()
    _told(run)
    job, run_id, attempt = find_job(run.kind), run.id, run.attempt
    after_commit(lambda: push(run_id, job, attempt))
    return run


def _told(run: JobRun) -> JobRun:
    db.session.refresh(run)
    audit.note("job", run.id, run.kind)
    return run


def _state_now(run: JobRun) -> str:
    """Its state as it is now, not as this transaction began."""
    db.session.refresh(run, with_for_update=True)
    return run.state
