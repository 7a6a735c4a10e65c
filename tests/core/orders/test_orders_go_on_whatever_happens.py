"""The order engine: states, commands, locks, and what survives a killed worker."""

from __future__ import annotations

import time
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from flask import Flask
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from sqlalchemy import Engine, select, update
from sqlalchemy import event as sqlalchemy_event

from app import caller, site
from app.db import db, now
from app.errors import ConsoleError
from app.jobs.queue import queue
from app.orders import commands, due, engine, execution, leases, locks, tree, verbs
from app.orders.models import Order, OrderCommand, OrderEvent, OrderNode
from app.processes.scheduler import hand_over_orders
from app.words import plain
from plugins.iam.models import Group
from tests import factories
from tests.core.orders import world
from tests.core.orders.world import World, nodes, order, read, run

BOTH = {"A": ["web", "db"], "B": ["api"]}


def tell(order_id: str, verb: str, key: str = "") -> None:
    commands.give(read(order_id), verb, nodes(order_id)[key].id if key else None)
    db.session.commit()


@pytest.mark.req("Y-30")
def test_an_order_runs_its_tree_and_parents_derive_from_children() -> None:
    made = order(BOTH)

    assert run(made) == "succeeded"
    assert {n.state for n in nodes(made).values()} == {"succeeded"}
    assert read(made).progress == 1.0
    assert read(made).finished_at is not None


@pytest.mark.req("Y-22")
def test_a_product_waits_for_the_products_that_it_is_after(outside: World) -> None:
    made = order(BOTH, after={"A": ["B"]})
    outside.slow.add("B/api/act")

    run(made, 3)
    assert nodes(made)["A/web/act"].state == "pending"

    outside.slow.clear()
    assert run(made) == "succeeded"
    assert outside.acts[0] == "B/api/act"


@pytest.mark.req("Y-31")
def test_a_failure_stops_there_and_is_named_and_retried(outside: World) -> None:
    made = order(BOTH)
    outside.broken.add("A/web/act")

    assert run(made) == "failed"
    failed = nodes(made)["A/web/act"]
    assert failed.error is not None
    assert failed.error["code"] == "TEST/BROKEN"
    assert failed.error["remedy"]["zh"] == "修好它。"
    assert nodes(made)["A"].state == "failed"

    outside.broken.clear()
    tell(made, "retry", "A/web/act")
    assert run(made) == "succeeded"
    assert nodes(made)["A/web/act"].attempt == 2


@pytest.mark.req("Y-31")
def test_a_skipped_step_is_never_shown_as_succeeded(outside: World) -> None:
    made = order({"A": ["web"]})
    outside.broken.add("A/web/act")
    run(made)

    tell(made, "skip", "A/web/act")

    assert run(made) == "succeeded"
    assert nodes(made)["A/web/act"].state == "skipped"
    assert nodes(made)["A"].state == "skipped"
    assert read(made).skipped == 1


@pytest.mark.req("Y-31")
@pytest.mark.parametrize("key", ["A/web", "A", ""])
def test_what_the_rest_needs_is_skipped_with_its_whole_application(outside: World, key: str) -> None:
    made = order({"A": ["web"], "B": ["api"]}, beta=True)
    set_nodes(made, required=True)
    outside.broken.add("A/web/act")
    run(made)
    tell(made, "confirm", "B/api/confirm")
    assert run(made) == "failed"
    with pytest.raises(ConsoleError) as refused:
        tell(made, "skip", "A/web/act")
    assert refused.value.code == "ORDERS/STEP_REQUIRED"

    tell(made, "skip", key)

    assert run(made) == "succeeded"
    assert {k: n.state for k, n in nodes(made).items() if n.step} == {
        "A/web/act": "skipped",
        "A/web/confirm": "skipped",
        "B/api/act": "succeeded",
        "B/api/confirm": "succeeded",
    }


@pytest.mark.req("Y-31")
@pytest.mark.parametrize(("verb", "state"), [("retry", "running"), ("skip", "running"), ("cancel", "cancelling")])
def test_whoever_looks_after_a_command_sees_no_failure_any_more(outside: World, verb: str, state: str) -> None:
    made = order({"A": ["web"]})
    outside.broken.add("A/web/act")
    assert run(made) == "failed"

    tell(made, verb)

    assert read(made).state == state
    outside.broken.clear()
    assert run(made) == ("cancelled" if verb == "cancel" else "succeeded")


