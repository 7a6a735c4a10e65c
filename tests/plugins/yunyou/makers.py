"""Objects of a tenant's deliveries, for tests that walk the routes. They belong together: one set for each tenant."""

from __future__ import annotations

import json
from functools import lru_cache

from app.db import db, now
from app.orders.models import Order, OrderNode
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.products.models import Baseline, BaselineApplication, BaselineProduct
from plugins.yunyou.solutions.models import PLANNING, PLANS, PlanTask, Solution
from tests import factories
from tests.factories.objects import maker
from tests.plugins.captain.makers import cluster_of
from tests.plugins.yunyou.delivery import app, document

PRODUCT, APPLICATION, POD = "SHOP", "cart", "cart-0"
AREAS = (
    "yunyou_environments",
    "orders",
    "yunyou_orders",
    "yunyou_order_pods",
    "yunyou_products",
    "yunyou_releases",
    "yunyou_rollbacks",
    "yunyou_solutions",
    "yunyou",
)


@lru_cache
def environment_of(tenant_id: str) -> str:
    """An environment with a product of one application."""
    row = Environment(
        tenant_id=tenant_id,
        name=factories.unique("env"),
        cluster_id=cluster_of(tenant_id),
        namespace="shop",
        prefix="shop",
    )
    db.session.add(row)
    db.session.flush()
    db.session.add(
        Baseline(environment_id=row.id, document=json.dumps(document(app(APPLICATION), code=PRODUCT)), changed_at=now())
    )
    at = {"tenant_id": tenant_id, "environment_id": row.id, "release": "1.0.0", "changed_at": now()}
    db.session.add(BaselineProduct(code=PRODUCT, name="Shop", **at))
    run = {"workload": "Deployment", "image": "registry.example/shop/cart:1.0.0", "objects": "[]"}
    db.session.add(BaselineApplication(product=PRODUCT, name=APPLICATION, **run, **at))
    db.session.commit()
    return row.id


@lru_cache
def solution_of(tenant_id: str) -> str:
    """A solution that is being planned."""
    row = Solution(
        tenant_id=tenant_id,
        environment_id=environment_of(tenant_id),
        name="shop",
        release="1.0.0",
        fingerprint="0" * 64,
        state=PLANNING,
        products=[],
        applications=1,
        unknown=[],
        overrides={},
        document=json.dumps(document(app(APPLICATION), code=PRODUCT)),
        parameters="{}",
        imported_by="test",
        given_up=[],
    )
    db.session.add(row)
    db.session.flush()
    db.session.add_all(PlanTask(solution_id=row.id, kind=kind) for kind in PLANS)
    db.session.commit()
    return row.id


@lru_cache
def order_of(tenant_id: str) -> tuple[str, str]:
    """An order and its only node."""
    row = Order(
        tenant_id=tenant_id,
        plugin="yunyou",
        type="release",
        title="Shop",
        state="waiting",
        plan={"applications": {}},
        plan_hash="0" * 64,
        options={},
        principal={},
        creator="test",
        trace_id="0" * 32,
        environment_id=environment_of(tenant_id),
    )
    db.session.add(row)
    db.session.flush()
    node = OrderNode(
        order_id=row.id,
        key="cart",
        position=0,
        kind="step",
        name=APPLICATION,
        after=[],
        spec={},
        state="waiting",
        step="x",
    )
    db.session.add(node)
    db.session.commit()
    return row.id, node.id


maker("environment_id")(environment_of)
maker("solution_id")(solution_of)
maker("order_id")(lambda tenant_id: order_of(tenant_id)[0])
maker("node_id")(lambda tenant_id: order_of(tenant_id)[1])
for _area in AREAS:
    maker(f"{_area}:kind")(lambda _: "images")
    maker(f"{_area}:verb")(lambda _: "pause")
    maker(f"{_area}:product", f"{_area}:code")(lambda _: PRODUCT)
    maker(f"{_area}:app")(lambda _: APPLICATION)
maker("yunyou_products:name")(lambda _: APPLICATION)
maker("yunyou_order_pods:name")(lambda _: POD)
