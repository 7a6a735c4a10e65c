"""Foreign objects, a cluster that moved, orders that meet, drift that is put right."""

from __future__ import annotations

from typing import Any

import pytest

from app.kube import paths
from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, codes, document, eventually, node, told

FOREIGN = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app.kubernetes.io/managed-by": "Helm"}},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "other"}},
        "template": {
            "metadata": {"labels": {"app": "other"}},
            "spec": {"containers": [{"name": "other", "image": "registry.example/other:1"}]},
        },
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"ports": [{"port": 80, "targetPort": 1}], "selector": {"a": "b"}},
}


def patch(site: Delivery, kind: str, name: str, change: dict[str, Any]) -> None:
    """Somebody with ``kubectl edit``."""
    path = paths.one(kind, site.namespace, name)
    site.kube.request(
        "PATCH", path, {"fieldManager": "kubectl-edit"}, change, content_type="application/merge-patch+json"
    )


@pytest.mark.req("Y-21", "Y-30")
def test_a_foreign_object_stops_the_order_and_can_be_adopted(delivery: Delivery) -> None:
    site = delivery
    site.put_foreign(SERVICE)
    solution = site.ready(
        document(
            app("web", replicas=2, ports=[{"port": 80}], parameters=[{"key": "K", "type": "secret", "value": "v"}])
        )
    )
    preview = site.preview(solution=solution["id"])
    error = next(o["error"] for o in preview["applications"][0]["objects"] if o["kind"] == "Service")
    assert error["code"] == "YUNYOU/FOREIGN_OBJECT"
    before = site.objects()
    order = site.order(solution=solution["id"])
    failed = site.run(order)
    assert failed["state"] == "failed"
    assert codes(failed) == {"YUNYOU/FOREIGN_OBJECT"}
    assert "Service web" in node(failed, "application", "web")["error"]["reason"]["en"]
    assert site.objects() == before, "it was half done"

    site.tell(order, "retry")
    assert codes(site.run(order)) == {"YUNYOU/FOREIGN_OBJECT"}, "a retry alone took it over"
    site.tell(order, "retry", {"adopt": True})
    site.succeed(order)
    service = site.read("Service", "web")
    assert service["metadata"]["labels"]["app.kubernetes.io/part-of"] == "SHOP"
    assert {port["port"] for port in service["spec"]["ports"]} == {80}
    assert service["metadata"]["uid"] == before["Service/web"], "it was made anew, not adopted"


@pytest.mark.req("Y-6", "Y-21")
def test_a_foreign_load_balancer_is_respected_too(sandboxed: Delivery) -> None:
    site = sandboxed
    site.put_foreign({**SERVICE, "metadata": {"name": "web-lb", "labels": {"app.kubernetes.io/managed-by": "Helm"}}})
    balancer = {
        "name": "web-lb",
        "application": "web",
        "network": "public",
        "listeners": [{"port": 80, "targetPort": 8080, "protocol": "HTTP"}],
    }
    solution = site.ready(document(app("web", ports=[{"port": 8080}]), loadBalancers=[balancer]))
    order = site.order(solution=solution["id"])
    failed = site.run(order)
    assert codes(failed) == {"YUNYOU/FOREIGN_OBJECT"}
    assert "Helm" in failed["error"]["reason"]["en"]
    assert site.find("Deployment", "web") is None
    site.tell(order, "retry", {"adopt": True})
    site.succeed(order)
    assert site.read("Service", "web-lb")["spec"]["selector"]["app.kubernetes.io/name"] == "web"


@pytest.mark.req("Y-21")
def test_the_owner_of_a_foreign_workload_is_named(sandboxed: Delivery) -> None:
    site = sandboxed
    site.put_foreign(FOREIGN)
    solution = site.ready(document(app("web")))
    failed = site.run(site.order(solution=solution["id"]))
    assert "Helm" in node(failed, "application", "web")["error"]["reason"]["en"]
    assert site.read("Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["name"] == "other"


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


@pytest.mark.req("Y-56")
def test_scaling_up_and_down(delivery: Delivery) -> None:
    site = delivery
    site.release(document(app("web", replicas=2), app("store", workload="StatefulSet", replicas=2)))
    kept = {pod["metadata"]["uid"] for pod in site.pods("web")}
    for count in (5, 3):
        for name in ("web", "store"):
            site.succeed(site.operate("scale", f"SHOP/{name}", replicas=count))
            eventually(lambda name=name, count=count: len(site.pods(name)) == count)
        if count == 5:
            assert kept <= {pod["metadata"]["uid"] for pod in site.pods("web")}, "scaling replaced pods"
    assert {pod["metadata"]["name"] for pod in site.pods("store")} == {f"store-{at}" for at in range(3)}
    shown = site.ask("GET", f"/applications/SHOP/web?environment={site.environment['id']}")
    assert (shown["desired"], shown["synced"]) == (3, True)


@pytest.mark.req("Y-20", "Y-52")
@pytest.mark.parametrize("change", ["replicas", "image"])
def test_drift_is_told_and_put_right(delivery: Delivery, change: str) -> None:
    site = delivery
    solution = site.release(document(app("web", replicas=3)))
    if change == "replicas":
        patch(site, "Deployment", "web", {"spec": {"replicas": 1}})
    else:
        container = {"name": "web", "image": "registry.example/evil:1"}
        path = paths.one("Deployment", site.namespace, "web")
        body = {"spec": {"template": {"spec": {"containers": [container]}}}}
        site.kube.request(
            "PATCH", path, {"fieldManager": "kubectl-edit"}, body, content_type="application/strategic-merge-patch+json"
        )
    drift = site.tasks(solution)
    assert [task["kind"] for task in drift] == ["drift"]
    assert any(change in field["field"] for field in drift[0]["changes"]), drift
    shown = site.ask("GET", f"/applications/SHOP/web?environment={site.environment['id']}")
    assert shown["synced"] is False
    site.succeed(site.ask("POST", "/baseline/sync", {"environment": site.environment["id"]}))
    eventually(lambda: site.images("web") == [IMAGE.format("web", "1.0.0")] * 3)
    assert site.tasks(solution) == []
    again = site.ask("POST", "/baseline/sync", {"environment": site.environment["id"]}, status=409)
    assert again["code"] == "YUNYOU/NOTHING_TO_DO"


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
