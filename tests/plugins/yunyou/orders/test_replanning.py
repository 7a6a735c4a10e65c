"""Orders whose cluster or base moved after they were planned, and orders that meet."""

from __future__ import annotations

import pytest

from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, codes, document, eventually, patch, told


@pytest.mark.req("Y-21")
def test_a_preview_that_does_not_hold_any_more_is_refused(delivery: Delivery) -> None:
    site = delivery
    site.release(document(app("web", replicas=2)))
    solution = site.ready(document(app("web", "2.0.0", replicas=2), version="2.0.0"))
    preview = site.preview(solution=solution["id"])
    patch(site, "Deployment", "web", {"spec": {"revisionHistoryLimit": 3}})
    refused = site.order(solution=solution["id"], preview=preview["preview"], status=409)
    assert refused["code"] == "YUNYOU/CLUSTER_MOVED"
    assert refused["remedy"]
    order = site.order(solution=solution["id"], preview=site.preview(solution=solution["id"])["preview"])

    patch(site, "Deployment", "web", {"spec": {"revisionHistoryLimit": 4}})
    failed = site.run(order)
    assert codes(failed) == {"YUNYOU/CLUSTER_MOVED"}, told(failed)
    assert site.images("web") == [IMAGE.format("web", "1.0.0")] * 2, "it went on although the cluster moved"
    site.tell(order, "retry")
    site.succeed(order)
    eventually(lambda: site.images("web") == [IMAGE.format("web", "2.0.0")] * 2)


@pytest.mark.req("Y-35")
def test_a_second_order_queues_and_starts_by_itself(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web", replicas=2)))
    solution = site.ready(document(app("web", "2.0.0", replicas=2), version="2.0.0"))
    first = site.order(solution=solution["id"], beta=True, grouping={"strategy": "two"})
    site.run(first, "waiting")
    second = site.operate("scale", "SHOP/web", replicas=4)
    site.tick(second)
    queued = site.show(second)
    assert (queued["state"], queued["blockedBy"]) == ("queued", first["id"])
    refused = site.order(
        type="operation",
        operation="scale",
        application="SHOP/web",
        environment=site.environment["id"],
        replicas=3,
        refuseIfBusy=True,
        status=409,
    )
    assert refused["code"] == "YUNYOU/APPLICATION_BUSY"
    confirmation = next(n for n in site.show(first)["nodes"] if n["name"] == "confirm")
    site.tell(first, "confirm", node=confirmation["id"])
    site.succeed(first)
    site.succeed(second)
    eventually(lambda: len(site.pods("web")) == 4)
    assert site.images("web") == [IMAGE.format("web", "2.0.0")] * 4, "the queued order took the release back"


@pytest.mark.req("Y-21", "Y-35")
def test_a_queued_order_that_was_previewed_stops_when_its_base_moved(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web", replicas=2)))
    solution = site.ready(document(app("web", "2.0.0", replicas=2), version="2.0.0"))
    first = site.order(solution=solution["id"])
    scale = {
        "type": "operation",
        "operation": "scale",
        "application": "SHOP/web",
        "environment": site.environment["id"],
        "replicas": 4,
    }
    second = site.order(**scale, preview=site.preview(**scale)["preview"])
    site.succeed(first)
    assert codes(site.run(second)) == {"YUNYOU/PLAN_OUTDATED"}
    assert site.images("web") == [IMAGE.format("web", "2.0.0")] * 2


@pytest.mark.req("Y-35")
def test_an_order_that_waited_goes_on_from_what_the_one_before_left(delivery: Delivery) -> None:
    site = delivery
    solution = site.release(document(app("web", workload="StatefulSet")))
    again = site.order(solution=solution["id"], force=["SHOP/web"])
    scaled = site.operate("scale", "SHOP/web", replicas=3)
    refused = site.order(409, solution=solution["id"], force=["SHOP/web"], refuseIfBusy=True)
    assert refused["code"] == "YUNYOU/APPLICATION_BUSY"

    site.succeed(again)
    site.succeed(scaled)
    assert len(site.pods("web")) == 3
