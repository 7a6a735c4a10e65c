"""Creating, changing and deleting single objects: patches, versions, names, what may not change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.api import JSON_PATCH, MERGE, STRATEGIC, Api, config_map, container, template, wait_for, workload

MAPS, DEPLOYMENTS, STATEFUL, SERVICES = "v1/configmaps", "apps/v1/deployments", "apps/v1/statefulsets", "v1/services"


@pytest.fixture
def web(api: Api) -> Api:
    """A Deployment without pods."""
    obj = workload("Deployment", "web", 0)
    obj["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    api.made(DEPLOYMENTS, obj)
    return api


def test_a_merge_patch_replaces_lists_and_removes_nulls(web: Api) -> None:
    containers = [container("app:2")]
    web.patch(DEPLOYMENTS, "web", {"spec": {"template": {"spec": {"containers": containers}}, "paused": True}})

    made = web.patch(DEPLOYMENTS, "web", {"spec": {"paused": None}}).body

    assert "paused" not in made["spec"]
    assert "env" not in made["spec"]["template"]["spec"]["containers"][0]


def test_a_strategic_patch_merges_lists_by_their_keys(web: Api) -> None:
    env = {"name": "app", "env": [{"name": "B", "value": "2"}], "ports": [{"containerPort": 80}]}
    patch = {"spec": {"template": {"spec": {"containers": [env, {"name": "side", "image": "side:1"}]}}}}

    containers = web.patch(DEPLOYMENTS, "web", patch, STRATEGIC).body["spec"]["template"]["spec"]["containers"]

    assert [c["name"] for c in containers] == ["app", "side"]
    assert {v["name"]: v["value"] for v in containers[0]["env"]} == {"A": "1", "B": "2"}
    assert containers[0]["image"] == "app:1"
    assert containers[0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_a_strategic_patch_deletes_items_and_retains_keys(web: Api) -> None:
    env = {"name": "app", "env": [{"name": "A", "$patch": "delete"}]}
    strategy = {"$retainKeys": ["type"], "type": "Recreate"}
    patch = {"spec": {"strategy": strategy, "template": {"spec": {"containers": [env]}}}}

    spec = web.patch(DEPLOYMENTS, "web", patch, STRATEGIC).body["spec"]

    assert spec["strategy"] == {"type": "Recreate"}
    assert not spec["template"]["spec"]["containers"][0].get("env")


def test_a_json_patch_works_by_paths(web: Api) -> None:
    image = "/spec/template/spec/containers/0/image"
    made = web.patch(
        DEPLOYMENTS,
        "web",
        [{"op": "test", "path": image, "value": "app:1"}, {"op": "replace", "path": image, "value": "app:9"}],
        JSON_PATCH,
    )
    failed = web.patch(DEPLOYMENTS, "web", [{"op": "test", "path": image, "value": "other"}], JSON_PATCH)

    assert made.body["spec"]["template"]["spec"]["containers"][0]["image"] == "app:9"
    assert failed.status == 422


def test_an_old_version_is_a_conflict(web: Api) -> None:
    obj = web.get(DEPLOYMENTS, "web").body
    web.patch(DEPLOYMENTS, "web", {"metadata": {"labels": {"a": "b"}}})

    refused = web.call("PUT", web.path(DEPLOYMENTS, "web"), obj)

    assert refused.status == 409
    assert refused.message == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_generation_counts_changes_of_the_specification_alone(web: Api) -> None:
    labelled = web.patch(DEPLOYMENTS, "web", {"metadata": {"labels": {"a": "b"}}}).body
    changed = web.patch(DEPLOYMENTS, "web", {"spec": {"minReadySeconds": 1}}).body

    assert labelled["metadata"]["generation"] == 1
    assert changed["metadata"]["generation"] == 2


def test_the_status_is_written_through_its_subresource_alone(web: Api) -> None:
    wait_for(lambda: web.get(DEPLOYMENTS, "web").body["status"].get("observedGeneration") == 1)
    through = web.patch(DEPLOYMENTS, "web", {"status": {"collisionCount": 7}}).body
    path = web.path(DEPLOYMENTS, "web/status")
    status = web.call("PATCH", path, {"status": {"collisionCount": 7}, "spec": {"paused": True}}, MERGE).body

    assert "collisionCount" not in through["status"]
    assert status["status"]["collisionCount"] == 7
    assert "paused" not in status["spec"]


def test_generated_names(api: Api) -> None:
    made = [api.made(MAPS, {"metadata": {"generateName": "made-"}})["metadata"] for _ in range(2)]

    assert made[0]["name"] != made[1]["name"]
    assert all(meta["name"].startswith("made-") and len(meta["name"]) == 10 for meta in made)


def test_a_second_one_of_a_name_is_refused(api: Api) -> None:
    api.made(MAPS, config_map("a"))

    refused = api.create(MAPS, config_map("a"))

    assert (refused.status, refused.message) == (409, 'configmaps "a" already exists')


def test_a_namespace_that_is_not_there(api: Api) -> None:
    refused = api.call("POST", "/api/v1/namespaces/nowhere-at-all/configmaps", config_map("a"))

    assert (refused.status, refused.message) == (404, 'namespaces "nowhere-at-all" not found')


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    (
        "bad name",
        {"metadata": {"name": "Bad_Name"}},
        'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must',
    ),
    (
        "no containers",
        {"spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}}},
        "spec.template.spec.containers: Required value",
    ),
    (
        "selector",
        {"spec": {"selector": {"matchLabels": {"app": "other"}}}},
        "`selector` does not match template `labels`",
    ),
    ("replicas", {"spec": {"replicas": -1}}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    (
        "strategy",
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}}},
        "may not be 0 when `maxSurge` is 0",
    ),
    (
        "deadline",
        {"spec": {"minReadySeconds": 700}},
        "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
    ),
    (
        "port",
        {"spec": {"template": {"spec": {"containers": [container(ports=[{"containerPort": 70000}])]}}}},
        "must be between 1 and 65535, inclusive",
    ),
    (
        "mount",
        {"spec": {"template": {"spec": {"containers": [container(volumeMounts=[{"name": "v", "mountPath": "/v"}])]}}}},
        'volumeMounts[0].name: Not found: "v"',
    ),
    (
        "limit",
        {
            "spec": {
                "template": {
                    "spec": {"containers": [container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})]}
                }
            }
        },
        'Invalid value: "2": must be less than or equal to cpu limit of 1',
    ),
]


@pytest.mark.parametrize(("what", "change", "words"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_what_is_wrong_is_said_in_the_servers_words(api: Api, what: str, change: dict[str, Any], words: str) -> None:
    obj = workload("Deployment", "web", 0)
    obj["metadata"] |= change.get("metadata", {})
    spec = dict(change.get("spec", {}))
    if "containers" in spec.get("template", {}).get("spec", {}):
        spec["template"] = {**template("web"), **{"spec": spec["template"]["spec"]}}
    obj["spec"] |= spec

    refused = api.create(DEPLOYMENTS, obj)

    assert refused.status == 422, refused.body
    assert words in refused.message
    assert refused.body["reason"] == "Invalid"
    assert refused.body["details"]["causes"]


def test_a_quantity_that_is_none(api: Api) -> None:
    obj = workload("Deployment", "web", 0)
    obj["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "much"}}

    refused = api.create(DEPLOYMENTS, obj)

    assert refused.status == 400
    assert "quantities must match the regular expression" in refused.message


def test_a_value_of_the_wrong_type(api: Api) -> None:
    refused = api.create(DEPLOYMENTS, workload("Deployment", "web", replicas="two"))  # type: ignore[arg-type]

    assert refused.status == 400
    assert (
        "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        in refused.message
    )


def test_a_selector_may_not_change(web: Api) -> None:
    labels = {"spec": {"selector": {"matchLabels": {"app": "b"}}, "template": {"metadata": {"labels": {"app": "b"}}}}}

    refused = web.patch(DEPLOYMENTS, "web", labels)

    assert refused.status == 422
    assert refused.message.endswith('spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable')


def test_what_a_stateful_set_may_not_change(api: Api) -> None:
    api.made(STATEFUL, workload("StatefulSet", "db", 0))

    refused = api.patch(STATEFUL, "db", {"spec": {"serviceName": "other", "podManagementPolicy": "Parallel"}})

    assert refused.status == 422
    assert 'spec.serviceName: Invalid value: "other": field is immutable' in refused.message
    assert 'spec.podManagementPolicy: Invalid value: "Parallel": field is immutable' in refused.message


def test_a_cluster_address_is_given_once(api: Api) -> None:
    made = api.made(SERVICES, {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})

    refused = api.patch(SERVICES, "web", {"spec": {"clusterIP": "10.1.2.3", "clusterIPs": ["10.1.2.3"]}})

    assert made["spec"]["clusterIP"] == made["spec"]["clusterIPs"][0]
    assert refused.status == 422
    assert "may not change once set" in refused.message


def test_an_immutable_config_map(api: Api) -> None:
    api.made(MAPS, {**config_map("a"), "immutable": True})

    refused = api.patch(MAPS, "a", {"data": {"a": "2"}})

    assert refused.message == 'ConfigMap "a" is invalid: data: Forbidden: field is immutable when `immutable` is set'


def test_preconditions_of_a_deletion(api: Api) -> None:
    api.made(MAPS, config_map("a"))

    refused = api.delete(MAPS, "a", preconditions={"uid": "other"})

    assert refused.status == 409
    assert "the UID in the precondition (other) does not match the UID in record" in refused.message


def test_a_finalizer_holds_what_is_deleted(api: Api) -> None:
    obj = config_map("a")
    obj["metadata"]["finalizers"] = ["example.com/hold"]
    api.made(MAPS, obj)

    api.delete(MAPS, "a")
    held = api.get(MAPS, "a").body
    added = api.patch(MAPS, "a", {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}})
    api.patch(MAPS, "a", {"metadata": {"finalizers": None}})

    assert held["metadata"]["deletionTimestamp"]
    assert added.status == 422
    assert "no new finalizers can be added if the object is being deleted" in added.message
    assert api.gone(MAPS, "a")