@pytest.mark.req("Y-25")
def test_a_beta_group_waits_for_a_person_and_records_who() -> None:
    made = order({"A": ["web"]}, beta=True)
    assert run(made) == "waiting"

    tell(made, "confirm", "A/web/confirm")

    assert run(made) == "succeeded"
    result = nodes(made)["A/web/confirm"].result
    assert result is not None
    assert result["confirmedBy"] == "Tester"


@pytest.mark.req("Y-31")
def test_pausing_starts_nothing_new_and_resuming_goes_on(outside: World) -> None:
    made = order({"A": ["web", "db"]})
    outside.slow.add("A/web/act")
    engine.tick(made)
    tell(made, "pause")
    outside.slow.clear()

    assert run(made) == "paused"
    assert "A/db/act" not in outside.acts

    tell(made, "resume")
    assert run(made) == "succeeded"


@pytest.mark.req("Y-31")
def test_an_order_is_paused_before_it_began(outside: World) -> None:
    made = order({"A": ["web"]})
    tell(made, "pause")

    assert run(made) == "paused"
    assert outside.acts == []

    tell(made, "resume")
    assert run(made) == "succeeded"


@pytest.mark.req("Y-31")
@pytest.mark.parametrize("waits", [True, False])
def test_a_pause_is_taken_back_before_any_worker_saw_it(outside: World, waits: bool) -> None:
    made = order({"A": ["web"]}, beta=waits)
    if not waits:
        outside.slow.add("A/web/act")
    before = run(made, 2)
    tell(made, "pause")
    tell(made, "resume")

    assert run(made, 2) == before
    assert not read(made).paused


@pytest.mark.req("Y-31")
def test_cancelling_stops_at_the_next_safe_point(outside: World) -> None:
    made = order(BOTH)
    outside.slow.add("A/web/act")
    engine.tick(made)

    tell(made, "cancel")

    assert run(made) == "cancelled"
    assert nodes(made)["A/db/act"].state == "cancelled"
    assert read(made).finished_at is not None


@pytest.mark.req("Y-31", "Y-36")
def test_force_cancel_ends_at_once_and_a_late_worker_cannot_write(outside: World) -> None:
    made = order(BOTH)
    outside.slow.add("A/web/act")
    late = leases.take(made)
    assert late is not None

    tell(made, "force-cancel")
    assert read(made).state == "cancelled"

    with pytest.raises(leases.Fenced):
        late.commit()
    db.session.rollback()
    assert read(made).state == "cancelled"
    forced = db.session.scalar(select(OrderEvent).where(OrderEvent.order_id == made, OrderEvent.what == "force-cancel"))
    assert forced is not None
    assert forced.detail is not None
    assert "A/web/act" in forced.detail["left"]


@pytest.mark.req("Y-36", "Q-20")
def test_a_worker_whose_order_was_taken_over_cannot_write() -> None:
    made = order({"A": ["web"]})
    late = leases.take(made)
    assert late is not None
    db.session.execute(update(Order).where(Order.id == made).values(lease_until=now() - timedelta(seconds=1)))
    db.session.commit()

    next_one = leases.take(made)

    assert next_one is not None
    with pytest.raises(leases.Fenced):
        late.commit()
    db.session.rollback()
    next_one.commit()


@pytest.mark.req("Y-31")
def test_a_command_that_is_not_shown_is_refused() -> None:
    made = order({"A": ["web"]})
    run(made)

    with pytest.raises(ConsoleError) as refused:
        commands.give(read(made), "pause")
    assert refused.value.code == "ORDERS/NOT_IN_THIS_STATE"


@pytest.mark.req("Y-31", "C-45")
@pytest.mark.parametrize("ended", ["succeeded", "cancelled"])
@pytest.mark.parametrize("verb", ["cancel", "pause", "resume", "retry", "skip", "force-cancel"])
def test_a_command_that_comes_after_the_last_tick_is_refused_and_leaves_the_order_as_it_ended(
    outside: World, verb: str, ended: str
) -> None:
    made = order({"A": ["web"]})
    outside.broken.add("A/web/act")
    run(made)
    set_order(made, paused=verb == "resume")
    seen = read(made)
    assert seen.state == "failed"
    with db.engine.begin() as a_tick:
        a_tick.execute(update(Order).where(Order.id == made).values(state=ended, due_at=None))

    with pytest.raises(ConsoleError) as refused:
        commands.give(seen, verb)

    assert (refused.value.code, str(refused.value.values["state"])) == ("ORDERS/NOT_IN_THIS_STATE", str(plain(ended)))
    db.session.commit()
    after = read(made)
    assert (after.state, after.due_at, after.paused) == (ended, None, verb == "resume")
    assert db.session.scalar(select(OrderCommand).where(OrderCommand.order_id == made)) is None


