"""What runs is scaled, and drift is put right."""

from __future__ import annotations

import pytest

from app.kube import paths
from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, document, eventually, patch


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
