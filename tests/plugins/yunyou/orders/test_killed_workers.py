"""A worker dies in the middle of an order's writes; the next one goes on, and every step is applied once in effect
(Y-36).
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from app.db import db
from app.kube.client import Kube
from app.orders.models import Order
from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, document, eventually


class Killed(BaseException):
    """The worker was killed: nothing catches it."""


class Death:
    """Kills at the *at*-th write, before or after the cluster has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> None:
        self.writes, self.at, self.after = 0, at, after
        for name in ("apply", "delete"):
            monkeypatch.setattr(Kube, name, self._counting(getattr(Kube, name)))

    def _counting(self, act: Any) -> Any:
        def counted(kube: Kube, *args: Any, **kwargs: Any) -> Any:
            if kwargs.get("dry_run"):
                return act(kube, *args, **kwargs)
            self.writes += 1
            mine = self.writes == self.at
            if mine and not self.after:
                raise Killed
            answer = act(kube, *args, **kwargs)
            if mine:
                raise Killed
            return answer

        return counted


def stays_dead(order_id: str) -> None:
    """What a killed process leaves: a lease that nobody gives back, until it is over."""
    db.session.execute(update(Order).where(Order.id == order_id).values(lease_until=None))
    db.session.commit()


def go_on(site: Delivery, order: dict[str, Any], death: Death) -> dict[str, Any]:
    """Work on the order; the worker dies once on the way."""
    died = False
    for _ in range(600):
        try:
            site.tick(order)
        except Killed:
            died = True
            stays_dead(order["id"])
        found = site.show(order)
        if found["state"] in ("succeeded", "failed"):
            break
    assert died or death.writes < death.at, "nobody died"
    return found


@pytest.mark.req("Y-36")
@pytest.mark.parametrize("after", [False, True], ids=["before-the-write", "after-the-write"])
@pytest.mark.parametrize("at", [1, 2, 3, 5, 8])
def test_an_update_ends_as_if_nobody_had_died(
    sandboxed: Delivery, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    site = sandboxed
    both = lambda version: document(  # noqa: E731
        app("web", version, replicas=4, ports=[{"port": 80}]),
        app("store", version, replicas=4, workload="StatefulSet"),
        version=version,
    )
    site.release(both("1.0.0"), grouping={"strategy": "one"})
    solution = site.ready(both("2.0.0"))
    order = site.order(solution=solution["id"], grouping={"strategy": "two"})
    with monkeypatch.context() as patched:
        found = go_on(site, order, Death(patched, at, after))
    assert found["state"] == "succeeded", found["error"]
    for name in ("web", "store"):
        eventually(lambda name=name: site.images(name) == [IMAGE.format(name, "2.0.0")] * 4)
    created = [
        e
        for e in site.list("Event")
        if e["reason"] == "SuccessfulCreate" and e["involvedObject"]["name"].startswith(("web", "store"))
    ]
    assert sum(int(e.get("count") or 1) for e in created) == 16, "a group was replaced twice"
    sets = [s for s in site.list("ReplicaSet") if s["metadata"]["labels"]["app.kubernetes.io/name"] == "web"]
    assert len(sets) == 2, "the template was changed more than once"
    assert len(site.list("ControllerRevision")) == 2
    assert site.tasks(solution) == []
    records = site.ask("GET", f"/products/SHOP?environment={site.environment['id']}")["records"]
    assert [r["version"] for r in records] == ["2.0.0", "1.0.0"]


@pytest.mark.req("Y-36")
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_first_release_ends_as_if_nobody_had_died(
    sandboxed: Delivery, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    site = sandboxed
    task = app(
        "migrate", role="task", workload="Job", command=["sh", "-c", "echo done"], task={"runOn": "every-release"}
    )
    solution = site.ready(document(task, app("web", replicas=2, ports=[{"port": 80}], dependsOn=["migrate"])))
    order = site.order(solution=solution["id"])
    with monkeypatch.context() as patched:
        found = go_on(site, order, Death(patched, at, after=True))
    assert found["state"] == "succeeded", found["error"]
    assert len(site.list("Job")) == 1, "the task ran twice"
    assert len(site.pods("web")) == 2
    assert site.read("Deployment", "web")["spec"]["replicas"] == 2


@pytest.mark.req("Y-36", "Y-39")
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_removal_ends_as_if_nobody_had_died(sandboxed: Delivery, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    site = sandboxed
    solution = site.ready(document(app("web", replicas=2, ports=[{"port": 80}]), app("store", workload="StatefulSet")))
    done = site.succeed(site.order(solution=solution["id"]))
    back = site.tell(done, "rollback", status=202)
    with monkeypatch.context() as patched:
        found = go_on(site, back, Death(patched, at, after=True))
    assert found["state"] == "succeeded", found["error"]
    assert site.objects() == {}
    eventually(lambda: not site.pods("web") + site.pods("store"))


@pytest.mark.req("Y-30", "Y-36")
def test_a_step_that_breaks_while_it_goes_on_is_a_failure_and_no_loop(
    sandboxed: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugins.yunyou.orders.steps.applications import Start

    site = sandboxed
    solution = site.ready(document(app("web")))
    order = site.order(solution=solution["id"])
    outcomes: list[BaseException] = [Killed(), RuntimeError("a bug")]
    right = Start.apply

    def broken(step: Start, ctx: Any) -> None:
        if outcomes:
            raise outcomes.pop(0)
        right(step, ctx)

    monkeypatch.setattr(Start, "apply", broken)
    with pytest.raises(Killed):
        site.run(order)
    failed = site.run(order)
    assert failed["state"] == "failed"
    assert failed["error"]["remedy"]
    site.tell(order, "retry")
    site.succeed(order)
