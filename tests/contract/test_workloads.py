"""Workloads: scaling, rolling, the two staged rollouts of the console, Jobs, scheduling."""

from __future__ import annotations

import time
from typing import Any

from tests.contract.api import MERGE, Api, ready, wait_for, workload

DEPLOYMENTS, SETS, STATEFUL, JOBS = (
    "apps/v1/deployments",
    "apps/v1/replicasets",
    "apps/v1/statefulsets",
    "batch/v1/jobs",
)
WEEK = 604800


def image(value: str) -> dict[str, Any]:
    """A change of the template's image."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": value}]}}}}


def by_image(api: Api, app: str) -> dict[str, int]:
    """Ready pods by their image."""
    found: dict[str, int] = {}
    for pod in api.pods(app=app):
        if ready(pod):
            name = pod["spec"]["containers"][0]["image"]
            found[name] = found.get(name, 0) + 1
    return found


def steady(api: Api, app: str, wanted: dict[str, int]) -> None:
    """Wait for these pods, and see that it stays so."""
    wait_for(lambda: by_image(api, app) == wanted, 60)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        assert by_image(api, app) == wanted
        time.sleep(0.1)


def test_a_deployment_becomes_available_and_says_so(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 3))

    done = wait_for(lambda: _status_with(api, "web", availableReplicas=3))

    conditions = {c["type"]: (c["status"], c["reason"]) for c in done["status"]["conditions"]}
    assert conditions["Available"] == ("True", "MinimumReplicasAvailable")
    wait_for(lambda: _reason(api, "web") == "NewReplicaSetAvailable")
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    replica_set = api.get(SETS).body["items"][0]
    assert replica_set["metadata"]["name"] == f"web-{replica_set['metadata']['labels']['pod-template-hash']}"


def _status_with(api: Api, name: str, **wanted: int) -> dict[str, Any] | None:
    obj = api.get(DEPLOYMENTS, name).body
    status = obj.get("status", {})
    return obj if all(status.get(key, 0) == value for key, value in wanted.items()) else None


def _reason(api: Api, name: str) -> str:
    conditions = api.get(DEPLOYMENTS, name).body["status"].get("conditions", ())
    return next((c["reason"] for c in conditions if c["type"] == "Progressing"), "")


def test_a_new_template_makes_a_new_revision_and_an_old_one_comes_back(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 2))
    wait_for(lambda: _status_with(api, "web", availableReplicas=2))

    api.patch(DEPLOYMENTS, "web", image("app:2"))
    wait_for(lambda: by_image(api, "web") == {"app:2": 2})
    api.patch(DEPLOYMENTS, "web", image("app:1"))
    wait_for(lambda: by_image(api, "web") == {"app:1": 2})

    revisions = sorted(
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for rs in api.get(SETS).body["items"]
    )
    assert revisions == ["2", "3"]


def test_a_paused_deployment_waits(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 2, paused=True))
    wait_for(lambda: _reason(api, "web") == "DeploymentPaused")

    held = api.get(SETS).body["items"]
    api.patch(DEPLOYMENTS, "web", {"spec": {"paused": None}})

    assert held == []
    wait_for(lambda: by_image(api, "web") == {"app:1": 2})


def test_recreate_takes_all_down_first(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 2, strategy={"type": "Recreate"}))
    wait_for(lambda: by_image(api, "web") == {"app:1": 2})

    api.patch(DEPLOYMENTS, "web", image("app:2"))

    for _ in range(200):
        images = {pod["spec"]["containers"][0]["image"] for pod in api.pods(app="web")}
        assert len(images) < 2
        if images == {"app:2"}:
            break
        time.sleep(0.02)
    wait_for(lambda: by_image(api, "web") == {"app:2": 2})


def test_a_deployment_is_rolled_out_in_stages(api: Api) -> None:
    """maxSurge 0, the cumulative number as maxUnavailable, pods that never count as available."""
    api.made(DEPLOYMENTS, workload("Deployment", "web", 10))
    wait_for(lambda: _status_with(api, "web", availableReplicas=10))

    held = {"minReadySeconds": WEEK, "progressDeadlineSeconds": 2 * WEEK}
    for count in (1, 4, 10):
        spec = {
            **held,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": count}},
        }
        api.patch(DEPLOYMENTS, "web", {"spec": {**image("app:2")["spec"], **spec}})
        steady(api, "web", {"app:1": 10 - count, "app:2": count} if count < 10 else {"app:2": 10})
        assert len(api.pods(app="web")) == 10
    revision = api.get(DEPLOYMENTS, "web").body["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    restored = {"minReadySeconds": 0, "progressDeadlineSeconds": 600, "strategy": {"rollingUpdate": rolling}}
    api.patch(DEPLOYMENTS, "web", {"spec": restored})

    wait_for(lambda: _status_with(api, "web", availableReplicas=10, updatedReplicas=10))
    end = api.get(DEPLOYMENTS, "web").body
    assert end["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == revision
    steady(api, "web", {"app:2": 10})


def test_a_stateful_set_is_rolled_out_in_stages(api: Api) -> None:
    """Parallel; the partition held at the top, then lowered with that group's stale pods deleted together."""
    api.made(STATEFUL, workload("StatefulSet", "db", 10, podManagementPolicy="Parallel"))
    wait_for(lambda: by_image(api, "db") == {"app:1": 10})

    api.patch(STATEFUL, "db", {"spec": {**image("app:2")["spec"], **_partition(10)}})
    steady(api, "db", {"app:1": 10})
    update = api.get(STATEFUL, "db").body["status"]["updateRevision"]
    for low, high in ((9, 9), (5, 8), (0, 4)):
        api.patch(STATEFUL, "db", {"spec": _partition(low)})
        for ordinal in range(high, low - 1, -1):
            pod = api.get("v1/pods", f"db-{ordinal}").body
            if pod.get("metadata", {}).get("labels", {}).get("controller-revision-hash") != update:
                api.delete("v1/pods", f"db-{ordinal}")
        steady(api, "db", {"app:1": low, "app:2": 10 - low} if low else {"app:2": 10})
        new = {p["metadata"]["name"] for p in api.pods(app="db", **{"controller-revision-hash": update})}
        assert new == {f"db-{ordinal}" for ordinal in range(low, 10)}
    status = wait_for(lambda: (s := api.get(STATEFUL, "db").body["status"]) and s["currentRevision"] == update and s)
    assert status["updatedReplicas"] == status["readyReplicas"] == 10


