"""Jobs: rows are the truth; a lost Redis, a killed worker and a double delivery lose and repeat nothing (C-40, C-41)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from flask import Flask
from sqlalchemy import update

from app import caller, site
from app.contracts.declarations import Job, Periodic
from app.contracts.identity import Principal
from app.contracts.text import Text
from app.core.permissions import JOB_MANAGE
from app.db import db, new_id, now
from app.errors import NOT_FOUND
from app.jobs import periodic, run
from app.jobs.models import JobRun, PeriodicRun
from app.jobs.queue import enqueue, queue

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


WORK = Job("test.work", work, Text("Work", "工作"), JOB_MANAGE, attempts=2)


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


@pytest.mark.req("C-40", "Q-20")
def test_rows_that_redis_lost_are_handed_over_again() -> None:
    job = ordered()
    queue("default").empty()
    db.session.execute(update(JobRun).where(JobRun.id == job).values(due_at=now() - timedelta(seconds=1)))
    db.session.commit()

    assert run.hand_over_lost() >= 1
    assert [j.args[0] for j in queue("default").jobs].count(job) == 1


@pytest.mark.req("C-41")
def test_a_job_whose_worker_died_is_taken_over_when_its_lease_ends() -> None:
    job = ordered()
    db.session.execute(update(JobRun).where(JobRun.id == job).values(state="running", attempt=1, lease_until=now() - timedelta(seconds=1)))
    db.session.commit()

    run.perform(job)

    assert read(job).state == "succeeded"
    assert read(job).attempt == 2


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


@pytest.mark.req("C-40")
def test_a_cancelled_job_stops_at_its_next_safe_point() -> None:
    job = ordered()
    db.session.execute(update(JobRun).where(JobRun.id == job).values(cancel_requested=True))
    db.session.commit()

    run.perform(job)

    assert read(job).state == "cancelled"
    assert DONE == []


@pytest.mark.req("C-42")
def test_periodic_work_runs_once_per_period_whatever_the_number_of_schedulers(
    app_context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    name = f"test.{new_id()}"
    item = Periodic(name, Text("T", "T"), lambda: ran.append(1), every=3600)
    found = app_context.extensions[site.CATALOGUE]
    monkeypatch.setitem(app_context.extensions, site.CATALOGUE, replace(found, periodic=MappingProxyType({name: item})))

    for _ in range(4):
        periodic.run_due()

    assert ran == [1]
    kept = db.session.get(PeriodicRun, name)
    assert kept is not None
    assert kept.result == "success"


@pytest.mark.req("C-42")
def test_cron_counts_in_the_sites_time_zone(app_context: Flask) -> None:
    moment = now().replace(year=2026, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)

    due = periodic.next_time(Periodic("x", Text("x", "x"), lambda: None, cron="0 1 * * *"), moment)

    assert due.isoformat() == "2026-01-02T01:00:00+08:00"
