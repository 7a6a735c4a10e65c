"""Of a large environment, an order checks and writes what it touches (Y-21, Y-50)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import event, select

from app.db import db
from app.errors import ConsoleError
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.validation import solution
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.products import baseline
from plugins.yunyou.products.models import BaselineApplication, BaselineProduct, GlobalParameter
from tests.plugins.captain.makers import cluster_of
from tests.plugins.yunyou.delivery import app, document

BROKEN = {"replicas": 2, "ports": [{"port": 80}, {"port": 80}]}  # a port twice, which a rule refuses


def environment_document(**of_b: Any) -> dict[str, Any]:
    """Products A (which needs one of B), B and C."""
    made = document(app("a1", dependsOn=[]), app("a2"), code="A")
    made["products"] += document(app("b1", **of_b), app("b2"), code="B")["products"]
    made["products"] += document(app("c1"), code="C")["products"]
    return made


@pytest.mark.req("Y-21")
def test_products_that_stay_the_same_are_not_checked_again() -> None:
    before = environment_document(**BROKEN)  # kept by an earlier version, whose rules were fewer
    after = deepcopy(before)
    after["products"][0]["applications"][0]["replicas"] = 3

    assert solution.touched(before, after) == {"A"}
    assert parsing.of(after, before=before).product("A") is not None
    with pytest.raises(ConsoleError):
        parsing.of(after)


@pytest.mark.req("Y-21")
def test_what_is_touched_is_checked_whole() -> None:
    before = environment_document()
    after = environment_document(**BROKEN)

    with pytest.raises(ConsoleError) as refused:
        parsing.of(after, before=before)

    assert all(error.pointer.startswith("/products/1/") for error in refused.value.errors)


@pytest.mark.req("Y-21")
@pytest.mark.parametrize("what", ["application", "product", "parameter", "shared"])
def test_everything_is_checked_where_something_goes_that_others_may_name(what: str) -> None:
    before = environment_document()
    before["parameters"] = [{"key": "shared", "value": "x"}]
    before["products"][1]["parameters"] = [{"key": "own", "value": "x"}]
    after = deepcopy(before)
    if what == "application":
        after["products"][1]["applications"].pop()
    elif what == "product":
        after["products"].pop(1)
    elif what == "parameter":
        after["products"][1]["parameters"] = []
    else:
        after["parameters"][0]["value"] = "y"

    assert solution.touched(before, after) is None


@pytest.mark.req("Y-50")
def test_the_index_of_a_baseline_is_read_and_written_where_it_changed(tenant: Any) -> None:
    row = Environment(
        tenant_id=tenant.id, name="large", cluster_id=cluster_of(tenant.id), namespace="large", prefix="large"
    )
    db.session.add(row)
    db.session.flush()
    row_id = row.id
    first = environment_document()
    for product in first["products"]:
        product["parameters"] = [{"key": "p", "value": product["code"]}]
    baseline.change(row, lambda _before: first)
    db.session.commit()
    kept = {
        p.name: p.id
        for p in db.session.scalars(select(GlobalParameter).where(GlobalParameter.environment_id == row_id))
    }
    loaded: list[str] = []

    def note(found: Any, _context: Any) -> None:
        loaded.append(found.name)

    second = deepcopy(first)
    second["products"][1]["applications"] = second["products"][1]["applications"][:1]
    second["products"][1]["applications"][0]["image"] = "registry.example/b1:2"
    second["products"][1]["parameters"][0]["value"] = "changed"
    db.session.expunge_all()
    environment = db.session.get_one(Environment, row_id)
    for model in (BaselineApplication, BaselineProduct):
        event.listen(model, "load", note)
    try:
        baseline.change(environment, lambda _before: second)
    finally:
        for model in (BaselineApplication, BaselineProduct):
            event.remove(model, "load", note)
    db.session.commit()

    assert sorted(loaded) == ["B", "b1", "b2"]
    at = BaselineApplication.environment_id == row_id
    images = dict(db.session.execute(select(BaselineApplication.name, BaselineApplication.image).where(at)).all())
    assert (set(images), images["b1"]) == ({"a1", "a2", "b1", "c1"}, "registry.example/b1:2")
    after = {
        p.name: p for p in db.session.scalars(select(GlobalParameter).where(GlobalParameter.environment_id == row_id))
    }
    assert after["product.B.param.p"].value == '"changed"'
    assert {name for name, p in after.items() if kept.get(name) == p.id} == {"product.A.param.p", "product.C.param.p"}