def _partition(number: int) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}}


def test_an_old_pod_that_is_evicted_comes_back_old(api: Api) -> None:
    api.made(STATEFUL, workload("StatefulSet", "db", 3, podManagementPolicy="Parallel"))
    wait_for(lambda: by_image(api, "db") == {"app:1": 3})
    api.patch(STATEFUL, "db", {"spec": {**image("app:2")["spec"], **_partition(2)}})
    wait_for(lambda: by_image(api, "db") == {"app:1": 2, "app:2": 1})

    uid = api.get("v1/pods", "db-0").body["metadata"]["uid"]
    api.delete("v1/pods", "db-0")

    wait_for(lambda: api.get("v1/pods", "db-0").body.get("metadata", {}).get("uid", uid) != uid)
    steady(api, "db", {"app:1": 2, "app:2": 1})


def test_a_stateful_set_on_delete_replaces_only_what_is_deleted(api: Api) -> None:
    api.made(STATEFUL, workload("StatefulSet", "db", 3, updateStrategy={"type": "OnDelete"}))
    wait_for(lambda: by_image(api, "db") == {"app:1": 3})

    api.patch(STATEFUL, "db", image("app:2"))
    steady(api, "db", {"app:1": 3})
    api.delete("v1/pods", "db-1")

    steady(api, "db", {"app:1": 2, "app:2": 1})


def test_an_ordered_stateful_set_starts_one_by_one_and_names_its_claims(api: Api) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    api.made(STATEFUL, workload("StatefulSet", "db", 2, volumeClaimTemplates=[claim]))

    claims = wait_for(lambda: api.get("v1/persistentvolumeclaims").body["items"])

    assert claims[0]["metadata"]["name"] == "data-db-0"
    assert claims[0]["metadata"]["labels"] == {"app": "db"}
    pod = wait_for(lambda: (p := api.get("v1/pods", "db-0")).status == 200 and p.body)
    assert pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert pod["spec"]["hostname"] == "db-0"