@pytest.mark.req("Y-31", "C-45")
def test_a_retry_does_not_take_back_a_cancellation_that_came_meanwhile(outside: World) -> None:
    made = order({"A": ["web"]})
    outside.broken.add("A/web/act")
    run(made)
    seen = read(made)
    with db.engine.begin() as somebody_else:
        somebody_else.execute(update(Order).where(Order.id == made).values(state="cancelling", due_at=now()))

    with pytest.raises(ConsoleError):
        commands.give(seen, "retry")

    db.session.commit()
    assert read(made).state == "cancelling"


@pytest.mark.req("Y-31", "C-45")
@pytest.mark.parametrize(("verb", "key", "end"), [("retry", "A/web/act", "failed"), ("cancel", "", "cancelled")])
def test_a_command_that_comes_in_the_tick_in_which_the_last_step_fails_is_obeyed(
    app_context: Flask, outside: World, monkeypatch: pytest.MonkeyPatch, verb: str, key: str, end: str
) -> None:
    made = order({"A": ["web"], "B": ["api"]})
    outside.slow.update({"A/web/act", "B/api/act"})
    engine.tick(made)
    outside.broken.add("A/web/act")
    engine.tick(made)
    outside.broken.add("B/api/act")

    person = caller.current()

    def somebody_tells() -> None:
        with app_context.app_context(), caller.acting_as(person):  # a session of its own
            tell(made, verb, key)

    outside.meanwhile = somebody_tells
    with monkeypatch.context() as little_time:
        little_time.setattr(engine, "TICK_SECONDS", -1)
        engine.tick(made)

    assert made in due.due(1_000)
    assert run(made) == end
    assert nodes(made)["A/web/act"].attempt == (2 if verb == "retry" else 1)


@pytest.mark.req("C-44", "Q-20")
@pytest.mark.parametrize("ended", sorted(tree.TERMINAL))
def test_an_order_that_ended_is_never_due(ended: str) -> None:
    made = order({"A": ["web"]})
    assert made in due.due(1_000)

    set_order(made, state=ended)

    assert made not in due.due(1_000)


@pytest.mark.req("Y-35")
def test_a_second_order_on_the_same_application_queues_and_starts_by_itself(outside: World) -> None:
    first = order({"A": ["web"]}, scopes=("env/web",))
    outside.slow.add("A/web/act")
    run(first, 2)
    second = order({"A": ["web"]}, scopes=("env/web",))

    run(second, 2)
    assert read(second).state == "queued"
    assert read(second).blocked_by == first

    outside.slow.clear()
    run(first)
    assert run(second) == "succeeded"


@pytest.mark.req("Y-35")
def test_an_order_that_ends_wakes_those_that_it_blocked_and_no_other(outside: World) -> None:
    first, other = order({"A": ["web"]}, scopes=("env/web",)), order({"B": ["api"]}, scopes=("env/api",))
    outside.slow.update({"A/web/act", "B/api/act"})
    behind, behind_other = order({"A": ["web"]}, scopes=("env/web",)), order({"B": ["api"]}, scopes=("env/api",))
    for one in (first, other, behind, behind_other):
        engine.tick(one)
    assert (read(behind).blocked_by, read(behind_other).blocked_by) == (first, other)
    later = now() + timedelta(seconds=30)
    set_order(behind, due_at=later)
    set_order(behind_other, due_at=later)

    outside.slow.remove("A/web/act")
    run(first)

    assert behind in due.due(1_000)
    assert read(behind_other).due_at == later


