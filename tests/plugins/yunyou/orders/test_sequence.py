"""The order of products and applications, circles, and orders that a person made."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ConsoleError
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import Product
from plugins.yunyou.orders.rules import sequence
from tests.plugins.yunyou.samples import sample, small

pytestmark = pytest.mark.req("Y-22")

NEEDS = {"SHOP": ["CART", "BASE"], "CART": ["BASE"], "BASE": ["OUTSIDE"], "NEWS": ["BASE"]}


def product(*apps: dict[str, Any]) -> Product:
    return parsing.of(small(applications=[{"image": "a:1", **app} for app in apps])).products[0]


def test_products_that_need_nothing_of_each_other_share_a_layer():
    assert sequence.product_layers(NEEDS) == [["BASE"], ["CART", "NEWS"], ["SHOP"]]
    assert sequence.product_layers(sequence.dependencies_of(sample("retail-platform").products)) == [
        ["PLATFORM"],
        ["CATALOG"],
        ["ORDERS"],
        ["PAYMENTS", "WAREHOUSE"],
        ["STOREFRONT"],
    ]


def test_a_circle_is_refused_and_named():
    with pytest.raises(ConsoleError) as caught:
        sequence.product_layers({"A": ["B"], "B": ["C"], "C": ["A"], "D": ["A"], "E": []})

    assert caught.value.code == "YUNYOU/DEPENDENCY_CYCLE"
    assert "A → B → C → A" in caught.value.reason.in_("en")


def test_an_order_made_by_hand_is_allowed_but_told_where_it_goes_against_a_dependency():
    assert sequence.check_sequence([["BASE"], ["CART", "NEWS"], ["SHOP"]], NEEDS) == []

    warnings = [text.in_("en") for text in sequence.check_sequence([["SHOP"], ["BASE", "CART", "NEWS"]], NEEDS)]

    assert warnings == [
        "SHOP needs CART, but would be released before it.",
        "SHOP needs BASE, but would be released before it.",
        "CART needs BASE, but would be released at the same time as it.",
        "NEWS needs BASE, but would be released at the same time as it.",
    ]


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ([["BASE"], ["CART", "NEWS"]], "leaves out SHOP"),
        ([["BASE", "BASE"], ["CART", "NEWS", "SHOP"]], "BASE twice"),
        ([["BASE", "OTHER"], ["CART", "NEWS", "SHOP"]], "OTHER is not part"),
    ],
)
def test_an_order_that_does_not_hold_each_product_once_is_refused(given_: list[list[str]], words: str):
    with pytest.raises(ConsoleError) as caught:
        sequence.check_sequence(given_, NEEDS)

    assert caught.value.code == "YUNYOU/SEQUENCE_REFUSED"
    assert words in caught.value.reason.in_("en")


def test_applications_wait_for_what_they_depend_on_and_tasks_come_before_or_after():
    made = sequence.application_layers(
        product(
            {"name": "web", "dependsOn": ["db"]},
            {"name": "db"},
            {"name": "cache"},
            {"name": "migrate", "role": "task", "dependsOn": ["db"]},
            {"name": "warm-up", "role": "task", "task": {"when": "after"}},
            {"name": "smoke", "role": "test"},
        )
    )

    assert made.layers == [["db"], ["migrate"], ["web", "cache"], ["warm-up"]]
    assert made.tests == ("smoke",)


def test_leaving_an_application_out_keeps_the_order_of_the_others():
    chain = product({"name": "c", "dependsOn": ["b"]}, {"name": "b", "dependsOn": ["a"]}, {"name": "a"})

    assert sequence.application_layers(chain, exclude={"b"}).layers == [["a"], ["c"]]


def test_a_chosen_order_replaces_the_default_and_is_told_where_it_differs():
    chain = product({"name": "c", "dependsOn": ["b"]}, {"name": "b", "dependsOn": ["a"]}, {"name": "a"})

    made = sequence.application_layers(chain, after={"c": []})

    assert made.layers == [["c", "a"], ["b"]]
    assert [text.in_("en") for text in made.warnings] == ["c waits for b by default, but not in this order."]
    for after in ({"c": ["nobody"]}, {"nobody": []}, {"a": ["c"]}):
        with pytest.raises(ConsoleError):
            sequence.application_layers(chain, after=after)


NAMES = [f"p{at}" for at in range(10)]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3)))
def test_every_product_comes_after_all_that_it_needs_or_a_circle_is_named(needs: dict[str, list[str]]):
    try:
        made = sequence.product_layers(needs)
    except ConsoleError as error:
        circle = error.reason.in_("en").partition(": ")[2].split("; ")[0].split(" → ")
        assert all(after in needs[before] for before, after in pairwise(circle))
        assert circle[0] == circle[-1]
        return
    place = {code: at for at, layer in enumerate(made) for code in layer}
    assert set(place) == set(needs)
    assert all(place[need] < place[code] for code in needs for need in needs[code] if need in needs)
    assert sequence.check_sequence(made, needs) == []
