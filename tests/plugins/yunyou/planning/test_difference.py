"""The difference between a solution and what runs: each kind of task, and the order that completes it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from plugins.yunyou.documents import parameters, parsing
from plugins.yunyou.documents.solution import Solution
from plugins.yunyou.planning.rules.difference import Difference, Running, Task, difference
from tests.plugins.yunyou.samples import document, large, sample, small, with_app

pytestmark = pytest.mark.req("Y-20", "Y-21")


def web(**fields: Any) -> Solution:
    return parsing.of(with_app(**fields))


def tasks(after: Solution, before: Solution | None) -> tuple[Task, ...]:
    return difference(after, Running(before)).tasks


def only(after: Solution, before: Solution | None) -> Task:
    (task,) = tasks(after, before)
    return task


def told(task: Task) -> list[tuple[str, str | None, str | None]]:
    return [(change.field, change.before, change.after) for change in task.changes]


@pytest.mark.parametrize(
    ("before", "after", "kind", "order", "changes"),
    [
        ({"replicas": 2}, {"replicas": 5}, "scale-out", "operation", [("replicas", "2", "5")]),
        ({"replicas": 5}, {"replicas": 0}, "scale-in", "operation", [("replicas", "5", "0")]),
        ({}, {"image": "a:2"}, "deploy", "release", [("image", "registry.example/shop/web:1.0.0", "a:2")]),
        (
            {"parameters": [{"key": "A", "value": "1"}, {"key": "GONE", "value": "x"}]},
            {"parameters": [{"key": "A", "value": "2"}, {"key": "NEW", "value": "y"}]},
            "deploy",
            "release",
            [("parameters.A", "1", "2"), ("parameters.NEW", None, "y"), ("parameters.GONE", "x", None)],
        ),
        (
            {"probes": {"readiness": {"type": "tcp", "port": 80}}},
            {"probes": {"readiness": {"type": "tcp", "port": 81}}, "hostNetwork": True},
            "deploy",
            "release",
            [("probes.readiness.port", "80", "81"), ("hostNetwork", "false", "true")],
        ),
        ({}, {"workload": "Deployment"}, "deploy", "release", [("workload", "StatefulSet", "Deployment")]),
        (
            {"resources": {"cpu": "1", "memory": "1Gi"}},
            {"resources": {"cpu": "2", "memory": "1024Mi", "cpuOversell": 2}},
            "resize",
            "operation",
            [("resources.cpu", "1", "2"), ("resources.cpuOversell", "1", "2")],
        ),
    ],
)
def test_each_change_of_an_application_is_a_task_of_its_kind(
    before: Any, after: Any, kind: str, order: str, changes: Any
):
    task = only(web(**after), web(**before))

    assert (task.kind, task.order, task.product, task.application) == (kind, order, "SHOP", "web")
    assert told(task) == changes


def test_one_application_may_have_several_tasks():
    before, after = web(replicas=1, resources={"cpu": "1"}), web(replicas=2, resources={"cpu": "2"}, image="a:2")

    assert [task.kind for task in tasks(after, before)] == ["deploy", "scale-out", "resize"]


def test_what_reaches_no_cluster_or_means_the_same_is_no_difference():
    before = web(resources={"cpu": "1000m"}, replicas=1)
    after = web(resources={"cpu": "1"}, strategy={"upgrade": "one"}, workload="StatefulSet")

    assert difference(after, Running(before)).empty


def test_everything_of_a_new_product_is_a_first_deployment():
    found = difference(sample(), Running()).products

    assert [(product.code, product.before, product.kinds) for product in found] == [
        ("STATE", None, {"new": 2}),
        ("VOTE", None, {"new": 3}),
    ]
    assert {task.order for product in found for task in product.tasks} == {"release"}


def test_an_application_that_the_new_version_lacks_is_removed_and_other_products_are_left_alone():
    before, shorter = sample(), document()
    shorter["products"][1]["applications"].pop()
    del shorter["products"][0], shorter["products"][0]["dependencies"]

    task = only(parsing.of(shorter), before)

    assert (task.kind, task.application, task.order) == ("removal", "worker", "operation")


def test_a_downgrade_is_warned_of_and_must_be_acknowledged():
    before, after = small(version="2.10.0"), small(version="2.9.1")

    task = only(parsing.of(after), parsing.of(before))

    assert (task.kind, task.acknowledge, told(task)) == ("downgrade", True, [("version", "2.10.0", "2.9.1")])
    assert "2.10.0" in task.warning.in_("en")
    assert "降级" in task.warning.in_("zh")


@pytest.mark.parametrize(("before", "after"), [("1.0", "1.0.1"), ("2.9", "2.10"), ("1.0rc1", "1.0"), ("r9", "r10")])
def test_a_newer_version_alone_is_a_release_and_no_downgrade(before: str, after: str):
    task = only(parsing.of(small(version=after)), parsing.of(small(version=before)))

    assert (task.kind, told(task)) == ("deploy", [("version", before, after)])


def test_topology_specification_and_resources_are_a_change_of_topology():
    base: dict[str, Any] = {"databases": [{"name": "a"}], "topology": "single", "specification": "small"}
    more = {
        "databases": [{"name": "a", "changes": [{"id": "1", "sql": "SELECT 1"}]}, {"name": "b"}],
        "topology": "dual",
        "specification": "large",
    }

    task = only(parsing.of(small(**more)), parsing.of(small(**base)))

    assert (task.kind, task.application) == ("topology", "")
    assert told(task) == [
        ("topology", "single", "dual"),
        ("specification", "small", "large"),
        ("databases[a].changes", None, '["1"]'),
        ("databases[b]", None, "present"),
    ]


def test_a_global_parameter_changes_every_application_that_uses_it_and_no_other():
    def given_(domain: str) -> Solution:
        values = [{"key": "URL", "value": "https://${product.SHOP.param.host}/"}]
        made = small(
            parameters=[{"key": "host", "value": "www.${global.domain}"}],
            applications=[{"name": "web", "image": "a:1", "parameters": values}, {"name": "db", "image": "a:1"}],
        )
        return parsing.of({**made, "parameters": [{"key": "domain", "value": domain}]})

    found = difference(given_("b.test"), Running(given_("a.test")))

    assert [(task.application, told(task)) for task in found.tasks] == [
        ("web", [("parameters.URL", "https://www.a.test/", "https://www.b.test/")])
    ]
    assert [change.field for change in found.parameters] == ["global.domain"]
    assert [(change.field, change.before) for change in found.products[0].parameters] == [
        ("product.SHOP.param.host", "www.a.test"),
        ("SHOP/web.URL", "https://www.a.test/"),
    ]


def test_secrets_are_compared_but_never_shown():
    def given_(value: str) -> Solution:
        return web(parameters=[{"key": "P", "type": "secret", "value": value}])

    task = only(given_("hunter3"), given_("hunter2"))

    assert "hunter" not in repr(task)
    assert task.changes[0].public() == {"field": "parameters.P", "before": "••••••", "after": "••••••", "secret": True}
    assert tasks(given_("hunter2"), given_("hunter2")) == ()


def test_a_parameter_without_a_value_keeps_what_the_environment_has():
    before = web(parameters=[{"key": "P", "type": "secret", "value": "hunter2"}])

    assert tasks(web(parameters=[{"key": "P", "type": "secret"}]), before) == ()


def test_the_decisions_of_the_plan_count():
    before, after = web(parameters=[{"key": "A", "value": "1"}]), web(parameters=[{"key": "A", "value": "2"}])
    entries = parameters.resolve_all(parameters.entries_of(after, {"SHOP/web.A": "1"}), "current")

    assert difference(after, Running(before), entries=entries).empty
    assert not difference(after, Running(before)).empty


def test_cells_are_compared_one_by_one():
    before, changed = sample("retail-platform"), document("retail-platform")
    east, west = changed["products"][2]["scalingGroups"][0]["cells"]
    east["replicas"]["orders-api"] = 8
    west["resources"]["orders-api"]["cpu"] = "2"
    changed["products"][2]["scalingGroups"][0]["cells"].append({"name": "north"})

    found = {(task.kind, task.workload) for task in tasks(parsing.of(changed), before)}

    assert found == {
        ("scale-out", "orders-api-east"),
        ("resize", "orders-api-west"),
        ("new", "orders-api-north"),
        ("new", "orders-worker-north"),
    }


def with_tests(version: str = "1.0.0", image: str = "test:1", **web_: Any) -> dict[str, Any]:
    apps = [
        {"name": "web", "image": "a:1", **web_},
        {"name": "migrate", "image": "m:1", "role": "task"},
        {"name": "smoke", "image": image, "role": "test"},
    ]
    return small(version=version, applications=apps)


def test_a_test_is_due_only_once_everything_is_deployed():
    deployed = with_tests()
    deployed["products"][0]["applications"].pop()
    running = parsing.of(deployed)

    assert [task.kind for task in tasks(parsing.of(with_tests(image="test:2", replicas=2)), running)] == ["scale-out"]
    due = only(parsing.of(with_tests()), running)
    assert (due.kind, due.order, due.application) == ("test", "test", "smoke")
    assert tasks(parsing.of(with_tests()), parsing.of(with_tests())) == ()


@pytest.mark.req("Y-30")
def test_a_task_of_the_first_release_does_not_run_again_with_another_image():
    before, after = with_tests(), with_tests(version="1.1.0")
    for given_, image in ((before, "m:1"), (after, "m:2")):
        given_["products"][0]["applications"][1] |= {"task": {"runOn": "first-release"}, "image": image}
    assert "migrate" not in [task.application for task in tasks(parsing.of(after), parsing.of(before))]


@pytest.mark.req("Y-30")
@pytest.mark.parametrize(
    ("run_on", "version", "replicas", "image", "runs"),
    [
        ("version-change", "1.1.0", 1, "a:1", True),
        ("version-change", "1.0.0", 1, "a:2", False),
        ("every-release", "1.0.0", 1, "a:2", True),
        ("every-release", "1.0.0", 2, "a:1", False),
        ("first-release", "1.1.0", 1, "a:2", False),
    ],
)
def test_a_one_off_task_runs_when_it_says(run_on: str, version: str, replicas: int, image: str, runs: bool):
    before, after = with_tests(), with_tests(version=version, replicas=replicas)
    after["products"][0]["applications"][0]["image"] = image
    for given_ in (before, after):
        given_["products"][0]["applications"][1]["task"] = {"runOn": run_on}

    found = [task.application for task in tasks(parsing.of(after), parsing.of(before))]

    assert ("migrate" in found) is runs


def test_a_thousand_applications_are_compared():
    before, changed = parsing.of(large(1000)), copy.deepcopy(large(1000))
    for product in changed["products"]:
        product["applications"][0]["image"] = "registry.example/large/next:2"
    after = parsing.of(changed)

    found: Difference = difference(after, Running(before))

    assert len(found.tasks) == 50