@pytest.mark.req("Y-35")
def test_who_is_first_in_line_is_found_without_reading_whole_plans(outside: World) -> None:
    first = order({"A": ["web"]}, scopes=("env/web", "env/db"))
    order({"A": ["web"]}, scopes=("env/web",))
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sqlalchemy_event.listen(Engine, "before_cursor_execute", note)
    try:
        assert locks.first_in_line(["env/db", "env/other"]) == first
        assert locks.first_in_line([f"env/{first}"]) is None
    finally:
        sqlalchemy_event.remove(Engine, "before_cursor_execute", note)

    assert seen
    assert not [statement for statement in seen if "order_order.plan" in statement]


@pytest.mark.req("Y-36")
@pytest.mark.parametrize("moment", ["before A/web/act", "after A/web/act", "before A/db/act", "after B/api/act"])
def test_a_worker_killed_at_any_moment_leaves_an_order_that_goes_on(outside: World, moment: str) -> None:
    made = order(BOTH)
    outside.die_at = moment
    with pytest.raises(world.Killed):
        run(made)
    db.session.rollback()
    db.session.execute(update(Order).where(Order.id == made).values(lease_until=now()))
    db.session.commit()

    assert run(made) == "succeeded"
    assert outside.done == {"A/web/act": 1, "A/db/act": 1, "B/api/act": 1}


def set_nodes(order_id: str, **values: Any) -> None:
    db.session.execute(update(OrderNode).where(OrderNode.order_id == order_id, OrderNode.step != "").values(**values))
    db.session.commit()


def set_order(order_id: str, **values: Any) -> None:
    db.session.execute(update(Order).where(Order.id == order_id).values(**values))
    db.session.commit()


@pytest.mark.req("Y-31", "Y-36")
def test_what_may_pass_by_itself_is_tried_again_for_as_long_as_an_outage_may_last(outside: World) -> None:
    made = order({"A": ["web"]})
    outside.busy["A/web/act"] = 12
    for _ in range(12):
        engine.tick(made)
        waiting = nodes(made)["A/web/act"]
        assert waiting.error is not None
        assert waiting.error["code"] == "KUBE/CLUSTER_BUSY"
        assert waiting.retry_at is not None
        assert waiting.retry_at - now() < timedelta(seconds=6)
        set_nodes(made, retry_at=now())
    assert run(made) == "succeeded"
    assert nodes(made)["A/web/act"].error is None


@pytest.mark.req("Y-31", "C-45")
def test_a_step_that_another_writer_was_faster_than_is_tried_again(outside: World, tenant: Any) -> None:
    outside.shared, outside.contended["A/web/act"] = factories.make_group(tenant).id, 2
    made = order({"A": ["web"]})
    for _ in range(2):
        engine.tick(made)
        waiting = nodes(made)["A/web/act"]
        assert (waiting.state, (waiting.error or {})["code"]) == ("pending", "CORE/CHANGED_MEANWHILE")
        set_nodes(made, retry_at=now())

    assert run(made) == "succeeded"
    assert outside.acts == ["A/web/act"]
    assert db.session.get_one(Group, outside.shared, populate_existing=True).description == "written by A/web/act"


@pytest.mark.req("Y-31", "C-45")
def test_a_step_that_others_are_always_faster_than_fails_once_its_time_is_over(outside: World, tenant: Any) -> None:
    outside.shared, outside.contended["A/web/act"] = factories.make_group(tenant).id, 99
    made = order({"A": ["web"]})
    engine.tick(made)
    set_nodes(made, retry_at=now(), started_at=now() - timedelta(seconds=execution.PATIENCE_SECONDS + 1))

    assert run(made) == "failed"
    assert (nodes(made)["A/web/act"].error or {})["code"] == "CORE/CHANGED_MEANWHILE"


@pytest.mark.req("Y-31")
def test_what_may_pass_by_itself_fails_once_the_time_of_its_step_is_over(outside: World) -> None:
    made = order({"A": ["db"]})
    outside.busy["A/db/act"] = 99
    engine.tick(made)
    set_nodes(made, retry_at=now(), started_at=now() - timedelta(seconds=execution.PATIENCE_SECONDS + 1))

    assert run(made) == "failed"
    assert read(made).error is not None


@pytest.mark.req("Y-31")
def test_a_failure_does_not_hold_up_what_is_tried_again(outside: World) -> None:
    made = order({"A": ["web"], "B": ["api"]})
    outside.broken.add("A/web/act")
    outside.busy["B/api/act"] = 1
    made_again = run(made, 3)
    set_nodes(made, retry_at=now())

    assert made_again == "running"
    assert run(made) == "failed"
    assert nodes(made)["B/api/act"].state == "succeeded"


