"""Server-side apply: owners, conflicts, what is given up, dry run and strict validation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.api import APPLY, MERGE, Api, container, workload

DEPLOYMENTS = "apps/v1/deployments"


def web(**spec: Any) -> dict[str, Any]:
    """A Deployment without pods."""
    return workload("Deployment", "web", **{"replicas": 0, **spec})


def owners(obj: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """The fields of each manager."""
    return {(e["manager"], e["operation"]): e["fieldsV1"] for e in obj["metadata"]["managedFields"]}


def test_apply_creates_and_then_changes_nothing(api: Api) -> None:
    first = api.apply(DEPLOYMENTS, web())
    again = api.apply(DEPLOYMENTS, web())

    assert (first.status, again.status) == (201, 200)
    assert first.body["metadata"]["generation"] == again.body["metadata"]["generation"] == 1


def test_an_applier_owns_what_it_named_and_not_what_was_defaulted(api: Api) -> None:
    made = api.apply(DEPLOYMENTS, web()).body

    fields = owners(made)["antstack", "Apply"]["f:spec"]
    assert set(fields) == {"f:replicas", "f:selector", "f:template"}
    assert set(fields["f:template"]["f:spec"]["f:containers"]) == {'k:{"name":"app"}'}
    assert made["spec"]["progressDeadlineSeconds"] == 600


def test_changing_a_field_of_another_manager_is_a_conflict_that_names_both(api: Api) -> None:
    api.apply(DEPLOYMENTS, web())

    refused = api.apply(DEPLOYMENTS, web(replicas=2), "somebody")

    assert refused.status == 409
    assert refused.message == 'Apply failed with 1 conflict: conflict with "antstack": .spec.replicas'
    assert refused.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "antstack"', "field": ".spec.replicas"}
    ]


def test_several_conflicts_are_listed_by_manager(api: Api) -> None:
    api.apply(DEPLOYMENTS, web())
    api.patch(DEPLOYMENTS, "web", {"spec": {"minReadySeconds": 5}}, fieldManager="kubectl-edit")

    wanted = web(replicas=2, minReadySeconds=6)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"
    refused = api.apply(DEPLOYMENTS, wanted, "somebody")

    assert refused.status == 409
    assert refused.message.startswith('Apply failed with 3 conflicts: conflicts with "antstack":\n- .spec.replicas\n')
    assert '- .spec.template.spec.containers[name="app"].image' in refused.message
    assert 'conflicts with "kubectl-edit" using apps/v1:\n- .spec.minReadySeconds' in refused.message


def test_force_takes_the_field_over(api: Api) -> None:
    api.apply(DEPLOYMENTS, web())

    taken = api.apply(DEPLOYMENTS, web(minReadySeconds=2, replicas=0, paused=True), "somebody", force="true").body

    assert "f:paused" in owners(taken)["somebody", "Apply"]["f:spec"]
    assert "f:replicas" in owners(taken)["antstack", "Apply"]["f:spec"], "an equal value is shared"


def test_what_is_left_out_and_nobody_else_owns_goes(api: Api) -> None:
    full = web()
    full["metadata"]["labels"] = {"mine": "1", "shared": "1"}
    full["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    api.apply(DEPLOYMENTS, full)
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"shared": "1"}}}
    api.apply(DEPLOYMENTS, other, "other")

    made = api.apply(DEPLOYMENTS, web()).body

    assert made["metadata"]["labels"] == {"shared": "1"}
    assert "env" not in made["spec"]["template"]["spec"]["containers"][0]


def test_an_item_added_by_another_manager_stays(api: Api) -> None:
    api.apply(DEPLOYMENTS, web())
    spec = {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}
    side = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}

    both = api.apply(DEPLOYMENTS, side, "mesh").body
    kept = api.apply(DEPLOYMENTS, web(), "antstack").body
    gone = api.apply(DEPLOYMENTS, {**side, "spec": {}}, "mesh").body

    for obj, names in ((both, ["app", "side"]), (kept, ["app", "side"]), (gone, ["app"])):
        assert [c["name"] for c in obj["spec"]["template"]["spec"]["containers"]] == names


def test_scaling_moves_the_owner_of_replicas(api: Api) -> None:
    api.apply(DEPLOYMENTS, web())
    api.call("PATCH", api.path(DEPLOYMENTS, "web/scale"), {"spec": {"replicas": 1}}, MERGE, fieldManager="scaler")

    refused = api.apply(DEPLOYMENTS, web(replicas=0))

    assert refused.status == 409
    assert 'conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas' in refused.message


def test_a_dry_run_shows_the_result_and_stores_nothing(api: Api) -> None:
    shown = api.apply(DEPLOYMENTS, web(), dryRun="All")

    assert shown.status == 201
    assert shown.body["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert api.gone(DEPLOYMENTS, "web")


def test_a_dry_run_of_a_change_leaves_the_object(api: Api) -> None:
    before = api.apply(DEPLOYMENTS, web()).body

    shown = api.apply(DEPLOYMENTS, web(replicas=0, minReadySeconds=3), dryRun="All")

    assert shown.body["spec"]["minReadySeconds"] == 3
    assert "minReadySeconds" not in api.get(DEPLOYMENTS, "web").body["spec"]
    assert api.get(DEPLOYMENTS, "web").body["metadata"]["generation"] == before["metadata"]["generation"]


def test_strict_validation_names_unknown_fields(api: Api) -> None:
    wrong = web(replicaz=3)
    wrong["spec"]["template"]["spec"]["containers"][0]["imagez"] = "x"

    refused = api.create(DEPLOYMENTS, wrong, fieldValidation="Strict")
    warned = api.create(DEPLOYMENTS, wrong, fieldValidation="Warn", dryRun="All")

    assert refused.status == 400
    assert "strict decoding error: " in refused.message
    assert 'unknown field "spec.template.spec.containers[0].imagez"' in refused.message
    assert warned.status == 201
    assert '299 - "unknown field \\"spec.replicaz\\""' in warned.headers.getlist("Warning")


def test_an_applied_field_that_does_not_exist_is_refused(api: Api) -> None:
    refused = api.apply(DEPLOYMENTS, web(replicaz=3))

    assert refused.status == 500
    assert refused.message.endswith(".spec.replicaz: field not declared in schema")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "fieldManager: Required value: is required for apply patch"),
        ({"fieldManager": "a", "fieldValidation": "Loud"}, "fieldValidation: Unsupported value"),
        ({"fieldManager": "a", "dryRun": "Some"}, "dryRun: Unsupported value"),
    ],
)
def test_wrong_options_are_refused(api: Api, change: dict[str, str], words: str) -> None:
    refused = api.call("PATCH", api.path(DEPLOYMENTS, "web"), web(), APPLY, **change)

    assert refused.status == 422
    assert words in refused.message


def test_managers_of_updates_are_told_apart(api: Api) -> None:
    api.create(DEPLOYMENTS, web(), fieldManager="maker")
    api.patch(DEPLOYMENTS, "web", {"metadata": {"labels": {"a": "b"}}}, fieldManager="labeller")

    found = owners(api.get(DEPLOYMENTS, "web").body)

    assert found["labeller", "Update"] == {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}
    assert "f:replicas" in found["maker", "Update"]["f:spec"]


def test_the_same_name_twice_in_a_list_is_refused(api: Api) -> None:
    twice = web()
    twice["spec"]["template"]["spec"]["containers"].append(container("other:1"))

    refused = api.apply(DEPLOYMENTS, twice)

    assert refused.status == 500
    assert refused.message.endswith('.spec.template.spec.containers: duplicate entries for key [name="app"]')
