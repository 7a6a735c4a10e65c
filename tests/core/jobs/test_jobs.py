"""Jobs: rows are the truth; a lost Redis, a killed worker and a double delivery lose and repeat nothing (C-40,
C-41).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import caller, site
from app.contracts.declarations import Job, Periodic
from app.contracts.identity import Principal
from app.core.permissions import JOB_MANAGE
from app.db import db, new_id, now
from app.errors import NOT_FOUND, ConsoleError
from app.jobs import control, periodic, run
from app.jobs.models import JobRun, PeriodicRun
from app.jobs.queue import enqueue, queue
from app.words import kept
from plugins.iam.models import Group
from tests import factories
from tests.core.jobs.sole_work import sole_work
from tests.meanwhile import between

DONE: list[str] = []
FAIL = {"times": 0}


def work(what: str) -> dict[str, str]:
    """Appends what it was told, or fails as often as it was told."""
    if FAIL["times"] > 0:
        FAIL["times"] -= 1
        raise RuntimeError("not this time")
    if what == "refuse":
        raise NOT_FOUND(what="thing")
    run.progress(0.5, "half way")
    run.log("a line")
    DONE.append(what)
    return {"made": what}


WORK = Job("test.work", work, kept({"en": "Work", "zh": "工作"}), JOB_MANAGE, attempts=2)


@pytest.fixture(autouse=True)
def somebody(app_context: Flask) -> Iterator[None]:
    """A job that the site knows, and somebody who orders it."""
    found = app_context.extensions[site.CATALOGUE]
    object.__setattr__(found, "jobs", MappingProxyType({**found.jobs, WORK.name: WORK}))
    DONE.clear()
    FAIL["times"] = 0
    with caller.acting_as(caller.Caller(principal=Principal("system", "t", "T", "t", new_id()), trace_id="3" * 32)):
        yield


def ordered(what: str = "x") -> str:
    made = enqueue(WORK, "a subject", what=what)
    db.session.commit()
    return made.id


def read(job_id: str) -> JobRun:
    db.session.expire_all()
    found = db.session.get(JobRun, job_id)
    assert found is not None
    return found


@pytest.mark.req("C-40")
def test_a_job_runs_and_keeps_progress_log_and_result() -> None:
    job = ordered()

    run.perform(job)

    found = read(job)
    assert (found.state, found.progress, found.result) == ("succeeded", 1.0, {"made": "x"})
    assert DONE == ["x"]


@pytest.mark.req("C-41", "Q-20")
def test_a_job_that_is_delivered_twice_runs_once() -> None:
    job = ordered()

    run.perform(job)
    run.perform(job)

    assert DONE == ["x"]


@pytest.mark.req("C-41", "Q-20")
@pytest.mark.parametrize(
    "which", ["one that is gone", "one that another worker has", "one that fails", "one that succeeds"]
)
def test_a_worker_begins_each_job_with_the_database_as_it_is_then(which: str) -> None:
    """A transaction that stays open shows MariaDB's worker the same old rows for ever (REPEATABLE READ)."""
    job = new_id() if which == "one that is gone" else ordered()
    if which == "one that another worker has":
        claimed = {"state": "running", "attempt": 1, "lease_until": now() + timedelta(seconds=20)}
        db.session.execute(update(JobRun).where(JobRun.id == job).values(claimed))
        db.session.commit()
    FAIL["times"] = which == "one that fails"

    run.perform(job)

    assert not db.session().in_transaction()


@pytest.mark.req("C-40", "Q-20")
def test_rows_that_redis_lost_are_handed_over_again() -> None:
    job = ordered()
    queue("default").empty()
    db.session.execute(update(JobRun).where(JobRun.id == job).values(due_at=now() - timedelta(seconds=1)))
    db.session.commit()

    assert run.hand_over_lost() >= 1
    assert [j.args[0] for j in queue("default").jobs].count(job) == 1


def handed_over(job: str) -> int:
    """How often a job waits in Redis after its time came and the scheduler looked."""
    db.session.execute(update(JobRun).where(JobRun.id == job).values(due_at=now() - timedelta(seconds=1)))
    db.session.commit()
    run.hand_over_lost()
    return [waiting.args[0] for waiting in queue("default").jobs].count(job)


