"""Objects of others in the cluster are respected, and named."""

from __future__ import annotations

import pytest

from tests.plugins.yunyou.delivery import Delivery, app, codes, document, node

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
