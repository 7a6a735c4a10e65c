"""Ordering work: a row in the caller's transaction, handed to RQ after the commit.

The clients of Redis and RQ are loaded with the first connection: importing the
application does without them.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app, has_request_context

from app import caller, site
from app.contracts.declarations import Job
from app.db import db, new_id, now
from app.following import after_commit
from app.jobs.models import JobRun

if TYPE_CHECKING:
    from redis import Redis
    from rq import Queue
    from rq.worker import BaseWorker

log = logging.getLogger(__name__)
QUEUES = ("orders", "default")
ENTRY, WAKE = "app.jobs.run.perform", "antstack:wake"
# How long a row may lie queued before the scheduler takes it that Redis lost it.
LOST_AFTER = timedelta(seconds=20)
UNKNOWN_SECONDS = 30  # for a worker to say that it does not know the work


def connection() -> Redis:
    """The site's Redis; times out rather than hangs."""
    held = current_app.extensions.get("antstack.redis")
    if held is None:
        from app.jobs.connecting import connect

        held = connect(site.settings().redis_url)
        current_app.extensions["antstack.redis"] = held
    return held


def queue(name: str = "default", redis: Redis | None = None) -> Queue:
    """A queue of this site. JSON, since a pickle in Redis would be code execution."""
    from rq import Queue
    from rq.serializers import JSONSerializer

    return Queue(name, connection=redis or connection(), serializer=JSONSerializer)


def wake_scheduler() -> None:
    """Have an idle scheduler look for orders at once. A Redis that is away costs two seconds: it looks by itself."""
    from redis.exceptions import RedisError

    try:
        with connection().pipeline() as line:
            line.lpush(WAKE, "1")
            line.ltrim(WAKE, 0, 0)
            line.execute()
    except RedisError as error:
        log.warning("redis cannot wake the scheduler: %s", error)


def wait_for_wake(seconds: float) -> None:
    """Until somebody calls :func:`wake_scheduler`, or that time has passed.

    :raises redis.exceptions.RedisError: Redis is away
    """
    connection().blpop([WAKE], timeout=max(seconds, 0.01))  # 0 would be for ever


def enqueue(job: Job, subject: str = "", **arguments: Any) -> JobRun:
    """Order *job* with these arguments (identifiers only) in the caller's name.

    :param subject: what the work is about, for people
    :returns: its row; it is handed to a worker once the transaction is kept
    """
    who = caller.current()
    assert who.principal is not None
    run_id = new_id()
    run = JobRun(
        id=run_id,
        tenant_id=who.tenant_id,
        kind=job.name,
        arguments=arguments,
        due_at=now() + LOST_AFTER,
        subject=subject[:255],
        workspace_id=who.workspace_id,
        principal=asdict(who.principal),
        trace_id=who.trace_id,
    )
    db.session.add(run)
    if has_request_context():
        after_commit(lambda: push(run_id, job))  # the row's own is to be read anew by then
    return run


def push(run_id: str, job: Job | None, attempt: int = 0) -> bool:
    """Hand a row to RQ, unless it waits there. A Redis that is away loses nothing: the scheduler hands it over later.

    Each attempt is a job of its own there: RQ removes one that ended, and would take away the next one with it.

    :param job: None for work that nobody knows: a worker says so in the row
    :param attempt: how many there were before
    :returns: whether Redis has it
    """
    from redis.exceptions import RedisError

    where, timeout = (job.queue, job.timeout) if job else (QUEUES[-1], UNKNOWN_SECONDS)
    name = f"{run_id}-{attempt}"
    try:
        line = queue(where)
        if line.get_job_position(name) is None:
            line.enqueue_call(ENTRY, args=(run_id,), timeout=timeout + 30, result_ttl=0, failure_ttl=86400, job_id=name)
    except RedisError as error:
        log.warning("redis did not take job %s: %s", run_id, error)
        return False
    return True


def position(job_queue: str = "default") -> int:
    """How many jobs wait in a queue; -1 when Redis does not answer."""
    from redis.exceptions import RedisError

    try:
        return queue(job_queue).count
    except RedisError:
        return -1


def workers() -> list[BaseWorker] | None:
    """The workers that Redis knows; none when it does not answer."""
    from redis.exceptions import RedisError
    from rq import Worker

    try:
        return list(Worker.all(connection=connection()))
    except RedisError:
        return None