@pytest.mark.req("C-41", "Q-20")
def test_a_job_waits_once_however_long_no_worker_comes_and_each_attempt_is_handed_over() -> None:
    FAIL["times"] = 1
    job = ordered()

    assert [handed_over(job) for _ in range(3)] == [1, 1, 1]

    queue("default").empty()  # a worker took it
    run.perform(job)
    assert read(job).state == "queued"
    assert [handed_over(job) for _ in range(3)] == [1, 1, 1]


@pytest.mark.req("C-41", "Q-20")
def test_a_job_that_is_handed_over_twice_while_it_runs_is_taken_again_when_its_next_attempt_is_due() -> None:
    """RQ forgets a job by its name when it ends: the next attempt does not go with it."""
    FAIL["times"] = 1
    job = ordered()
    handed_over(job)
    first = next(waiting for waiting in queue("default").jobs if waiting.args[0] == job)
    run.perform(job)
    assert handed_over(job) == 2

    first.delete()

    assert [waiting.args[0] for waiting in queue("default").jobs].count(job) == 1


@pytest.mark.req("C-41")
def test_a_job_whose_worker_died_is_taken_over_when_its_lease_ends() -> None:
    job = ordered()
    db.session.execute(
        update(JobRun)
        .where(JobRun.id == job)
        .values(state="running", attempt=1, lease_until=now() - timedelta(seconds=1))
    )
    db.session.commit()

    run.perform(job)

    assert read(job).state == "succeeded"
    assert read(job).attempt == 2


@pytest.mark.req("C-40")
def test_the_bar_of_every_page_counts_the_jobs_that_are_under_way_in_the_tenant(
    as_role: Callable[..., Any], tenant: Any
) -> None:
    person = as_role("tenant-administrator")
    assert "个任务执行中" not in person.get("/").text

    for owner, state in (
        (tenant.id, "queued"),
        (tenant.id, "running"),
        (tenant.id, "succeeded"),
        (new_id(), "running"),
    ):
        db.session.add(
            JobRun(
                tenant_id=owner, kind="test", arguments={}, state=state, due_at=now(), principal={}, trace_id="0" * 32
            )
        )
    db.session.commit()

    assert "2 个任务执行中" in person.get("/").text


@pytest.mark.req("C-40")
def test_a_failure_is_tried_again_then_kept_with_its_code() -> None:
    FAIL["times"] = 9
    job = ordered()

    run.perform(job)
    assert read(job).state == "queued"
    run.perform(job)

    found = read(job)
    assert found.state == "failed"
    assert found.error is not None
    assert found.error["code"] == "CORE/UNEXPECTED"


@pytest.mark.req("C-40")
def test_an_expected_failure_is_not_tried_again() -> None:
    job = ordered("refuse")

    run.perform(job)

    assert read(job).state == "failed"
    assert read(job).error["code"] == "CORE/NOT_FOUND"  # type: ignore[index]


def edit_together_with(others: int) -> Callable[..., None]:
    """Work that changes a row which somebody else changes at the same moment, so many times."""
    left = [others]

    def edit(what: str) -> None:
        group = db.session.get(Group, what)
        assert group is not None
        if left[0] > 0:
            left[0] -= 1
            with db.engine.begin() as somebody_else:
                somebody_else.execute(update(Group).where(Group.id == what).values(version=Group.version + 1))
        group.description = "edited by the job"

    return edit


@pytest.mark.req("C-40", "C-45")
@pytest.mark.parametrize(("others", "states"), [(1, ["queued", "succeeded"]), (9, ["queued", "failed"])])
def test_a_conflict_with_another_writer_is_tried_again_as_often_as_the_work_may(
    tenant: Any, others: int, states: list[str]
) -> None:
    job = ordered(factories.make_group(tenant).id)
    object.__setattr__(WORK, "run", edit_together_with(others))
    try:
        found = [(run.perform(job), read(job).state)[1] for _ in range(WORK.attempts)]
    finally:
        object.__setattr__(WORK, "run", work)

    assert found == states
    assert ((read(job).error or {}).get("code")) == (None if others == 1 else "CORE/CHANGED_MEANWHILE")


@pytest.mark.req("C-40")
def test_a_cancelled_job_stops_at_its_next_safe_point() -> None:
    job = ordered()
    db.session.execute(update(JobRun).where(JobRun.id == job).values(cancel_requested=True))
    db.session.commit()

    run.perform(job)

    assert read(job).state == "cancelled"
    assert DONE == []


