"""Looking after jobs: find, cancel, retry."""

from __future__ import annotations

from app import audit
from app.contracts.text import Text
from app.db import get_scoped, now
from app.errors import ErrorCode
from app.jobs.models import CANCELLED, ENDED, QUEUED, JobRun
from app.jobs.periodic import find_job
from app.jobs.queue import LOST_AFTER, push
from app.web.lifecycle import after_commit

JOB = Text("job", "任务")
ENDED_ALREADY = ErrorCode(
    "JOBS/ENDED",
    409,
    Text("The job has ended: {state}.", "该任务已结束：{state}。"),
    Text("Retry it, or order the work again.", "可重试，或重新发起。"),
)
NOT_ENDED = ErrorCode(
    "JOBS/NOT_ENDED",
    409,
    Text("The job has not ended.", "该任务尚未结束。"),
    Text("Wait for it, or cancel it first.", "请等待其结束或先取消。"),
)
WORKER_DIED = ErrorCode(
    "JOBS/WORKER_DIED",
    500,
    Text("The worker died at each of {attempts} attempts.", "工作进程在 {attempts} 次执行中均异常退出。"),
    Text("See the log of the workers for what ended them (memory?), then run it again.", "请查看工作进程日志中的退出原因（如内存不足），然后重新执行。"),
)
KIND_UNKNOWN = ErrorCode(
    "JOBS/KIND_UNKNOWN",
    501,
    Text("No enabled plugin of this site knows the work {kind}.", "本站点已启用的插件中没有任务 {kind}。"),
    Text("Enable the plugin that it is of, then run it again.", "请启用其所属插件，然后重新执行。"),
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
    if run.state in ENDED:
        raise ENDED_ALREADY(state=run.state)
    run.cancel_requested = True
    if run.state == QUEUED:
        run.state, run.finished_at = CANCELLED, now()
    audit.note("job", run.id, run.kind)
    return run


def retry(run: JobRun) -> JobRun:
    """Queue a job that failed or was cancelled once more.

    :raises ConsoleError: JOBS/NOT_ENDED
    """
    if run.state not in ENDED:
        raise NOT_ENDED()
    run.state, run.error, run.result, run.progress, run.cancel_requested = QUEUED, None, None, 0.0, False
    run.finished_at, run.due_at = None, now() + LOST_AFTER
    audit.note("job", run.id, run.kind)
    job, run_id, attempt = find_job(run.kind), run.id, run.attempt
    after_commit(lambda: push(run_id, job, attempt))
    return run
