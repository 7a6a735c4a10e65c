"""Who may not see or change what is of Yunyou."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import factories
from tests.people import Api
from tests.plugins.yunyou.conftest import program
from tests.plugins.yunyou.delivery import app, document
from tests.plugins.yunyou.refusals import nothing_changes, refused


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
