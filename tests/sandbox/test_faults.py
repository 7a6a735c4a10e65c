"""Faults on demand: of the API, of nodes, of pods."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.api import Api, config_map, ready, wait_for, workload


def fault(api: Api, **spec: Any) -> None:
    """Inject a fault."""
    assert api.call("POST", "/sandbox/faults", spec).status == 201


@pytest.mark.parametrize("code", [409, 429, 500])
def test_a_refusal_that_is_asked_for(api: Api, code: int) -> None:
    fault(api, status=code, match={"verb": "create", "resource": "configmaps", "namespace": api.namespace}, count=1)

    refused = api.create("v1/configmaps", config_map("a"))
    accepted = api.create("v1/configmaps", config_map("a"))

    assert (refused.status, accepted.status) == (code, 201)
    assert refused.body["kind"] == "Status"


def test_latency(api: Api) -> None:
    fault(api, latency=0.5, match={"resource": "configmaps", "namespace": api.namespace}, count=1)
    begin = time.monotonic()

    api.get("v1/configmaps")

    assert time.monotonic() - begin >= 0.5


def test_faults_are_listed_and_cleared(api: Api) -> None:
    fault(api, status=500, match={"resource": "nothing"})
    listed = api.call("GET", "/sandbox/faults").body["faults"]
    api.call("DELETE", "/sandbox/faults")

    assert listed == [{"status": 500, "match": {"resource": "nothing"}, "left": -1}]
    assert api.call("GET", "/sandbox/faults").body["faults"] == []


def test_watches_are_cut_off(api: Api) -> None:
    api.made("v1/configmaps", config_map("a"))
    events = api.watch("v1/configmaps", 30)
    next(events)
    begin = time.monotonic()

    fault(api, dropWatches=True)
    list(events)

    assert time.monotonic() - begin < 5


def test_a_node_goes_down_and_comes_back(api: Api) -> None:
    name = "node-6"
    spec = {"nodeName": name, "containers": [{"name": "a", "image": "app:1"}]}
    api.made("v1/pods", {"metadata": {"name": "there"}, "spec": spec})
    wait_for(lambda: ready(api.get("v1/pods", "there").body))

    def conditions() -> dict[str, str]:
        return {c["type"]: c["status"] for c in api.call("GET", f"/api/v1/nodes/{name}").body["status"]["conditions"]}

    fault(api, nodeDown=name)
    down = conditions()["Ready"]
    lost = ready(api.get("v1/pods", "there").body)
    fault(api, nodeUp=name)

    assert (down, lost, conditions()["Ready"]) == ("Unknown", False, "True")
    wait_for(lambda: ready(api.get("v1/pods", "there").body))


def annotated(kind: str) -> dict[str, Any]:
    """A Deployment whose pods have a fault."""
    obj = workload("Deployment", "web")
    obj["spec"]["template"]["metadata"]["annotations"] = {"sandbox.antstack.io/fault": kind}
    return obj


def states(api: Api) -> list[dict[str, Any]]:
    """The statuses of the containers."""
    return [s for pod in api.pods(app="web") for s in pod.get("status", {}).get("containerStatuses", ())]


@pytest.mark.parametrize(("kind", "code", "word"), [("crash-loop", 1, "Error"), ("oom", 137, "OOMKilled")])
def test_containers_that_crash(api: Api, kind: str, code: int, word: str) -> None:
    api.made("apps/v1/deployments", annotated(kind))

    crashed = wait_for(lambda: [s for s in states(api) if s["restartCount"] >= 1 and "waiting" in s["state"]])[0]

    assert crashed["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert crashed["lastState"]["terminated"]["exitCode"] == code
    assert crashed["lastState"]["terminated"]["reason"] == word


def test_a_pod_that_never_gets_ready(api: Api) -> None:
    api.made("apps/v1/deployments", annotated("unready"))

    wait_for(lambda: [s for s in states(api) if "running" in s["state"]])

    assert not any(map(ready, api.pods(app="web")))
    events = api.get("v1/events", fieldSelector="reason=Unhealthy").body["items"]
    assert events[0]["message"] == "Readiness probe failed: HTTP probe failed with statuscode: 503"


def test_a_slow_start(api: Api) -> None:
    api.made("apps/v1/deployments", annotated("slow-start=20s"))  # a second at this speed
    wait_for(lambda: [s for s in states(api) if "running" in s["state"]])
    begin = time.monotonic()

    wait_for(lambda: all(map(ready, api.pods(app="web"))))

    assert time.monotonic() - begin > 0.5


def test_a_volume_that_cannot_be_mounted(api: Api) -> None:
    api.made("apps/v1/deployments", annotated("mount-error"))

    events = wait_for(lambda: api.get("v1/events", fieldSelector="reason=FailedMount").body["items"])

    assert events[0]["message"].startswith("MountVolume.SetUp failed for volume")
    assert states(api)[0]["state"]["waiting"]["reason"] == "ContainerCreating"


def test_a_secret_that_is_missing(api: Api) -> None:
    obj = workload("Deployment", "web")
    source = {"secretKeyRef": {"name": "web-parameters", "key": "word"}}
    obj["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "WORD", "valueFrom": source}]
    api.made("apps/v1/deployments", obj)
    waiting = wait_for(
        lambda: [s for s in states(api) if s["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError"]
    )[0]

    api.made("v1/secrets", {"metadata": {"name": "web-parameters"}, "stringData": {"word": "x"}})

    assert waiting["state"]["waiting"]["message"] == 'secret "web-parameters" not found'
    wait_for(lambda: any(map(ready, api.pods(app="web"))))


def test_a_taint_expels_pods_that_do_not_tolerate_it(api: Api) -> None:
    for name, tolerations in (("stays", [{"key": "away", "operator": "Exists"}]), ("leaves", [])):
        spec = {"nodeName": "node-5", "tolerations": tolerations, "containers": [{"name": "a", "image": "app:1"}]}
        api.made("v1/pods", {"metadata": {"name": name}, "spec": spec})
    wait_for(lambda: all(map(ready, api.pods())))

    api.kubectl("taint", "nodes", "node-5", "away=yes:NoExecute")
    wait_for(lambda: api.gone("v1/pods", "leaves"))
    api.kubectl("taint", "nodes", "node-5", "away-")

    assert ready(api.get("v1/pods", "stays").body)


def test_pods_go_with_their_node(api: Api) -> None:
    api.call("POST", "/api/v1/nodes", {"metadata": {"name": "extra"}})
    node = wait_for(
        lambda: (n := api.call("GET", "/api/v1/nodes/extra").body).get("status", {}).get("conditions") and n
    )
    spec = {"nodeName": "extra", "containers": [{"name": "a", "image": "app:1"}]}
    api.made("v1/pods", {"metadata": {"name": "there"}, "spec": spec})
    wait_for(lambda: ready(api.get("v1/pods", "there").body))

    api.call("DELETE", "/api/v1/nodes/extra")

    assert node["status"]["allocatable"]["pods"]
    wait_for(lambda: api.gone("v1/pods", "there"))
