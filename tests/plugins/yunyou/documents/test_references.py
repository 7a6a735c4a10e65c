"""Rendering of parameters: references, circles, secrets, and what only the execution knows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ConsoleError
from plugins.yunyou.documents import parameters, parsing, variables
from plugins.yunyou.documents.rendering import Rendering, Source, render
from plugins.yunyou.documents.values import as_text
from plugins.yunyou.documents.variables import Output, Setting
from tests.plugins.yunyou.samples import sample, small

pytestmark = pytest.mark.req("Y-4")


def rendered(**values: str) -> dict[str, Rendering]:
    made = render({f"global.{key}": Source(value) for key, value in values.items()})
    return {name.removeprefix("global."): rendering for name, rendering in made.items()}


def plan(given_: dict[str, Any], known: dict[str, Output] | None = None) -> dict[str, parameters.Entry]:
    parsed = parsing.of(given_)
    entries = parameters.render(parameters.entries_of(parsed), variables.setting_of(parsed, known))
    return {entry.name: entry for entry in entries}


def test_references_of_all_levels_and_resources_are_replaced():
    given_ = small(
        parameters=[{"key": "url", "value": "https://${lb.shop-lb.domain}"}],
        applications=[
            {
                "name": "web",
                "image": "a:1",
                "parameters": [
                    {"key": "URL", "value": "${product.SHOP.param.url}/v${product.SHOP.version}"},
                    {"key": "DB", "value": "${ db.orders.host }:${db.orders.port}/${db.orders.schema}"},
                    {"key": "FILES", "value": "${bucket.pictures.endpoint}/${bucket.pictures.name}"},
                    {"key": "CACHE", "value": "${cache.sessions.host}"},
                ],
            }
        ],
        databases=[{"name": "orders"}],
        buckets=[{"name": "pictures"}],
        caches=[{"name": "sessions"}],
        loadBalancers=[
            {
                "name": "shop-lb",
                "application": "web",
                "domain": "www.${global.domain}",
                "listeners": [{"port": 80, "targetPort": 80}],
            }
        ],
    )
    given_["parameters"] = [{"key": "domain", "value": "example.test"}]
    known = {
        "db.orders.host": Output("10.0.0.7"),
        "db.orders.port": Output("3306"),
        "cache.sessions.host": Output("10.0.0.8"),
    }

    found = plan(given_, {**known, "bucket.pictures.endpoint": Output("http://s3")})

    assert {name.partition(".")[2]: entry.rendering.text for name, entry in found.items() if "/" in name} == {
        "URL": "https://www.example.test/v1.0.0",
        "DB": "10.0.0.7:3306/orders",
        "FILES": "http://s3/pictures",
        "CACHE": "10.0.0.8",
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("$${global.a}", "${global.a}"),
        ("$$${global.a}", "$${global.a}"),
        ("${ global.a }$", "1$"),
        ("$(HOME) $HOME {x}", "$(HOME) $HOME {x}"),
        ("${global.a}${global.a}", "11"),
        ("", ""),
    ],
)
def test_what_is_escaped_or_no_reference_stays(written: str, read: str):
    assert rendered(a="1", b=written)["b"].text == read


@pytest.mark.parametrize("written", ["${global.a", "${}", "${a b.c}", "${${global.a}}", "${global}", "${global.}"])
def test_a_reference_that_cannot_be_read_is_an_error_of_its_parameter_alone(written: str):
    found = rendered(a="1", b=written, c="${global.a}")

    assert found["b"].error
    assert found["b"].text is None
    assert found["c"].text == "1"


def test_an_unknown_reference_names_what_is_near():
    error = rendered(domain="x", b="${global.domian}")["b"].error

    assert "${global.domian}" in error.in_("en")
    assert "${global.domain}" in error.in_("en")
    assert "${global.domain}" in error.in_("zh")


def test_a_circle_is_shown_and_does_not_stop_the_others():
    found = rendered(a="${global.b}", b="x${global.c}", c="${global.a}", d="${global.a}", e="fine", f="${global.f}")

    assert "global.a → global.b → global.c → global.a" in found["a"].error.in_("en")
    assert "global.b → global.c → global.a → global.b" in found["b"].error.in_("en")
    assert "global.f → global.f" in found["f"].error.in_("en")
    assert "${global.a}" in found["d"].error.in_("en")
    assert found["e"].text == "fine"


def test_a_chain_of_fifty_thousand_values_needs_no_recursion():
    chain = {f"k{at}": f"${{global.k{at + 1}}}" for at in range(50_000)}

    assert rendered(**chain, k50000="end")["k0"].text == "end"


def test_values_that_double_at_each_step_are_stopped():
    doubling = {f"k{at}": f"${{global.k{at + 1}}}" * 2 for at in range(60)}

    found = rendered(**doubling, k60="laugh")

    assert [name for name in found if found[name].error and "longer than" in found[name].error.in_("en")] == ["k45"]
    assert found["k59"].text == "laughlaugh"


def test_what_the_cluster_allocates_is_left_open_and_resolved_at_execution():
    parsed = sample()
    entries = parameters.entries_of(parsing.of(_with_value("http://${lb.vote-lb.address}:${lb.vote-lb.port}")))
    made = variables.render_names(entries, variables.setting_of(parsed))["VOTE/vote.A"]

    assert made.text is None
    assert made.open == ("lb.vote-lb.address",)
    assert made.shown() == "http://${lb.vote-lb.address}:80"
    assert made.resolved({"lb.vote-lb.address": "10.1.2.3"}.get) == "http://10.1.2.3:80"
    with pytest.raises(ConsoleError) as caught:
        made.resolved(lambda name: None, "A")
    assert caught.value.code == "YUNYOU/PARAMETER_UNRESOLVED"
    assert "${lb.vote-lb.address}" in caught.value.reason.in_("en")


def _with_value(value: str) -> dict[str, Any]:
    given_ = sample().document
    vote = next(app for app in given_["products"][1]["applications"] if app["name"] == "vote")
    return {
        **given_,
        "products": [
            given_["products"][0],
            {
                **given_["products"][1],
                "applications": [
                    {**app, "parameters": [{"key": "A", "value": value}]} if app is vote else app
                    for app in given_["products"][1]["applications"]
                ],
            },
        ],
    }


def test_what_is_made_from_a_secret_is_a_secret_and_never_shown():
    given_ = small(
        databases=[{"name": "orders"}],
        applications=[
            {
                "name": "web",
                "image": "a:1",
                "parameters": [
                    {"key": "DSN", "value": "mysql://u:${db.orders.password}@h"},
                    {"key": "TOKEN", "type": "secret", "value": "hunter2"},
                    {"key": "URL", "value": "http://${global.key}"},
                ],
            }
        ],
    )
    given_["parameters"] = [{"key": "key", "type": "secret", "value": "hunter3"}]

    found = plan(given_, {"db.orders.password": Output("hunter4", secret=True)})

    assert found["SHOP/web.DSN"].rendering.text == "mysql://u:hunter4@h"
    assert all(found[f"SHOP/web.{key}"].secret for key in ("DSN", "TOKEN", "URL"))
    shown = repr(found) + str([entry.public() for entry in found.values()]) + repr(Output("hunter5", secret=True))
    assert "hunter" not in shown
    assert "••••••" in shown


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "boolean", "true"),
        (False, "string", "false"),
        ("TRUE", "boolean", "true"),
        (8080, "number", "8080"),
        (1.5, "number", "1.5"),
        (1e-7, "number", "0.0000001"),
        (12345678901234567890, "number", "12345678901234567890"),
        ("1.50", "number", "1.50"),
    ],
)
def test_values_become_the_text_of_an_environment_variable(value: Any, kind: str, text: str):
    assert as_text(value, kind) == text


def test_a_rendered_value_must_fit_its_type():
    given_ = small(
        applications=[
            {
                "name": "web",
                "image": "a:1",
                "parameters": [
                    {"key": "PORT", "type": "number", "value": "${global.port}"},
                    {"key": "LEVEL", "type": "enum", "options": ["info", "warn"], "value": "${global.port}"},
                ],
            }
        ]
    )
    given_["parameters"] = [{"key": "port", "value": "eighty"}]

    found = plan(given_)

    assert "must be a number" in found["SHOP/web.PORT"].rendering.error.in_("en")
    assert "info, warn" in found["SHOP/web.LEVEL"].rendering.error.in_("en")


def test_a_cell_gives_its_name_to_grouped_applications_alone():
    values = [{"key": "CELL", "value": "${cell.name}-${cell.shard}"}]
    given_ = small(
        applications=[
            {"name": "web", "image": "a:1", "parameters": values},
            {"name": "alone", "image": "a:1", "parameters": values},
        ],
        scalingGroups=[{"name": "g", "applications": ["web"], "cells": [{"name": "east", "parameters": {"shard": 1}}]}],
    )
    parsed = parsing.of(given_)
    entries, setting = parameters.entries_of(parsed), variables.setting_of(parsed)

    common = variables.render_names(entries, setting)
    east = variables.render_cell(entries, setting, parsed.products[0].scaling_groups[0].cells[0])

    assert common["SHOP/web.CELL"].open == ("cell.name", "cell.shard")
    assert "no scaling group" in common["SHOP/alone.CELL"].error.in_("en")
    assert east["SHOP/web.CELL"].text == "east-1"


KEYS = st.sampled_from([f"k{at}" for at in range(8)])
PIECES = st.one_of(
    st.sampled_from(["a", "$", "{", "}", "$${", "${", " ", "${global.}"]), KEYS.map(lambda key: "${global." + key + "}")
)
TABLES = st.dictionaries(KEYS, st.lists(PIECES, max_size=4).map("".join), max_size=8)


@settings(max_examples=300, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_rendering_ends_whatever_the_order_and_never_halfway(table: dict[str, str], random: Any):
    turned = list(table.items())
    random.shuffle(turned)

    found = rendered(**table)

    assert {name: rendering.text for name, rendering in rendered(**dict(turned)).items()} == {
        name: rendering.text for name, rendering in found.items()
    }
    for name, rendering in found.items():
        assert (rendering.text is None) is (rendering.error is not None)
        if rendering.error is None and "$${" not in "".join(table.values()):
            assert "${" not in rendering.text, name


def test_an_open_source_stays_open_in_whatever_uses_it():
    setting = Setting({"db.a.host": Output()})
    parsed = parsing.of(
        small(parameters=[{"key": "x", "value": "${db.a.host}!"}, {"key": "y", "value": "<${product.SHOP.param.x}>"}])
    )

    made = variables.render_names(parameters.entries_of(parsed), setting)

    assert made["product.SHOP.param.y"].resolved(lambda name: name.upper()) == "<DB.A.HOST!>"