@pytest.mark.req("Y-32")
def test_what_is_wrong_is_named_while_it_may_still_pass(outside: World) -> None:
    made = order({"A": ["web"]})
    outside.doubted.add("A/web/act")

    assert run(made, 2) == "running"
    named = nodes(made)["A/web/act"]
    assert (named.state, (named.error or {})["code"]) == ("running", "TEST/BROKEN")

    outside.doubted.clear()
    assert run(made) == "succeeded"
    assert nodes(made)["A/web/act"].error is None


@pytest.mark.req("Y-36", "Q-20")
@pytest.mark.parametrize("what", ["lease_until", "due_at"])
def test_a_clock_that_was_ahead_does_not_hold_an_order_up(outside: World, what: str) -> None:
    made = order({"A": ["web"]})
    outside.slow.add("A/web/act")
    engine.tick(made)
    outside.slow.clear()
    set_order(made, **{"due_at": now(), what: now() + timedelta(hours=1)})

    assert made in due.due()
    assert run(made) == "succeeded"


@pytest.mark.req("Y-36", "Q-20")
def test_a_clock_that_was_ahead_does_not_hold_a_repetition_up(outside: World) -> None:
    made = order({"A": ["web"]})
    outside.busy["A/web/act"] = 1
    engine.tick(made)
    set_nodes(made, retry_at=now() + timedelta(hours=1))

    assert run(made) == "succeeded"


@pytest.mark.req("Y-36")
def test_a_step_that_takes_long_is_not_taken_over(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=1))
    made = order({"A": ["web"]})
    lease = leases.take(made)
    assert lease is not None

    with lease.held():
        time.sleep(1.5)
        assert leases.take(made) is None
    lease.release()

    assert run(made) == "succeeded"


