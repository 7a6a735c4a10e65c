"""Drift: where the cluster is not what was last sent, and what is none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.parameters import entries_of
from plugins.yunyou.documents.variables import render_names, setting_of
from plugins.yunyou.manifests.labels import Place
from plugins.yunyou.manifests.objects import marked, render, workload_of
from plugins.yunyou.manifests.pod_template import env_of
from plugins.yunyou.orders.rules import rollout
from plugins.yunyou.planning.rules.difference import Running, difference
from plugins.yunyou.products.rules.drift import drift
from tests.plugins.yunyou.samples import sample, with_app

pytestmark = pytest.mark.req("Y-20", "Y-52")

Json = dict[str, Any]
APP = {
    "replicas": 3,
    "resources": {"cpu": "500m", "memory": "1Gi"},
    "ports": [{"port": 80}],
    "probes": {"readiness": {"type": "http", "port": 80}},
    "parameters": [{"key": "LEVEL", "value": "info"}, {"key": "P", "type": "secret", "value": "x"}],
    "certificates": [{"secret": "tls", "mountPath": "/tls"}],
}
PARSED = parsing.of(with_app(**APP))


def recorded() -> Json:
    product = PARSED.products[0]
    values = env_of("SHOP", product.applications[0], render_names(entries_of(PARSED), setting_of(PARSED)))
    return workload_of(marked(render(product, product.applications[0], Place("shop", "e1"), values), "7", "hash"))


def served() -> Json:
    """What an API server gives back: with its defaults, and quantities in their canonical form."""
    live = copy.deepcopy(recorded())
    live["metadata"].update(uid="u", resourceVersion="5", generation=3, creationTimestamp="2026-03-14T08:00:00Z")
    live["spec"].update(revisionHistoryLimit=10, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain"})
    live["status"] = {"replicas": 3}
    live["spec"]["template"]["metadata"]["creationTimestamp"] = None
    pod = live["spec"]["template"]["spec"]
    pod.update(
        restartPolicy="Always", schedulerName="default-scheduler", securityContext={}, terminationGracePeriodSeconds=30
    )
    container = pod["containers"][0]
    container.update(
        terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File", imagePullPolicy="IfNotPresent"
    )
    container["readinessProbe"].update(timeoutSeconds=1, successThreshold=1)
    container["readinessProbe"]["httpGet"]["scheme"] = "HTTP"
    container["resources"]["limits"]["cpu"] = "0.5"
    pod["volumes"][0]["secret"]["defaultMode"] = 420
    return live


def test_defaults_of_the_api_server_are_no_drift():
    assert drift(recorded(), served()) == ()


def container(live: Json) -> Json:
    return live["spec"]["template"]["spec"]["containers"][0]


CASES: list[tuple[Callable[[Json], object], str, str | None, str | None]] = [
    (lambda live: live["spec"].update(replicas=5), "spec.replicas", "3", "5"),
    (lambda live: container(live).update(image="evil:1"), "image", "registry.example/shop/web:1.0.0", "evil:1"),
    (lambda live: container(live)["env"][0].update(value="debug"), "env[LEVEL].value", "info", "debug"),
    (lambda live: container(live)["env"].append({"name": "X", "value": "1"}), "env[X]", None, "1"),
    (lambda live: container(live)["env"].pop(0), "env[LEVEL]", "info", None),
    (lambda live: container(live)["resources"]["limits"].update(memory="2Gi"), "limits.memory", "1Gi", "2Gi"),
    (lambda live: container(live).update(command=["sh"]), "command", None, '["sh"]'),
    (lambda live: container(live).pop("readinessProbe"), "readinessProbe", "", None),
    (lambda live: live["spec"]["template"]["spec"].update(nodeSelector={"a": "b"}), "nodeSelector", None, '{"a": "b"}'),
    (
        lambda live: live["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "s"}),
        "containers[side]",
        None,
        "",
    ),
    (lambda live: live["metadata"]["labels"].pop("app.kubernetes.io/part-of"), "part-of]", "SHOP", None),
]


@pytest.mark.parametrize(("hand", "field", "before", "after"), CASES, ids=[case[1] for case in CASES])
def test_what_another_hand_changed_is_told_field_by_field(hand: Any, field: str, before: str | None, after: str | None):
    live = served()
    hand(live)

    (change,) = drift(recorded(), live)

    assert change.field.endswith(field)
    assert change.before == before or (before == "" and change.before)
    assert change.after == after or (after == "" and change.after)


def test_a_secret_that_was_replaced_by_a_plain_value_is_told_without_it():
    live = served()
    container(live)["env"][1] = {"name": "P", "value": "hunter2"}

    found = drift(recorded(), live)

    assert [change.field.rpartition(".")[2] for change in found] == ["valueFrom", "value"]
    assert "hunter2" not in str([change.public() for change in found]) + repr(found)


def test_a_rollout_under_way_a_restart_and_an_offline_image_are_no_drift():
    staged = rollout.staged(served(), rollout.stateful_start(3))
    staged["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = "now"
    offline = served()
    container(offline)["image"] = "acloud/containerdefaultimage:1.3"

    assert drift(recorded(), staged) == ()
    assert drift(recorded(), offline, offline_image="acloud/containerdefaultimage:1.3") == ()
    assert drift(recorded(), offline) != ()


def test_drift_is_a_task_of_its_own_beside_the_others():
    live = served()
    live["spec"]["replicas"] = 5
    wanted = parsing.of(with_app(**{**APP, "replicas": 4}))

    found = difference(wanted, Running(PARSED, {"web": live}, {"web": recorded()})).tasks

    assert [(task.kind, task.order) for task in found] == [("scale-out", "operation"), ("drift", "operation")]
    assert found[1].changes[0].after == "5"


def test_a_workload_that_is_gone_is_drift_that_a_release_repairs():
    (task,) = difference(PARSED, Running(PARSED, {})).tasks

    assert (task.kind, task.order, task.workload) == ("drift", "release", "web")
    assert task.changes[0].after is None
    assert difference(PARSED, Running(PARSED)).empty


def test_every_workload_of_the_samples_equals_itself():
    parsed = sample("retail-platform")
    for product, app in parsed.applications():
        workload = workload_of(render(product, app, Place("shop", "e1"), (), order="1"))
        assert drift(workload, copy.deepcopy(workload)) == ()