def meanwhile(job: str, **values: Any) -> None:
    """A worker, or somebody else, changes the row after it was read."""
    with db.engine.begin() as connection:
        connection.execute(update(JobRun).where(JobRun.id == job).values(**values))


@pytest.mark.req("C-40", "C-45")
def test_of_two_retries_at_once_the_second_does_not_queue_what_a_worker_has_by_now(app_context: Flask) -> None:
    job = ordered()
    meanwhile(job, state="failed")
    seen = read(job)
    meanwhile(job, state="running", attempt=1, lease_until=now() + timedelta(seconds=20))

    with app_context.test_request_context(), pytest.raises(ConsoleError) as refused:
        control.retry(seen)

    db.session.commit()
    assert refused.value.code == "JOBS/NOT_ENDED"
    assert (read(job).state, read(job).attempt) == ("running", 1)


@pytest.mark.req("C-40", "C-45")
def test_cancelling_a_job_that_a_worker_took_meanwhile_lets_it_come_to_its_safe_point() -> None:
    job = ordered()
    seen = read(job)
    meanwhile(job, state="running", attempt=1, lease_until=now() + timedelta(seconds=20))

    control.cancel(seen)

    db.session.commit()
    found = read(job)
    assert (found.state, found.cancel_requested, found.finished_at) == ("running", True, None)


@pytest.mark.req("C-40", "C-45")
def test_a_job_that_ended_meanwhile_is_not_cancelled() -> None:
    job = ordered()
    seen = read(job)
    meanwhile(job, state="succeeded", attempt=1)

    with pytest.raises(ConsoleError) as refused:
        control.cancel(seen)

    db.session.commit()
    assert (refused.value.code, refused.value.values["state"]) == ("JOBS/ENDED", "succeeded")
    assert (read(job).state, read(job).cancel_requested) == ("succeeded", False)


@pytest.mark.req("C-40")
def test_a_job_that_waits_is_cancelled_at_once_and_no_worker_takes_it() -> None:
    job = ordered()

    control.cancel(read(job))
    db.session.commit()
    run.perform(job)

    assert (read(job).state, read(job).attempt, DONE) == ("cancelled", 0, [])


@pytest.mark.req("C-40")
def test_a_job_that_is_retried_has_all_of_its_attempts_again(app_context: Flask) -> None:
    FAIL["times"] = 3
    job = ordered()
    for _ in range(WORK.attempts):
        run.perform(job)
    assert read(job).state == "failed"

    with app_context.test_request_context():
        control.retry(read(job))
        db.session.commit()
    run.perform(job)
    assert (read(job).state, read(job).error) == ("queued", None)
    run.perform(job)

    assert (read(job).state, read(job).attempt) == ("succeeded", 4)


