"""The baseline document: export, return, how orders change it, and what a rollback returns to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.yunyou.documents import parsing
from plugins.yunyou.orders.rules import rollback
from plugins.yunyou.planning.rules.difference import Running, difference
from plugins.yunyou.products.rules import baseline
from tests.plugins.yunyou.samples import document, small

AT = "2026-03-14T08:00:00Z"


def everything(given_: dict[str, Any]) -> dict[str, Any]:
    """The baseline after all of a solution was released and tested."""
    made = baseline.empty("site")
    for product in given_["products"]:
        made = baseline.released(made, given_, product["code"], [app["name"] for app in product["applications"]])
    return made


@st.composite
def sites(draw: st.DrawFn) -> dict[str, Any]:
    """Some products of the retail sample, changed in what may change."""
    made = document("retail-platform")
    made["products"] = made["products"][: draw(st.integers(1, 6))]
    for product in made["products"]:
        product["version"] = draw(st.sampled_from([product["version"], "2026.1+b7", "v3-final"]))
        product["dependencies"] = [{"product": need["product"]} for need in product.get("dependencies", ())]
        for app in draw(st.lists(st.sampled_from(product["applications"]), max_size=3)):
            app["replicas"] = draw(st.integers(0, 40))
            app.setdefault("parameters", [])
            app["parameters"] = [
                *[p for p in app["parameters"] if p["key"] not in ("EXTRA", "TOKEN")],
                {
                    "key": "EXTRA",
                    "value": draw(st.text(alphabet="a$(){}é漢 \n", max_size=6).filter(lambda t: "${" not in t)),
                },
                {"key": "TOKEN", "type": "secret", "value": draw(st.text(min_size=1, alphabet="abc$"))},
            ]
            app["x-vendor"] = draw(st.sampled_from([None, 1, {"a": [1]}]))
    return made


@pytest.mark.req("Y-50", "Y-96")
@settings(max_examples=40, deadline=None)
@given(sites())
def test_an_exported_baseline_returned_as_a_solution_gives_no_difference(given_: dict[str, Any]):
    running = everything(given_)

    file = json.dumps(baseline.exported(running, {"name": "site-1"}, AT)).encode()
    again = parsing.parse(file)

    assert difference(again, Running(parsing.of(running))).empty
    assert difference(parsing.of(given_), Running(parsing.of(running))).empty


@pytest.mark.req("Y-50")
def test_an_export_has_the_environment_and_no_secret():
    running = everything(document("retail-platform"))

    made = baseline.exported(running, {"name": "site-1", "prefix": "shop"}, AT)

    assert (made["schema"], made["environment"]["prefix"], made["exportedAt"]) == ("antstack.baseline/v1", "shop", AT)
    assert parsing.parse(json.dumps(made).encode()).is_baseline
    assert "demo-only" not in json.dumps(made)
    assert "${db.retail_orders.password}" in json.dumps(made)
    assert "demo-only" in json.dumps(running)
    mixed = small(parameters=[{"key": "a", "type": "secret", "value": "hunter2${global.x}"}])
    assert "hunter2" not in json.dumps(baseline.exported(mixed, {}, AT))


@pytest.mark.req("Y-20", "Y-50")
def test_a_release_changes_only_what_it_released_and_leaves_replicas_and_size():
    first = small(
        applications=[
            {"name": "web", "image": "a:1", "replicas": 2, "resources": {"cpu": "1"}},
            {"name": "db", "image": "b:1"},
        ]
    )
    second = small(
        version="2.0.0",
        applications=[
            {"name": "web", "image": "a:2", "replicas": 9},
            {"name": "db", "image": "b:2"},
            {"name": "new", "image": "c:1", "replicas": 4},
        ],
    )

    made = baseline.released(everything(first), second, "SHOP", ["web", "new"])

    (product,) = made["products"]
    assert product["version"] == "2.0.0"
    assert product["applications"] == [
        {"name": "web", "image": "a:2", "replicas": 2, "resources": {"cpu": "1"}},
        {"name": "db", "image": "b:1"},
        {"name": "new", "image": "c:1", "replicas": 4},
    ]
    assert {(t.kind, t.application) for t in difference(parsing.of(second), Running(parsing.of(made))).tasks} == {
        ("scale-out", "web"),
        ("resize", "web"),
        ("deploy", "db"),
    }


@pytest.mark.req("Y-60")
def test_a_new_version_makes_its_tests_due_again():
    def given_(version: str) -> dict[str, Any]:
        apps = [{"name": "web", "image": f"a:{version}"}, {"name": "smoke", "image": "s:1", "role": "test"}]
        return small(version=version, applications=apps)

    made = baseline.released(everything(given_("1")), given_("2"), "SHOP", ["web"])

    assert [task.kind for task in difference(parsing.of(given_("2")), Running(parsing.of(made))).tasks] == ["test"]


@pytest.mark.req("Y-50")
def test_operations_and_removals_are_noted():
    running = everything(document())

    scaled = baseline.operated(running, "VOTE", "vote", replicas=7, resources={"cpu": "2"})
    without = baseline.removed(running, "VOTE", ["vote", "worker"])

    vote = next(app for app in scaled["products"][1]["applications"] if app["name"] == "vote")
    assert (vote["replicas"], vote["resources"]) == (7, {"cpu": "2"})
    assert [app["name"] for app in without["products"][1]["applications"]] == ["result"]
    assert [product["code"] for product in baseline.removed(without, "VOTE", ["result"])["products"]] == ["STATE"]
    assert [product["code"] for product in baseline.removed(running, "STATE")["products"]] == ["VOTE"]
    assert running == everything(document())


@pytest.mark.req("Y-4", "Y-50")
def test_the_values_in_effect_are_what_is_recorded():
    given_ = small(parameters=[{"key": "a", "value": "1"}, {"key": "b"}, {"key": "c", "value": "x"}])

    made = baseline.with_values(
        given_, {"product.SHOP.param.a": "2", "product.SHOP.param.b": True, "product.SHOP.param.c": None}
    )

    assert made["products"][0]["parameters"] == [{"key": "a", "value": "2"}, {"key": "b", "value": True}, {"key": "c"}]
    assert given_["products"][0]["parameters"][0]["value"] == "1"


def product(version: str, **web: Any) -> dict[str, Any]:
    apps = [{"name": "web", "image": f"a:{version}", **web}, {"name": "db", "image": f"b:{version}"}]
    return small(version=version, applications=apps, databases=[{"name": f"v{version}"}])["products"][0]


@pytest.mark.req("Y-37")
def test_a_product_returns_to_an_earlier_success_without_its_databases_and_size():
    now = product("3", replicas=9)
    then = product("1", replicas=1)

    made = rollback.returned(now, then)
    part = rollback.returned(now, then, ["db"])

    assert made["version"] == "1"
    assert made["applications"] == [{"name": "web", "image": "a:1", "replicas": 9}, {"name": "db", "image": "b:1"}]
    assert made["databases"] == [{"name": "v3"}]
    assert (part["version"], [app["image"] for app in part["applications"]]) == ("3", ["a:3", "b:1"])


@pytest.mark.req("Y-39")
def test_the_rollback_of_an_order_returns_what_it_changed_and_keeps_what_others_changed_since():
    before = {"name": "web", "image": "a:1", "replicas": 2}
    after = {"name": "web", "image": "a:2", "replicas": 2, "args": ["x"]}
    now = {**after, "replicas": 7}

    assert rollback.undone(before, after, now) == {"name": "web", "image": "a:1", "replicas": 7}
    assert rollback.undone(None, after, now) is None
    assert rollback.undone(before, None, None) == before