def test_a_scale_is_read_and_written(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 1))
    path = api.path(DEPLOYMENTS, "web/scale")

    written = api.call("PATCH", path, {"spec": {"replicas": 3}}, MERGE)
    wait_for(lambda: by_image(api, "web") == {"app:1": 3})
    scale = wait_for(lambda: (s := api.call("GET", path).body)["status"]["replicas"] == 3 and s)

    assert written.body["kind"] == "Scale"
    assert scale["spec"]["replicas"] == 3
    assert scale["status"]["selector"] == "app=web"


def test_a_daemon_set_has_a_pod_on_every_node(api: Api) -> None:
    nodes = api.call("GET", "/api/v1/nodes").body["items"]
    api.made("apps/v1/daemonsets", workload("DaemonSet", "agent", None))

    wait_for(lambda: len({p["spec"].get("nodeName") for p in api.pods(app="agent") if ready(p)}) == len(nodes))
    status = wait_for(
        lambda: (s := api.get("apps/v1/daemonsets", "agent").body["status"])["numberReady"] == len(nodes) and s
    )

    assert status["desiredNumberScheduled"] == len(nodes)


def test_a_job_completes(api: Api) -> None:
    spec = {
        "completions": 2,
        "parallelism": 1,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "app:1"}]}},
    }
    made = api.made(JOBS, {"metadata": {"name": "job"}, "spec": spec})

    done = wait_for(lambda: (j := api.get(JOBS, "job").body)["status"].get("completionTime") and j, 60)

    conditions = {c["type"]: c["status"] for c in done["status"]["conditions"]}
    assert conditions == {"SuccessCriteriaMet": "True", "Complete": "True"}
    assert done["status"]["succeeded"] == 2
    assert made["spec"]["selector"]["matchLabels"] == {"batch.kubernetes.io/controller-uid": made["metadata"]["uid"]}


def test_a_job_runs_out_of_time(api: Api) -> None:
    template = {
        "spec": {
            "restartPolicy": "Never",
            "nodeSelector": {"no": "where"},
            "containers": [{"name": "a", "image": "app:1"}],
        }
    }
    api.made(JOBS, {"metadata": {"name": "job"}, "spec": {"activeDeadlineSeconds": 1, "template": template}})

    conditions = wait_for(lambda: api.get(JOBS, "job").body.get("status", {}).get("conditions"))

    assert {c["reason"] for c in conditions} == {"DeadlineExceeded"}
    wait_for(lambda: {c["type"] for c in api.get(JOBS, "job").body["status"]["conditions"]} >= {"Failed"})


def test_a_pod_that_fits_nowhere_says_why(api: Api) -> None:
    count = len(api.call("GET", "/api/v1/nodes").body["items"])
    spec = {"nodeSelector": {"no": "where"}, "containers": [{"name": "a", "image": "app:1"}]}
    api.made("v1/pods", {"metadata": {"name": "lost"}, "spec": spec})

    def condition() -> Any:
        found = api.get("v1/pods", "lost").body["status"].get("conditions", ())
        return next((c for c in found if c["type"] == "PodScheduled"), None)

    why = wait_for(condition)
    assert (why["status"], why["reason"]) == ("False", "Unschedulable")
    assert why["message"].startswith(
        f"0/{count} nodes are available: {count} node(s) didn't match Pod's node affinity/selector."
    )
    chosen = "involvedObject.name=lost,reason=FailedScheduling"
    event = wait_for(lambda: api.get("v1/events", fieldSelector=chosen).body["items"])[0]
    assert event["message"] == why["message"]


def test_a_service_knows_its_pods(api: Api) -> None:
    api.made(DEPLOYMENTS, workload("Deployment", "web", 2))
    api.made(
        "v1/services",
        {
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    )

    def endpoints() -> list[dict[str, Any]]:
        slices = api.get("discovery.k8s.io/v1/endpointslices", labelSelector="kubernetes.io/service-name=web").body[
            "items"
        ]
        return [e for one in slices for e in one.get("endpoints") or () if e["conditions"]["ready"]]

    wait_for(lambda: len(endpoints()) == 2)
    wait_for(
        lambda: [len(s.get("addresses", ())) for s in api.get("v1/endpoints", "web").body.get("subsets", ())] == [2]
    )
    assert {e["targetRef"]["name"] for e in endpoints()} == {p["metadata"]["name"] for p in api.pods(app="web")}
