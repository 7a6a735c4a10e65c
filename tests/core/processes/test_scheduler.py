"""The scheduler: no error ends it, its process ends with each of its threads, and idle it asks for little."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import Engine, event

from app.db import db, now
from app.following import follow
from app.jobs.queue import WAKE, connection
from app.orders import due
from app.orders.models import Order
from app.processes import family, scheduler, threads
from app.processes.scheduler import Scheduler
from tests.core.jobs.sole_work import sole_work


@contextmanager
def statements(about: str, error: Exception | None = None) -> Iterator[list[str]]:
    """The statements that name a table meanwhile; *error* is what happens to the first of them."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if about in statement:
            seen.append(statement)
            if error is not None and len(seen) == 1:
                raise error

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def at_once(app_context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that does not pause, on a site with one piece of periodic work, which was never due before."""
    sole_work(app_context, monkeypatch, lambda: None)
    for pause in ("ORDERS_EVERY", "QUIET_EVERY", "ROUND", "AFTER_A_FAILURE"):
        monkeypatch.setattr(scheduler, pause, 0.0)


@pytest.mark.req("C-42", "Q-20")
@pytest.mark.parametrize("where", ["FROM order_order", "core_lease", "FROM core_job", "core_periodic_run"])
@pytest.mark.parametrize(
    "error", [OSError("no file is left"), RuntimeError("cannot start new thread")], ids=["OSError", "RuntimeError"]
)
def test_an_error_of_any_kind_anywhere_in_its_round_does_not_end_the_scheduler(
    app_context: Flask, where: str, error: Exception
) -> None:
    one = Scheduler(app_context)

    with statements(where, error) as seen:
        one.turn()
        assert len(seen) == 1
        one.turn()

    assert len(seen) > 1


@pytest.mark.req("C-5", "Q-20")
def test_a_process_ends_with_a_thread_that_it_is_of_no_use_without_and_can_be_started_again() -> None:
    def mirror_beside_a_scheduler_that_dies() -> None:
        threads.start("scheduler", lambda: 1 / 0)
        threading.Event().wait()

    child = family.forked("scheduler mirror", mirror_beside_a_scheduler_that_dies)
    try:
        child.join(60)
        assert child.exitcode == 1
    finally:
        child.kill()
        child.join(10)


@pytest.mark.req("C-42")
def test_periodic_work_is_not_asked_for_while_none_is_due_but_twice_a_minute(app_context: Flask) -> None:
    one = Scheduler(app_context)
    for moment in (100.0, 103.0, 106.0):  # it is introduced, ordered, and not due any more
        one.act(moment)

    with statements("core_periodic_run") as seen:
        for moment in range(107, 135):
            one.act(float(moment))
        assert seen == []
        one.act(137.0)
        assert len(seen) == 1


@pytest.mark.req("C-42", "Q-31")
def test_whoever_orders_wakes_a_scheduler_that_found_nothing_for_long(
    app_context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "ROUND", 240.0)  # longer than a test may take
    redis = connection()
    redis.delete(WAKE)
    with app_context.test_request_context("/"):
        for _ in range(3):
            due.look_soon()
        assert redis.llen(WAKE) == 0, "nobody is woken for what may not be kept"
        follow()

    assert redis.llen(WAKE) == 1, "however many order while no scheduler runs"
    scheduler._pause(is_quiet=True)
    assert redis.llen(WAKE) == 0


@pytest.mark.req("C-42", "Q-20")
def test_without_redis_the_scheduler_looks_by_itself(app_context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app_context.extensions, "antstack.redis", Redis(port=1, socket_connect_timeout=1))

    one = Scheduler(app_context, busy=-scheduler.QUIET_AFTER)
    with statements("FROM order_order") as looked:
        one.turn()
    with app_context.test_request_context("/"):
        due.look_soon()
        follow()

    assert looked


@pytest.mark.req("C-42", "Q-20")
def test_without_redis_one_order_is_tried_in_a_round_and_none_is_lost(
    app_context: Flask, tenant: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known: dict[str, Any] = {"tenant_id": tenant.id, "principal": {}, "trace_id": "0" * 32}
    plan: dict[str, Any] = {"plan": {}, "plan_hash": "0" * 64, "options": {}, "creator": "test", "title": "x"}
    orders = [Order(plugin="none", type="none", state="queued", due_at=now(), **known, **plan) for _ in range(3)]
    db.session.add_all(orders)
    db.session.commit()
    monkeypatch.setitem(app_context.extensions, "antstack.redis", Redis(port=1, socket_connect_timeout=1, retry=None))
    caplog.clear()

    handed = scheduler.hand_over_orders({})

    assert (handed, [record.message.startswith("redis did not take order") for record in caplog.records]) == (0, [True])
    assert {order.id for order in orders} <= set(due.due(limit=5_000))
    for order in orders:  # other tests' schedulers have their own to do
        order.state = "cancelled"
    db.session.commit()
