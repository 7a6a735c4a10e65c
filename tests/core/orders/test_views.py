"""Orders are the core's: whoever made them, they are listed, shown and controlled in one place, by the permissions that
their plugin declares (C-44).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
from flask import Flask

from app import site
from app.db import db
from app.orders.models import Order, OrderNode
from app.orders.types import CONTROL, READ
from plugins.yunyou.permissions import ORDER_CONTROL, ORDER_READ
from tests import factories

pytestmark = pytest.mark.req("C-44")
PRODUCTS = {"SHOP": "1.0", "BANK": "1.0"}


@pytest.fixture
def made(tenant: Any) -> Callable[..., Order]:
    """``made("yunyou")``: a running order of that plugin with a step that failed."""

    def make(plugin: str, **more: Any) -> Order:
        fields: dict[str, Any] = {"type": "release", "title": plugin, "plan": {"products": PRODUCTS}, "creator": "Ada"}
        trace = {"trace_id": "0" * 32, "plan_hash": "0" * 64, "principal": {}, "options": {}}
        row = Order(tenant_id=tenant.id, plugin=plugin, state="failed", **trace, **{**fields, **more})
        db.session.add(row)
        db.session.flush()
        step = {"name": "web", "kind": "application", "after": [], "spec": {}, "step": "x", "state": "failed"}
        db.session.add(OrderNode(order_id=row.id, key="SHOP/web", position=0, **step))
        db.session.commit()
        return row

    return make


@pytest.fixture
def without_yunyou(app_context: Flask) -> Iterator[None]:
    """A site on which the plugin of some orders is not enabled any more."""
    found = app_context.extensions[site.CATALOGUE]
    before = found.order_types
    object.__setattr__(found, "order_types", MappingProxyType({}))
    yield
    object.__setattr__(found, "order_types", before)


def test_an_order_is_listed_shown_and_told_by_whoever_may(api: Any, as_holder_of: Any, made: Any) -> None:
    order, program = made("yunyou"), api(as_holder_of(ORDER_READ, ORDER_CONTROL))

    listed = program.get("/orders?plugin=yunyou&type=release&state=failed&creator=Ada").json["items"]
    assert [(one["id"], one["plugin"], one["type"]) for one in listed] == [(order.id, "yunyou", "release")]
    for nothing in ("plugin=captain", "type=test", "state=queued", "creator=Bob"):
        assert program.get(f"/orders?{nothing}").json["items"] == []
    shown = program.get(f"/orders/{order.id}").json
    assert shown["nodes"][0].items() >= {"key": "SHOP/web", "kind": "application", "state": "failed"}.items()
    told = program.post(f"/orders/{order.id}/nodes/{shown['nodes'][0]['id']}/retry", {})
    assert (told.status_code, told.json["state"]) == (200, "running")
    assert program.get(f"/orders/{order.id}/nodes/{shown['nodes'][0]['id']}/log").json["lines"] == []


def test_whoever_may_only_read_controls_nothing(api: Any, as_holder_of: Any, made: Any) -> None:
    order, program = made("yunyou"), api(as_holder_of(ORDER_READ))

    refused = program.post(f"/orders/{order.id}/cancel", {})

    assert (refused.status_code, refused.json["code"]) == (403, "CORE/FORBIDDEN")
    assert program.get(f"/orders/{order.id}").json["state"] == "failed"


def test_what_somebody_may_not_see_is_not_there(api: Any, as_holder_of: Any, made: Any) -> None:
    order, program = made("yunyou"), api(as_holder_of(READ, CONTROL))

    assert program.get("/orders").json["items"] == []
    for path, call in (("", program.get), ("/events", program.get)):
        assert call(f"/orders/{order.id}{path}").status_code == 404
    for verb in ("cancel", "rollback"):
        assert program.post(f"/orders/{order.id}/{verb}", {}).status_code == 404


def test_the_condition_on_a_grant_is_about_every_product_of_the_order(
    api: Any, as_member: Any, tenant: Any, made: Any
) -> None:
    member = factories.make_member(tenant)
    only_shop = [{"kind": "resource", "attribute": "product", "values": ["SHOP"]}]
    factories.make_grant(tenant, member, factories.make_role(tenant, [ORDER_READ, ORDER_CONTROL]), only_shop)
    program = api(as_member(member, tenant))
    of_both, of_shop = made("yunyou"), made("yunyou", plan={"products": {"SHOP": "1.0"}})

    answers = [program.post(f"/orders/{order.id}/cancel", {}).status_code for order in (of_both, of_shop)]

    assert answers == [403, 200]


def test_an_order_of_a_plugin_that_is_not_enabled_is_shown_and_can_be_ended(
    api: Any, as_holder_of: Any, made: Any, without_yunyou: None
) -> None:
    order, program = made("yunyou"), api(as_holder_of(READ, CONTROL))

    assert [one["plugin"] for one in program.get("/orders").json["items"]] == ["yunyou"]
    shown = program.get(f"/orders/{order.id}").json
    assert "rollback" not in shown["verbs"] + shown["nodes"][0]["verbs"]
    assert program.post(f"/orders/{order.id}/rollback", {}).json["code"] == "ORDERS/NOT_IN_THIS_STATE"
    assert program.post(f"/orders/{order.id}/force-cancel", {}).json["state"] == "cancelled"


def test_the_paths_of_before_do_the_same_and_are_marked_as_deprecated(api: Any, as_holder_of: Any, made: Any) -> None:
    order, program = made("yunyou"), api(as_holder_of(ORDER_READ, ORDER_CONTROL))

    assert program.get(f"/yunyou/orders/{order.id}").json == program.get(f"/orders/{order.id}").json
    assert program.post(f"/yunyou/orders/{order.id}/cancel", {}).json["state"] == "cancelling"
    paths = program.get("/openapi.json").json["paths"]
    assert paths["/api/v1/yunyou/orders/{order_id}/cancel"]["post"]["deprecated"] is True
    assert "deprecated" not in paths["/api/v1/orders/{order_id}/cancel"]["post"]


def test_the_pages_of_orders_are_of_the_core_and_the_addresses_of_before_lead_there(
    as_holder_of: Any, made: Any
) -> None:
    order, browser = made("yunyou"), as_holder_of(ORDER_READ, ORDER_CONTROL)
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    listed = browser.get("/orders?plugin=yunyou&type=release")
    assert f'href="/orders/{order.id}"' in listed.text
    assert 'href="/orders?plugin=yunyou&amp;type=release" aria-current="page"' in listed.text
    shown = browser.get(f"/orders/{order.id}")
    assert (shown.status_code, "Release" in shown.text) == (200, True)
    moved = browser.get(f"/yunyou/orders/{order.id}?node=x")
    assert (moved.status_code, moved.headers["Location"]) == (308, f"/orders/{order.id}?node=x")
    assert browser.get("/yunyou/orders?q=a").headers["Location"] == "/orders?plugin=yunyou&q=a"
    assert browser.post(f"/orders/{order.id}/tell/cancel").status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Order, order.id).state == "cancelling"


def test_a_page_of_an_order_that_somebody_may_not_see_is_not_there(as_holder_of: Any, made: Any) -> None:
    order, browser = made("yunyou"), as_holder_of(READ, CONTROL)

    answers = [browser.get(f"/orders/{order.id}{path}").status_code for path in ("", "/force-cancel")]

    assert answers == [404, 404]
    assert browser.post(f"/orders/{order.id}/tell/cancel").status_code == 404
    assert order.id not in browser.get("/orders").text


def test_the_page_of_an_order_whose_plugin_is_not_enabled_says_so(
    as_holder_of: Any, made: Any, without_yunyou: None
) -> None:
    order, browser = made("yunyou"), as_holder_of(READ, CONTROL)
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    for address in ("/orders", f"/orders/{order.id}"):
        assert "release, of the plugin yunyou that is not enabled" in browser.get(address).text