@pytest.mark.req("C-42")
def test_periodic_work_runs_once_per_period_whatever_the_number_of_schedulers(
    app_context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    name = sole_work(app_context, monkeypatch, lambda: ran.append(1)).name

    for _ in range(4):
        periodic.order_due()
    jobs = list(db.session.scalars(select(JobRun.id).where(JobRun.kind == name)))
    assert (len(jobs), ran) == (1, [])
    for _ in range(2):
        run.perform(jobs[0])

    assert ran == [1]
    assert read(jobs[0]).state == "succeeded"
    kept = db.session.get(PeriodicRun, name)
    assert kept is not None
    assert kept.result == "success"


@pytest.mark.req("C-42")
def test_of_two_schedulers_that_find_the_same_work_due_the_slower_one_orders_nothing(
    app_context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the job of the faster one has ended by then."""
    ran: list[int] = []
    name = sole_work(app_context, monkeypatch, lambda: ran.append(1)).name
    jobs = select(JobRun.id).where(JobRun.kind == name)
    periodic.order_due()  # it is introduced, and due
    faster: list[str] = []

    def another_scheduler(_connection: Any) -> None:
        with app_context.app_context():  # a session of its own
            periodic.order_due()
            faster.extend(db.session.scalars(jobs))
            run.perform(faster[0])

    with between(another_scheduler, "UPDATE core_periodic_run") as happened:
        periodic.order_due()

    assert happened
    assert list(db.session.scalars(jobs)) == faster
    assert (len(faster), ran, read(faster[0]).state) == (1, [1], "succeeded")


@pytest.mark.req("C-42")
def test_periodic_work_that_has_not_ended_is_not_ordered_again_and_its_last_job_alone_is_kept(
    app_context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = sole_work(app_context, monkeypatch, lambda: 1 / 0)
    made = periodic.order(item)
    assert made is not None
    first = made.id
    db.session.commit()

    assert periodic.order(item) is None
    for _ in range(3):
        run.perform(first)
    ended = read(first)
    assert (ended.state, ended.attempt) == ("failed", 3)
    second = periodic.order(item)
    db.session.commit()

    assert second is not None
    assert list(db.session.scalars(select(JobRun.id).where(JobRun.kind == item.name))) == [second.id]


def taken_over(job_id: str) -> None:
    """Another worker takes the job, as after a pause of this one."""
    with db.engine.begin() as connection:
        connection.execute(update(JobRun).where(JobRun.id == job_id).values(attempt=JobRun.attempt + 1))


@pytest.mark.req("C-41", "Q-20")
@pytest.mark.parametrize("how", ["ends", "fails", "is refused", "tells its progress"])
def test_an_attempt_that_was_taken_over_neither_ends_the_job_nor_keeps_what_it_did(
    app_context: Flask, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    name = f"late-{new_id()}"

    def late(what: str) -> None:
        taken_over(what)
        db.session.add(PeriodicRun(name=name))
        if how == "fails":
            raise RuntimeError("late")
        if how == "is refused":
            raise NOT_FOUND(what="thing")
        if how == "tells its progress":
            run.progress(0.7, "late")

    job = ordered()
    db.session.execute(update(JobRun).where(JobRun.id == job).values(arguments={"what": job}))
    db.session.commit()
    object.__setattr__(WORK, "run", late)
    try:
        run.perform(job)
    finally:
        object.__setattr__(WORK, "run", work)

    found = read(job)
    assert (found.state, found.attempt, found.progress, found.error) == ("running", 2, 0.0, None)
    assert db.session.get(PeriodicRun, name) is None


@pytest.mark.req("C-41", "Q-20")
def test_a_job_that_kills_its_worker_each_time_ends_as_failed_and_says_so() -> None:
    job = ordered()
    for attempt in range(1, 9):
        db.session.expire_all()
        if read(job).state == "failed":
            break
        lost = {"state": "running", "attempt": attempt, "lease_until": now() - timedelta(seconds=1)}
        db.session.execute(update(JobRun).where(JobRun.id == job).values(lost))  # claimed, and then the worker was gone
        db.session.commit()
        if attempt >= WORK.attempts:
            run.perform(job)

    found = read(job)
    assert found.state == "failed"
    assert found.error is not None
    assert found.error["code"] == "JOBS/WORKER_DIED"
    assert found.error["title"]["zh"]
    assert DONE == []


@pytest.mark.req("C-41", "Q-20")
def test_a_job_that_says_nothing_for_long_is_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LEASE", timedelta(seconds=1))
    inside: list[str] = []

    def silent(what: str) -> None:
        inside.append(what)
        time.sleep(1.6)  # longer than its lease
        run.perform(job)  # what another worker would do now

    job = ordered()
    object.__setattr__(WORK, "run", silent)
    try:
        run.perform(job)
    finally:
        object.__setattr__(WORK, "run", work)

    assert inside == ["x"]
    assert (read(job).state, read(job).attempt) == ("succeeded", 1)


@pytest.mark.req("C-40")
def test_work_that_no_enabled_plugin_knows_fails_and_says_so() -> None:
    job = ordered()
    lost = {"kind": "gone.work", "due_at": now() - timedelta(seconds=1)}
    db.session.execute(update(JobRun).where(JobRun.id == job).values(lost))
    db.session.commit()
    queue("default").empty()

    run.hand_over_lost()
    assert [j.args[0] for j in queue("default").jobs].count(job) == 1
    run.perform(job)

    found = read(job)
    assert found.state == "failed"
    assert found.error is not None
    assert (found.error["code"], found.error["title"]["en"]) == (
        "JOBS/KIND_UNKNOWN",
        "No enabled plugin of this site knows the work gone.work.",
    )


@pytest.mark.req("C-42")
def test_cron_counts_in_the_sites_time_zone(app_context: Flask) -> None:
    moment = now().replace(year=2026, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)

    due = periodic.next_time(Periodic("x", kept({"en": "x", "zh": "x"}), lambda: None, cron="0 1 * * *"), moment)

    assert due.isoformat() == "2026-01-02T01:00:00+08:00"
