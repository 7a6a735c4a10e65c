"""Orders that cannot be are refused with their code and a remedy, and nothing changed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from app.db import db
from app.kube.models import Cluster
from tests import factories
from tests.plugins.yunyou.delivery import Delivery, app, codes, document, point
from tests.plugins.yunyou.refusals import nothing_changes, refused


@pytest.mark.req("Y-3")
def test_nothing_is_deployed_before_the_plan_is_confirmed(sandboxed: Delivery) -> None:
    site = sandboxed
    solution = site.import_(document(app("web", parameters=[{"key": "A", "value": "b"}])))
    with nothing_changes(site):
        for answer in (
            site.preview(solution=solution["id"], status=409),
            site.order(solution=solution["id"], status=409),
        ):
            refused(answer, "YUNYOU/PLAN_NOT_CONFIRMED")
            assert set(answer["plans"]) == {"parameters", "images", "applications"}


ORDERS: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown-product": ({"products": ["NOPE"]}, 422, "CORE/INVALID_INPUT"),
    "unknown-excluded": ({"exclude": ["SHOP/nope"]}, 422, "CORE/INVALID_INPUT"),
    "unknown-application": ({"applications": {"SHOP/nope": {}}}, 422, "CORE/INVALID_INPUT"),
    "unknown-field": ({"colour": "red"}, 422, "CORE/INVALID_INPUT"),
    "custom-for-all": ({"grouping": {"strategy": "custom"}}, 422, "YUNYOU/GROUPS_CUSTOM_PER_APPLICATION"),
    "shares-decrease": (
        {"applications": {"SHOP/web": {"grouping": {"strategy": "custom", "shares": [50, 30, 20]}}}},
        422,
        "YUNYOU/GROUPS_SHARES_REFUSED",
    ),
    "more-groups-than-pods": (
        {"applications": {"SHOP/api": {"grouping": {"strategy": "custom", "shares": [20, 40, 40]}}}},
        422,
        "YUNYOU/GROUPS_COUNT_REFUSED",
    ),
    "all-excluded": ({"exclude": ["SHOP/web", "SHOP/api"]}, 409, "YUNYOU/NOTHING_TO_DO"),
    "stale-preview": ({"preview": "0" * 64}, 409, "YUNYOU/CLUSTER_MOVED"),
    "no-solution": ({"solution": "nope"}, 404, "CORE/NOT_FOUND"),
}


@pytest.mark.req("Y-21", "Y-22", "Y-23", "Y-24")
@pytest.mark.parametrize("wish", ORDERS)
def test_an_order_that_cannot_be(planned: Any, wish: str) -> None:
    site, solution = planned
    body, status, code = ORDERS[wish]
    with nothing_changes(site):
        refused(site.order(**{"solution": solution["id"], **body}, status=status), code)


@pytest.mark.req("Y-21", "Y-22")
def test_a_product_ordered_without_what_it_depends_on(sandboxed: Delivery) -> None:
    whole = document(app("db"), code="BASE")
    whole["products"] += document(app("web"), code="SHOP", dependencies=[{"product": "BASE"}])["products"]
    solution = sandboxed.ready(whole)

    with nothing_changes(sandboxed):
        answer = refused(
            sandboxed.order(solution=solution["id"], products=["SHOP"], status=422), "YUNYOU/ORDER_INVALID"
        )

    assert "BASE" in answer["errors"][0]["message"]


@pytest.mark.req("Y-53", "Y-56")
def test_an_operation_on_nothing(sandboxed: Delivery) -> None:
    with nothing_changes(sandboxed):
        body = {
            "type": "operation",
            "operation": "scale",
            "application": "SHOP/web",
            "environment": sandboxed.environment["id"],
        }
        refused(sandboxed.order(**body, replicas=3, status=404), "YUNYOU/APPLICATION_UNKNOWN")


@pytest.mark.req("Y-20")
def test_a_downgrade_is_acknowledged_first(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web", "2.0.0"), version="2.0.0"))
    solution = site.ready(document(app("web", "1.0.0"), version="1.0.0"))
    with nothing_changes(site):
        answer = refused(site.order(solution=solution["id"], status=409), "YUNYOU/DOWNGRADE_NOT_ACKNOWLEDGED")
    assert answer["products"] == ["SHOP"]
    site.succeed(site.order(solution=solution["id"], acknowledge=["SHOP"]))
    assert site.images("web") == ["registry.example/shop/web:1.0.0"]


@pytest.mark.req("Y-30", "Y-36")
def test_a_cluster_that_does_not_answer(planned: Any) -> None:
    site, solution = planned
    order = site.order(solution=solution["id"])
    cluster = db.session.get(Cluster, site.environment["cluster"])
    assert cluster is not None
    right = cluster.kubeconfig
    point(cluster, right, "https://127.0.0.1:9")
    began = time.monotonic()
    refused(site.preview(solution=solution["id"], status=503), "KUBE/CLUSTER_UNREACHABLE")
    refused(site.order(solution=solution["id"], status=503), "KUBE/CLUSTER_UNREACHABLE")
    assert time.monotonic() - began < 5
    site.tick(order)
    found = site.show(order)
    assert found["state"] in ("running", "failed")
    assert codes(found) == {"KUBE/CLUSTER_UNREACHABLE"}
    assert found["error"] is None or found["error"]["remedy"]
    point(cluster, right)
    site.succeed(order)


@pytest.mark.req("Y-30")
def test_the_same_request_twice_is_one_order(planned: Any) -> None:
    site, solution = planned
    key = {"Idempotency-Key": factories.unique("key")}
    body = {"type": "release", "solution": solution["id"]}
    first = site.ask("POST", "/orders", body, 202, headers=key)
    with nothing_changes(site):
        assert site.ask("POST", "/orders", body, 202, headers=key)["id"] == first["id"]
        other = site.api.post("/yunyou/orders", {**body, "name": "another"}, headers=key)
        assert other.status_code in (409, 422)
        assert other.get_json()["code"].startswith("CORE/")


@pytest.mark.req("Y-21")
def test_a_dry_run_leaves_nothing(planned: Any) -> None:
    site, solution = planned
    with nothing_changes(site):
        made = site.ask("POST", "/orders?dryRun=true", {"type": "release", "solution": solution["id"]}, 202)
        assert made["nodes"]
        site.ask(
            "POST",
            f"/solutions?environment={site.environment['id']}&dryRun=true",
            document(app("other"), code="OTHER"),
            201,
        )
    assert site.api.get(f"/yunyou/orders/{made['id']}").status_code == 404
    assert site.ask("GET", f"/solutions/{solution['id']}")["state"] == "planning"


@pytest.mark.req("Y-21")
def test_an_operation_that_would_do_nothing_is_refused(sandboxed: Delivery) -> None:
    site = sandboxed
    body = {
        "type": "operation",
        "operation": "restart",
        "application": "SHOP/web",
        "environment": site.environment["id"],
    }
    with nothing_changes(site):
        refused(site.ask("POST", "/orders", body, 422), "CORE/INVALID_INPUT")
