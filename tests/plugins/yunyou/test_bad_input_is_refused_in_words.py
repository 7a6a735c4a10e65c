"""What is wrong is refused with its code and a remedy, and nothing changed, in the database or the cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from sqlalchemy import event, func, select

from app.db import db
from app.kube.models import Cluster
from app.orders.models import Order, OrderNode
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.orders.models import Frozen
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.products.models import BaselineApplication
from plugins.yunyou.solutions.models import PlanTask, Solution
from sandbox.launch import Sandbox
from tests import factories
from tests.people import Api
from tests.plugins.yunyou.conftest import program
from tests.plugins.yunyou.delivery import Delivery, app, codes, document, point

KEPT = (Solution, PlanTask, ImageCheck, Order, OrderNode, Frozen, Environment, BaselineApplication, Cluster)


def counts() -> list[int]:
    """How much of everything there is."""
    db.session.expire_all()
    return [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in KEPT]


@contextmanager
def nothing_changes(site: Delivery) -> Iterator[None]:
    """Database and cluster are afterwards as they were."""
    before = counts(), site.objects()
    yield
    assert (counts(), site.objects()) == before


def refused(answer: Any, code: str) -> Any:
    """The answer is a problem of that code, in words."""
    assert answer["code"] == code, answer
    assert answer["remedy"]
    assert answer["detail"]
    assert answer["traceId"]
    return answer


def text(**changes: Any) -> bytes:
    return json.dumps({**document(app("web")), **changes}).encode()


FILES: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "empty": (lambda: b"", "YUNYOU/SOLUTION_UNREADABLE", 422),
    "broken": (lambda: text()[:-5], "YUNYOU/SOLUTION_UNREADABLE", 422),
    "not-utf-8": (lambda: b'{"name": "\xff\xfe"}', "YUNYOU/SOLUTION_UNREADABLE", 422),
    "not-an-object": (lambda: b"[1]", "YUNYOU/SOLUTION_UNREADABLE", 422),
    "deep-lists": (lambda: b"[" * 100_000 + b"]" * 100_000, "YUNYOU/SOLUTION_UNREADABLE", 422),
    "deep-objects": (lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "YUNYOU/SOLUTION_UNREADABLE", 422),
    "not-a-number": (lambda: text(version=float("nan")), "YUNYOU/SOLUTION_UNREADABLE", 422),
    "no-products": (lambda: text(products=[]), "YUNYOU/SOLUTION_INVALID", 422),
    "another-schema": (lambda: text(schema="antstack.solution/v9"), "YUNYOU/SOLUTION_INVALID", 422),
}


@contextmanager
def full_disk() -> Iterator[None]:
    """SQLite has a few pages left, as on a full disk."""
    db.session.remove()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")  # pages that earlier tests left free would be room
        most = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 8

    def limited(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={most}")

    event.listen(db.engine, "checkout", limited)
    try:
        yield
    finally:
        db.session.remove()
        event.remove(db.engine, "checkout", limited)
        db.engine.dispose()


@pytest.mark.req("Y-1", "Q-20")
def test_a_full_disk_keeps_nothing_of_a_file(sandboxed: Delivery) -> None:
    file = document(app("web"), releaseNotes="x" * 1_000_000)
    with full_disk():
        refused = sandboxed.import_(file, 507)
        assert (refused["code"], bool(refused["remedy"])) == ("CORE/DISK_FULL", True)
        assert sandboxed.ask("GET", "/solutions")["items"] == []

    assert sandboxed.import_(file)["state"] == "planning"


@pytest.mark.req("Y-1")
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_cannot_be_read(sandboxed: Delivery, file: str) -> None:
    make, code, status = FILES[file]
    with nothing_changes(sandboxed):
        answer = sandboxed.import_(make(), status=status)
    refused(answer, code)


@pytest.mark.req("Y-1")
@pytest.mark.parametrize("megabytes", [50.5, 60])
def test_a_file_that_is_too_large(sandboxed: Delivery, megabytes: float) -> None:
    with nothing_changes(sandboxed):
        answer = sandboxed.import_(b" " * int(megabytes * 1024 * 1024), status=413)
    assert answer["code"] in ("YUNYOU/SOLUTION_TOO_LARGE", "CORE/TOO_LARGE")
    assert "50" in answer["detail"]
    assert answer["remedy"]


@pytest.mark.req("Y-1")
def test_every_problem_is_told_at_once_with_its_place(sandboxed: Delivery) -> None:
    file = document(app("web"), app("web"), app("UPPER"), app("few", replicas=-1))
    file["products"].append({**file["products"][0], "applications": [app("other")]})
    with nothing_changes(sandboxed):
        answer = refused(sandboxed.import_(file, status=422), "YUNYOU/SOLUTION_INVALID")
    pointers = [error["pointer"] for error in answer["errors"]]
    for place in (
        "/products/0/applications/1/name",
        "/products/0/applications/2/name",
        "/products/0/applications/3/replicas",
        "/products/1/code",
    ):
        assert place in pointers, pointers
    assert all(error["message"] for error in answer["errors"])


@pytest.mark.req("Y-1", "Y-22")
def test_a_cycle_of_products_is_named(sandboxed: Delivery) -> None:
    first = document(app("a"), code="A", dependencies=[{"product": "B"}])
    second = document(app("b"), code="B", dependencies=[{"product": "A"}])
    first["products"] += second["products"]
    with nothing_changes(sandboxed):
        answer = sandboxed.import_(first, status=422)
    said = json.dumps(answer, ensure_ascii=False)
    assert "A → B → A" in said or "B → A → B" in said, said


@pytest.mark.req("Y-4")
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([{"key": "A", "value": "${global.nowhere}"}], "global.nowhere"),
        ([{"key": "A", "value": "${product.SHOP.param.b}"}], "→"),
    ],
    ids=["unknown", "cycle"],
)
def test_references_that_lead_nowhere_or_in_a_circle(sandboxed: Delivery, values: list[Any], named: str) -> None:
    site = sandboxed
    circle = [{"key": "b", "value": "${product.SHOP.param.c}"}, {"key": "c", "value": "${product.SHOP.param.b}"}]
    file = document(app("web", parameters=values), parameters=circle if named == "→" else [])
    answer = site.api.post(f"/yunyou/solutions?environment={site.environment['id']}", file)
    if answer.status_code == 201:
        said = json.dumps(site.plan(answer.get_json(), "parameters"), ensure_ascii=False)
        assert named in said, said
        problem = site.ask("POST", f"/solutions/{answer.get_json()['id']}/plan/parameters/confirm", {"all": True}, 409)
        refused(problem, "YUNYOU/PARAMETERS_NOT_READY")
    else:
        assert answer.status_code == 422
        assert named in json.dumps(refused(answer.get_json(), "YUNYOU/SOLUTION_INVALID"), ensure_ascii=False)


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


@pytest.fixture
def planned(sandboxed: Delivery) -> Any:
    """A site, and a solution that may be deployed."""
    return sandboxed, sandboxed.ready(document(app("web", replicas=5), app("api", replicas=2)))


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


@pytest.mark.req("Y-9", "Y-26")
@pytest.mark.parametrize("how", ["discard", "complete"])
def test_a_closed_solution_is_only_read(sandboxed: Delivery, how: str) -> None:
    site = sandboxed
    solution = site.release(document(app("web")))
    site.ask("POST", f"/solutions/{solution['id']}/{how}", {})
    with nothing_changes(site):
        refused(site.order(solution=solution["id"], force=["SHOP/web"], status=409), "YUNYOU/SOLUTION_CLOSED")
        changed = site.ask(
            "PATCH", f"/solutions/{solution['id']}/plan/applications", {"SHOP/web": {"replicas": 2}}, 409
        )
        refused(changed, "YUNYOU/SOLUTION_CLOSED")


@pytest.mark.req("Y-91")
def test_an_observer_sees_and_changes_nothing(planned: Any, api: Callable[..., Api]) -> None:
    site, solution = planned
    order = site.order(solution=solution["id"])
    observer = program(api, site.tenant, "yunyou-observer")
    assert observer.get(f"/yunyou/orders/{order['id']}").status_code == 200
    assert observer.get(f"/yunyou/solutions/{solution['id']}/tasks").status_code == 200
    environment = site.environment["id"]
    calls = [
        ("POST", f"/yunyou/solutions?environment={environment}", document(app("other"))),
        ("PATCH", f"/yunyou/solutions/{solution['id']}/plan/applications", {"SHOP/web": {"replicas": 2}}),
        ("POST", f"/yunyou/solutions/{solution['id']}/plan/images/confirm", {"all": True}),
        ("POST", f"/yunyou/solutions/{solution['id']}/discard", {}),
        ("POST", "/yunyou/orders", {"type": "release", "solution": solution["id"]}),
        ("POST", f"/yunyou/orders/{order['id']}/cancel", {}),
        ("POST", f"/yunyou/orders/{order['id']}/rollback", {}),
        ("POST", "/yunyou/environments", {"name": "x", "prefix": "x", "kubeconfig": "x"}),
    ]
    with nothing_changes(site):
        for method, path, body in calls:
            answer = observer.call(method, path, body)
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
            refused(answer.get_json(), "CORE/FORBIDDEN")
    assert site.show(order)["state"] == "queued"


@pytest.mark.req("Y-91")
def test_another_tenant_finds_nothing(planned: Any, api: Callable[..., Api]) -> None:
    site, solution = planned
    order = site.order(solution=solution["id"])
    stranger = program(api, factories.make_tenant(), "yunyou-environment-administrator")
    environment = site.environment["id"]
    calls = [
        ("GET", f"/yunyou/solutions/{solution['id']}", None),
        ("GET", f"/yunyou/solutions/{solution['id']}/plan/parameters", None),
        ("GET", f"/yunyou/orders/{order['id']}", None),
        ("GET", f"/yunyou/environments/{environment}", None),
        ("GET", f"/yunyou/baseline?environment={environment}", None),
        ("POST", f"/yunyou/solutions?environment={environment}", document(app("other"))),
        ("POST", "/yunyou/orders", {"type": "release", "solution": solution["id"]}),
        ("POST", f"/yunyou/orders/{order['id']}/cancel", {}),
    ]
    with nothing_changes(site):
        for method, path, body in calls:
            answer = stranger.call(method, path, body)
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
            refused(answer.get_json(), "CORE/NOT_FOUND")
    for path in ("/yunyou/solutions", "/yunyou/orders", "/yunyou/environments", "/yunyou/products"):
        assert stranger.get(path).get_json()["items"] == []


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


@pytest.mark.req("Y-80", "Y-82")
@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "id"}},
        {"auth-provider": {"name": "x"}},
        {"tokenFile": "/etc/passwd"},
    ],
)
def test_a_dangerous_kubeconfig_is_refused(
    sandboxed: Delivery, delivery_sandbox: Sandbox, user: dict[str, Any]
) -> None:
    settings = yaml.safe_load(delivery_sandbox.kubeconfig.read_text())
    settings["users"][0]["user"] = user
    body = {"name": "danger", "prefix": "danger", "kubeconfig": yaml.safe_dump(settings)}
    with nothing_changes(sandboxed):
        answer = refused(sandboxed.ask("POST", "/environments", body, 422), "KUBE/KUBECONFIG_REFUSED")
    assert next(iter(user)) in json.dumps(answer)


@pytest.mark.req("Y-80")
def test_a_namespace_that_is_taken_or_reserved(sandboxed: Delivery) -> None:
    site = sandboxed
    body = {"name": "second", "prefix": "second", "cluster": site.environment["cluster"]}
    with nothing_changes(site):
        refused(
            site.ask("POST", "/environments", {**body, "namespace": site.namespace}, 409), "YUNYOU/ENVIRONMENT_TAKEN"
        )
        refused(site.ask("POST", "/environments", {**body, "namespace": "kube-system"}, 422), "CORE/INVALID_INPUT")


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
