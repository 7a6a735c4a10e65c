"""Checking a solution: every problem with its pointer, in words, and nothing dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.errors import ConsoleError
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.parsing import Known
from plugins.yunyou.documents.schema import body_of, schema
from tests.plugins.yunyou.samples import document, large, sample, small, with_app

pytestmark = pytest.mark.req("Y-1")


def problems(given: dict[str, Any], known: Known | None = None) -> dict[str, str]:
    return {error.pointer: error.message.in_("en") for error in parsing.validate(given, known)}


def test_the_samples_have_no_problem_and_are_typed():
    parsed = parsing.parse(json.dumps(document()).encode())

    assert parsing.validate(document("retail-platform")) == []
    assert [app.name for _, app in parsed.applications()] == ["redis", "db", "result", "vote", "worker"]
    assert parsed.products[1].application("vote").kind == "Deployment"
    assert sample("retail-platform").product("ORDERS").application("orders-migrate").kind == "Job"
    assert sample("retail-platform").product("ORDERS").application("cart").kind == "StatefulSet"


def test_problems_of_shape_and_of_meaning_come_together_with_their_pointers():
    broken = document()
    state, vote = broken["products"]
    broken["version"] = ""
    state["applications"][0].update(name="Redis_", replicas="three", image="UPPER/case")
    state["applications"].append("no object")
    state["dependencies"] = [{"product": "VOTE"}]
    vote["applications"][0]["ports"][0]["port"] = 70000
    vote["loadBalancers"][0]["application"] = "nobody"
    del vote["applications"][1]["image"], vote["applications"][1]["name"], vote["version"]

    with pytest.raises(ConsoleError) as caught:
        parsing.parse(json.dumps(broken).encode())

    assert caught.value.code == "YUNYOU/SOLUTION_INVALID"
    found = {error.pointer: error.message for error in caught.value.errors}
    assert set(found) == {
        "/version",
        "/products/0/applications/0/name",
        "/products/0/applications/0/replicas",
        "/products/0/applications/0/image",
        "/products/0/applications/2",
        "/products/0/dependencies",
        "/products/1/version",
        "/products/1/applications/0/ports/0/port",
        "/products/1/applications/1/name",
        "/products/1/applications/1/image",
        "/products/1/loadBalancers/0/application",
        "/products/1/loadBalancers/1/application",
    }
    assert found["/products/0/applications/0/replicas"].in_("en") == "This must be a whole number, not a text."
    assert found["/products/0/applications/0/replicas"].in_("zh") == "此处须为整数，而不是文本。"
    assert "STATE → VOTE → STATE" in found["/products/0/dependencies"].in_("en")
    assert "70000 is too large: at most 65535" in found["/products/1/applications/0/ports/0/port"].in_("en")
    assert str(len(found)) in caught.value.reason.in_("en")


def test_an_application_name_held_twice_names_both_products():
    twice = document()
    twice["products"][1]["applications"][0]["name"] = "redis"
    twice["products"][1]["loadBalancers"].pop(0)

    message = problems(twice)["/products/1/applications/0/name"]

    assert "redis of VOTE" in message
    assert "redis of STATE" in message


def test_a_name_held_by_another_product_of_the_environment_names_both():
    message = problems(document(), Known({}, {"redis": "CACHE"}))["/products/0/applications/0/name"]

    assert "redis of STATE" in message
    assert "CACHE" in message
    assert problems(document(), Known({}, {"redis": "STATE"})) == {}


def test_what_an_environment_has_follows_from_its_baseline():
    running = Known.of(document("retail-platform"))
    given_ = small(
        applications=[{"name": "cart-headless", "image": "a:1"}, {"name": "orders-api-east", "image": "a:1"}],
        loadBalancers=[
            {"name": "platform-lb", "application": "cart-headless", "listeners": [{"port": 80, "targetPort": 80}]}
        ],
        dependencies=[{"product": "ORDERS", "version": ">2.5"}],
    )

    found = problems(given_, running)

    assert list(found) == [
        "/products/0/applications/0/name",
        "/products/0/applications/1/name",
        "/products/0/dependencies/0/version",
        "/products/0/loadBalancers/0/name",
    ]
    assert "ORDERS of the environment" in found["/products/0/applications/1/name"]
    assert problems(document("retail-platform"), running) == {}


@pytest.mark.parametrize(
    ("name", "balancer"),
    [("web", "web"), ("web", "web-headless"), ("lb", "lb")],
)
def test_a_load_balancer_may_not_take_the_name_of_another_service(name: str, balancer: str):
    given = small(
        applications=[{"name": name, "image": "a:1"}],
        loadBalancers=[{"name": balancer, "application": name, "listeners": [{"port": 80, "targetPort": 80}]}],
    )

    assert balancer in problems(given)["/products/0/loadBalancers/0/name"]


@pytest.mark.parametrize(
    ("condition", "known", "told"),
    [
        (">=2.40", {}, "neither in this solution nor in the environment"),
        (">=2.40", {"BASE": "2.39.9"}, "BASE 2.39.9 does not meet the condition >=2.40"),
        (">=2.40", {"BASE": "2.40.0"}, None),
        (">=2.40", {"BASE": "3.0rc1"}, None),
        ("newer than 2", {"BASE": "2.40"}, "is not a version condition"),
        ("", {"BASE": "anything"}, None),
    ],
)
def test_dependencies_are_met_by_the_solution_or_the_environment(
    condition: str, known: dict[str, str], told: str | None
):
    given = small(dependencies=[{"product": "BASE", "version": condition}])

    found = " ".join(problems(given, Known(known)).values())

    assert (told in found) if told else not found


APPLICATION_RULES: list[tuple[dict[str, Any], str]] = [
    ({"image": "no spaces allowed"}, "image"),
    ({"image": "host:5000/UPPER"}, "image"),
    ({"name": "a" * 53}, "name"),
    ({"role": "task", "workload": "Deployment"}, "workload"),
    ({"workload": "Job"}, "workload"),
    ({"dnsPolicy": "None"}, "dnsConfig"),
    ({"ports": [{"port": 80}, {"port": 80}]}, "ports/1/port"),
    ({"ports": [{"port": 80, "name": "Web"}]}, "ports/0/name"),
    ({"ports": [{"port": 80, "name": "web"}, {"port": 81, "name": "web"}]}, "ports/1/name"),
    ({"probes": {"liveness": {"type": "tcp"}}}, "probes/liveness/port"),
    ({"probes": {"liveness": {"type": "tcp", "port": 0}}}, "probes/liveness/port"),
    ({"probes": {"readiness": {"type": "http", "port": 80, "path": "health"}}}, "probes/readiness/path"),
    ({"storage": [{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/b"}]}, "storage/1/name"),
    ({"storage": [{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/a/"}]}, "storage/1/mountPath"),
    ({"storage": [{"name": "a", "mountPath": "/a/../etc"}]}, "storage/0/mountPath"),
    ({"certificates": [{"secret": "Not_A_Name", "mountPath": "/tls"}]}, "certificates/0/secret"),
    ({"nodeAffinity": [{"key": "a b", "operator": "In", "values": ["x"]}]}, "nodeAffinity/0/key"),
    ({"nodeAffinity": [{"key": "zone", "operator": "In", "values": []}]}, "nodeAffinity/0/values"),
    ({"tolerations": [{"operator": "Exists", "key": "a", "value": "b"}]}, "tolerations/0/value"),
    ({"tolerations": [{"operator": "Equal", "value": "b"}]}, "tolerations/0/key"),
    ({"affinity": [{"applications": ["nobody"], "policy": "required"}]}, "affinity/0/applications/0"),
    ({"dependsOn": ["nobody"]}, "dependsOn/0"),
    ({"dependsOn": ["web"]}, "dependsOn"),
    ({"replicas": 10_001}, "replicas"),
    ({"resources": {"cpu": "two"}}, "resources/cpu"),
    ({"resources": {"cpuOversell": 0.5}}, "resources/cpuOversell"),
    ({"parameters": [{"key": "A"}, {"key": "A"}]}, "parameters/1/key"),
    ({"parameters": [{"key": "A", "type": "enum", "value": "x", "options": ["y"]}]}, "parameters/0/value"),
    ({"parameters": [{"key": "A", "type": "enum", "value": "x"}]}, "parameters/0/options"),
    ({"parameters": [{"key": "A", "type": "number", "value": "ten"}]}, "parameters/0/value"),
    ({"parameters": [{"key": "A", "type": "number", "value": True}]}, "parameters/0/value"),
    ({"parameters": [{"key": "A", "type": "boolean", "value": "maybe"}]}, "parameters/0/value"),
]


@pytest.mark.parametrize(("app", "place"), APPLICATION_RULES, ids=[place for _, place in APPLICATION_RULES])
def test_an_application_that_kubernetes_would_refuse_is_refused_here(app: dict[str, Any], place: str):
    assert f"/products/0/applications/0/{place}" in problems(with_app(**app))


def test_values_with_references_are_judged_when_rendered():
    values = [{"key": "A", "type": "number", "value": "${global.port}"}, {"key": "B", "type": "boolean", "value": True}]

    assert problems(with_app(parameters=values)) == {}


RESOURCE_RULES: list[tuple[dict[str, Any], str]] = [
    ({"databases": [{"name": "a", "applications": ["nobody"]}]}, "databases/0/applications/0"),
    ({"databases": [{"name": "a"}, {"name": "a"}]}, "databases/1/name"),
    (
        {"databases": [{"name": "a", "changes": [{"id": "1", "sql": ""}, {"id": "1", "sql": ""}]}]},
        "databases/0/changes/1/id",
    ),
    ({"caches": [{"name": "a"}, {"name": "a"}]}, "caches/1/name"),
    ({"loadBalancers": [{"name": "l", "application": "web", "listeners": []}]}, "loadBalancers/0/listeners"),
    ({"scalingGroups": [{"name": "g", "applications": ["nobody"]}]}, "scalingGroups/0/applications/0"),
    (
        {"scalingGroups": [{"name": "g", "applications": ["web"], "sharedDatabases": ["x"]}]},
        "scalingGroups/0/sharedDatabases/0",
    ),
    (
        {"scalingGroups": [{"name": "g", "applications": ["web"], "cells": [{"name": "c", "replicas": {"x": 1}}]}]},
        "scalingGroups/0/cells/0/replicas/x",
    ),
    (
        {"scalingGroups": [{"name": "g", "applications": ["web"], "cells": [{"name": "c", "replicas": {"web": -1}}]}]},
        "scalingGroups/0/cells/0/replicas/web",
    ),
    ({"scalingGroups": [{"name": "g", "applications": ["web"], "cells": [{"name": "c" * 60}]}]}, "applications/0/name"),
    ({"version": "1\n2"}, "version"),
]


@pytest.mark.parametrize(("product", "place"), RESOURCE_RULES, ids=[place for _, place in RESOURCE_RULES])
def test_resources_that_do_not_fit_their_product_are_refused(product: dict[str, Any], place: str):
    assert f"/products/0/{place}" in problems(small(**product))


def test_unknown_fields_are_kept_and_named():
    given = document()
    given["vendor"] = {"free": "form"}
    given["products"][0]["applications"][0]["ports"][0]["x-note"] = 1

    parsed = parsing.of(given)

    assert parsed.unknown == ("/vendor", "/products/0/applications/0/ports/0/x-note")
    assert parsed.document["vendor"] == {"free": "form"}
    assert parsing.parse(json.dumps(parsed.document).encode()).document == given


def test_the_same_solution_is_recognised_whatever_its_white_space():
    given = document()
    turned = dict(reversed(given.items()))
    other = document()
    other["products"][0]["applications"][0]["replicas"] = 2

    assert parsing.fingerprint(given) == parsing.fingerprint(json.loads(json.dumps(turned, indent=8)))
    assert parsing.fingerprint(given) != parsing.fingerprint(other)


def test_a_whole_number_may_be_written_with_a_point():
    assert parsing.of(with_app(replicas=2.0)).products[0].applications[0].replicas == 2


def test_a_secret_is_not_in_any_repr():
    given = with_app(parameters=[{"key": "PASSWORD", "type": "secret", "value": "hunter2"}])

    parsed = parsing.of(given)

    assert "hunter2" not in repr(parsed) + repr(parsed.products) + repr(parsed.body)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 70000)
    | st.floats(-1, 3, width=16)
    | st.sampled_from(["", "a", "A_b", "10Gi", "x" * 64, "/data", "secret", "Job", "TCP", "none", "a b", "two", "In"])
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


FIELDS = sorted({key for part in schema()["$defs"].values() for key in part.get("properties", ())})
PLACES = places({**document("retail-platform"), "products": document("retail-platform")["products"][2:3]})[1:]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(PLACES),
    SCALARS | st.just([]) | st.just({}) | st.lists(SCALARS, max_size=2),
    st.sampled_from(FIELDS),
)
def test_the_typed_model_and_the_json_schema_agree(place: tuple[Any, ...], value: Any, field: str):
    given_ = {**document("retail-platform"), "products": document("retail-platform")["products"][2:3]}
    owner = given_
    for key in place[:-1]:
        owner = owner[key]
    owner[place[-1]] = value
    if isinstance(owner, dict):
        owner[field] = value

    valid = Draft202012Validator(schema()).is_valid(given_)

    body, errors = body_of(given_)
    assert (body is not None) is valid
    assert bool(errors) is not valid
    parsing.validate(given_)


def test_a_thousand_applications_are_imported():
    raw = json.dumps(large(1000)).encode()

    parsed = parsing.parse(raw)

    assert sum(1 for _ in parsed.applications()) == 1000
