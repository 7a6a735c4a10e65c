"""Owners and dependents, namespaces that go, evictions."""

from __future__ import annotations

from typing import Any

from tests.contract.api import Api, config_map, ready, wait_for, workload

MAPS, DEPLOYMENTS, SETS = "v1/configmaps", "apps/v1/deployments", "apps/v1/replicasets"


def owned(name: str, owner: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A ConfigMap that another one owns."""
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    obj = config_map(name)
    obj["metadata"]["ownerReferences"] = [{**reference, **more}]
    return obj


def test_dependents_go_with_their_owner(api: Api) -> None:
    owner = api.made(MAPS, config_map("owner"))
    api.made(MAPS, owned("child", owner))

    api.delete(MAPS, "owner", propagationPolicy="Background")

    wait_for(lambda: api.gone(MAPS, "child"))


def test_orphans_stay_and_lose_the_reference(api: Api) -> None:
    owner = api.made(MAPS, config_map("owner"))
    api.made(MAPS, owned("child", owner))

    api.delete(MAPS, "owner", propagationPolicy="Orphan")

    wait_for(lambda: api.gone(MAPS, "owner"))
    assert "ownerReferences" not in api.get(MAPS, "child").body["metadata"]


def test_in_the_foreground_the_owner_goes_last(api: Api) -> None:
    owner = api.made(MAPS, config_map("owner"))
    child = owned("child", owner, blockOwnerDeletion=True)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    api.made(MAPS, child)

    api.delete(MAPS, "owner", propagationPolicy="Foreground")
    wait_for(lambda: "deletionTimestamp" in api.get(MAPS, "child").body["metadata"])
    held = api.get(MAPS, "owner")
    api.patch(MAPS, "child", {"metadata": {"finalizers": None}})

    assert held.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    wait_for(lambda: api.gone(MAPS, "owner"))


def test_a_deployment_takes_its_pods_along(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 2))
    wait_for(lambda: len(api.pods(app="web")) == 2)

    api.delete(DEPLOYMENTS, "web", propagationPolicy="Foreground")

    wait_for(lambda: api.gone(DEPLOYMENTS, "web"))
    assert not api.get(SETS).body["items"]
    wait_for(lambda: not api.pods(app="web"))


def test_pods_are_adopted_by_a_new_owner_with_the_same_selector(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 2))
    wait_for(lambda: len(api.pods(app="web")) == 2)
    before = {pod["metadata"]["uid"] for pod in api.pods(app="web")}

    api.delete(DEPLOYMENTS, "web", propagationPolicy="Orphan")
    wait_for(lambda: api.gone(DEPLOYMENTS, "web"))
    replica_set = wait_for(
        lambda: [rs for rs in api.get(SETS).body["items"] if "ownerReferences" not in rs["metadata"]]
    )[0]
    api.delete(SETS, replica_set["metadata"]["name"], propagationPolicy="Orphan")
    wait_for(lambda: all("ownerReferences" not in pod["metadata"] for pod in api.pods(app="web")))
    again = workload("ReplicaSet", "again", 2)
    again["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    again["spec"]["template"]["metadata"]["labels"] = {"app": "web"}
    api.made(SETS, again)

    wait_for(lambda: all("ownerReferences" in pod["metadata"] for pod in api.pods(app="web")))
    assert {pod["metadata"]["uid"] for pod in api.pods(app="web")} == before


def test_a_namespace_takes_everything_along(api: Api) -> None:
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    api.made(MAPS, held)
    api.made(DEPLOYMENTS, workload("Deployment", "web", 1))
    path = f"/api/v1/namespaces/{api.namespace}"

    api.call("DELETE", path)
    wait_for(lambda: api.get(DEPLOYMENTS).body["items"] == [])
    refused = api.create(MAPS, config_map("late"))
    phase = api.call("GET", path).body["status"]["phase"]
    api.patch(MAPS, "held", {"metadata": {"finalizers": None}})

    assert phase == "Terminating"
    assert refused.status == 403
    assert "because it is being terminated" in refused.message
    wait_for(lambda: api.call("GET", path).status == 404, 60)


def test_an_eviction_is_refused_while_a_budget_forbids_it(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 2))
    wait_for(lambda: sum(map(ready, api.pods(app="web"))) == 2)
    budgets = "policy/v1/poddisruptionbudgets"
    api.made(
        budgets, {"metadata": {"name": "web"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}}
    )
    wait_for(lambda: api.get(budgets, "web").body.get("status", {}).get("currentHealthy") == 2)
    pod = api.pods(app="web")[0]["metadata"]["name"]

    def evict() -> Any:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": api.namespace}}
        return api.call("POST", api.path("v1/pods", f"{pod}/eviction"), body)

    refused = evict()
    api.patch(budgets, "web", {"spec": {"minAvailable": 1}})
    wait_for(lambda: api.get(budgets, "web").body["status"]["disruptionsAllowed"] == 1)
    allowed = evict()

    assert refused.status == 429
    assert refused.message == "Cannot evict pod as it would violate the pod's disruption budget."
    cause = refused.body["details"]["causes"][0]
    assert (cause["reason"], cause["message"]) == (
        "DisruptionBudget",
        "The disruption budget web needs 2 healthy pods and has 2 currently",
    )
    assert allowed.status == 201
    wait_for(lambda: pod not in {p["metadata"]["name"] for p in api.pods(app="web")})