@pytest.mark.req("Y-36")
def test_a_worker_whose_time_was_taken_away_fails_no_step(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = order({"A": ["web"]})
    with monkeypatch.context() as slow:
        slow.setattr(world.Act, "apply", lambda _self, _ctx: time.sleep(2))
        with pytest.raises(JobTimeoutException), UnixSignalDeathPenalty(1, JobTimeoutException):
            engine.tick(made)

    assert nodes(made)["A/web/act"].state == "running"
    assert run(made) == "succeeded"


@pytest.mark.req("Y-36")
def test_a_tick_leaves_what_it_has_no_time_for_to_the_next(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TICK_SECONDS", -1)
    made = order({"A": ["web"], "B": ["api"]})

    engine.tick(made)
    assert outside.acts == ["A/web/act"]

    assert run(made) == "succeeded"


@pytest.mark.req("Y-36", "Q-20")
def test_of_many_running_steps_a_tick_asks_as_many_as_it_has_time_for_and_all_have_their_turn(
    outside: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = {name: ["web"] for name in "ABCDEFGH"}
    made = order(products)
    outside.slow.update(f"{name}/web/act" for name in products)
    engine.tick(made)
    assert {n.state for n in nodes(made).values() if n.step} == {"running"}
    monkeypatch.setattr(engine, "TICK_SECONDS", -1)
    outside.looks.clear()

    for count in range(1, 17):
        engine.tick(made)
        assert len(outside.looks) == count

    assert set(outside.looks) == outside.slow


@pytest.mark.req("Q-20")
def test_nobody_waits_to_write_while_a_step_looks_at_a_cluster(outside: World) -> None:
    made = order(BOTH)
    outside.slow.add("A/db/act")
    run(made, 2)
    outside.slow.clear()

    assert run(made) == "succeeded"
    assert len(outside.writable) >= 6
    assert all(outside.writable)


@pytest.mark.req("Y-36", "Q-20")
def test_hours_in_which_nobody_worked_are_no_time_of_a_step(outside: World) -> None:
    made = order({"A": ["web"]})
    outside.slow.add("A/web/act")
    engine.tick(made)
    set_nodes(made, started_at=now() - timedelta(hours=2))
    set_order(made, due_at=now() - timedelta(hours=2))

    assert run(made, 3) == "running"

    set_nodes(made, started_at=now() - timedelta(hours=3))
    assert run(made, 3) == "failed"


@pytest.mark.req("Y-31")
def test_a_time_limit_takes_the_same_path_as_an_error(outside: World) -> None:
    made = order({"A": ["web"]})
    outside.slow.add("A/web/act")
    db.session.execute(update(OrderNode).where(OrderNode.order_id == made).values(timeout=-1))
    db.session.commit()

    assert run(made) == "failed"
    assert nodes(made)["A/web/act"].error["code"] == "ORDERS/STEP_TIMED_OUT"  # type: ignore[index]


@pytest.mark.req("Y-36")
def test_every_transition_left_an_event() -> None:
    made = order({"A": ["web"]})
    run(made)

    states = [
        (e.before, e.after)
        for e in db.session.scalars(
            select(OrderEvent).where(OrderEvent.order_id == made, OrderEvent.what == "state").order_by(OrderEvent.id)
        )
    ]
    assert ("pending", "running") in states
    assert ("running", "succeeded") in states
    assert set(verbs.of_order(read(made))) == {"rollback"}
    assert read(made).state in tree.TERMINAL


@pytest.mark.req("C-44", "Y-36")
def test_an_order_with_a_step_that_nobody_knows_says_so_and_holds_nobody_up(app_context: Flask, outside: World) -> None:
    """A plugin was disabled while its order waited; enabled again, a retry goes on."""
    catalogue = app_context.extensions[site.CATALOGUE]
    known = catalogue.steps
    made, behind = order({"A": ["web"]}, scopes=("x",)), order({"B": ["api"]}, scopes=("x",))
    object.__setattr__(catalogue, "steps", MappingProxyType({k: v for k, v in known.items() if k != "test.act"}))
    assert run(made) == "failed"
    object.__setattr__(catalogue, "steps", known)

    found = read(made)
    assert found.error is not None
    assert found.error["code"] == "ORDERS/STEP_UNKNOWN"
    assert "test.act" in found.error["reason"]["zh"]
    assert (found.lease_until, found.due_at) == (None, None)
    outside.slow.add("B/api/act")
    assert run(behind) == "running"

    tell(made, "retry")
    assert run(made) == "running"  # and waits for its scope
    assert (read(made).blocked_by, nodes(made)["A/web/act"].state) == (behind, "pending")
    outside.slow.clear()
    assert run(behind) == "succeeded"
    assert run(made) == "succeeded"


@pytest.mark.req("C-44", "Q-20")
def test_orders_whose_ticks_break_come_after_all_others(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, well = [order({"A": ["web"]}) for _ in range(4)], order(BOTH)
    earlier = now() - timedelta(seconds=30)
    db.session.execute(update(Order).where(Order.id.in_(broken)).values(due_at=earlier))
    db.session.commit()
    with monkeypatch.context() as bad:
        bad.setattr(locks, "take_all", lambda _order: 1 / 0)
        for one in broken:
            with pytest.raises(ZeroDivisionError):
                engine.tick(one)

    waiting = due.due(1_000)
    assert well in waiting
    assert not set(broken) & set(waiting)
    assert all(read(one).lease_until is None for one in broken)
    assert {run(one) for one in broken} == {"succeeded"}


@pytest.mark.req("Y-36")
def test_whoever_takes_an_order_over_fences_the_one_before(outside: World) -> None:
    made = order({"A": ["web"]})
    first = leases.take(made)
    assert first is not None
    db.session.execute(update(Order).where(Order.id == made).values(lease_until=now() - timedelta(seconds=1)))
    db.session.commit()

    second = leases.take(made)

    assert second is not None
    assert second.token > first.token
    read(made).title = "written too late"
    with pytest.raises(leases.Fenced):
        first.commit()
    assert read(made).title == "a test order"
    second.commit()


@pytest.mark.req("Y-36", "Q-20")
def test_each_tick_is_a_job_of_its_own_and_one_that_waits_is_not_doubled(outside: World) -> None:
    made = order({"A": ["web"]})
    waiting = queue("orders")
    waiting.empty()
    handed: dict[str, str] = {}

    def ours() -> list[str]:
        return [job.id for job in waiting.jobs if job.args == [made] or job.args == (made,)]

    for _ in range(3):
        hand_over_orders(handed)
    first = ours()
    waiting.empty()  # a worker took it, or Redis lost everything
    hand_over_orders(handed)

    assert (len(first), len(ours())) == (1, 1)
    assert first != ours()
    waiting.empty()
