"""``kubectl`` itself: what people type and what the console's documentation shows."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.contract.api import Api, ready, wait_for, workload


def manifest(replicas: int = 2, image: str = "app:1") -> str:
    """A Deployment with its Service."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    return yaml.safe_dump_all([workload("Deployment", "web", replicas, image), service])


@pytest.fixture
def web(api: Api) -> Api:
    """A Deployment that ``kubectl apply`` made."""
    api.kubectl("apply", "-f", "-", given=manifest())
    wait_for(lambda: sum(map(ready, api.pods(app="web"))) == 2)
    return api


def test_apply_creates_configures_and_leaves_alone(api: Api) -> None:
    created = api.kubectl("apply", "-f", "-", given=manifest())
    same = api.kubectl("apply", "-f", "-", given=manifest())
    changed = api.kubectl("apply", "-f", "-", given=manifest(image="app:2"))

    assert created.splitlines() == ["deployment.apps/web created", "service/web created"]
    assert same.splitlines() == ["deployment.apps/web unchanged", "service/web unchanged"]
    assert changed.splitlines() == ["deployment.apps/web configured", "service/web unchanged"]


def test_apply_on_the_server_takes_over_from_apply_on_the_client(web: Api) -> None:
    output = web.kubectl("apply", "--server-side", "-f", "-", given=manifest())

    assert output.splitlines() == ["deployment.apps/web serverside-applied", "service/web serverside-applied"]
    managers = {e["manager"] for e in web.get("apps/v1/deployments", "web").body["metadata"]["managedFields"]}
    assert "kubectl" in managers
    assert "kubectl-client-side-apply" not in managers


def test_a_wrong_field_is_refused(api: Api) -> None:
    wrong = workload("Deployment", "web", replicaz=3)

    output = api.kubectl("apply", "-f", "-", given=yaml.safe_dump(wrong), check=False)

    assert 'strict decoding error: unknown field "spec.replicaz"' in output


def test_diff_shows_only_what_changes(web: Api) -> None:
    same = web.kubectl("diff", "-f", "-", given=manifest())
    changed = web.kubectl("diff", "-f", "-", given=manifest(image="app:2"), check=False)

    lines = [line for line in changed.splitlines() if line[:1] in "+-" and line[:3] not in ("---", "+++")]
    assert same == ""
    assert sorted(lines) == ["+      - image: app:2", "+  generation: 2", "-      - image: app:1", "-  generation: 1"]


@pytest.mark.parametrize(
    "form", ["json", "yaml", "wide", "name", "jsonpath={.items[*].metadata.name}", "custom-columns=N:.metadata.name"]
)
def test_get_in_every_form(web: Api, form: str) -> None:
    output = web.kubectl("get", "deployments", "-o", form)

    assert "web" in output
    if form == "json":
        assert json.loads(output)["items"][0]["kind"] == "Deployment"
    if form == "wide":
        assert output.split()[:8] == [
            "NAME",
            "READY",
            "UP-TO-DATE",
            "AVAILABLE",
            "AGE",
            "CONTAINERS",
            "IMAGES",
            "SELECTOR",
        ]


def test_rollouts(web: Api) -> None:
    web.kubectl("set", "image", "deploy/web", "app=app:2")
    done = web.kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    history = web.kubectl("rollout", "history", "deploy/web")
    web.kubectl("rollout", "undo", "deploy/web")
    web.kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    restarted = web.kubectl("rollout", "restart", "deploy/web")

    assert done.endswith('deployment "web" successfully rolled out\n')
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
    assert web.get("apps/v1/deployments", "web").body["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"
    assert restarted == "deployment.apps/web restarted\n"


def test_scale_wait_label_annotate_and_delete(web: Api) -> None:
    web.kubectl("scale", "deploy/web", "--replicas=3")
    waited = web.kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=30s")
    web.kubectl("label", "deploy/web", "tier=front")
    web.kubectl("annotate", "deploy/web", "note=seen")
    listed = web.kubectl("get", "deploy", "-l", "tier=front", "-o", "name")
    deleted = web.kubectl("delete", "deploy/web", "service/web", "--wait")

    assert waited == "deployment.apps/web condition met\n"
    assert listed == "deployment.apps/web\n"
    assert deleted.splitlines() == ['deployment.apps "web" deleted', 'service "web" deleted'] or "deleted" in deleted


def test_created_by_command(api: Api) -> None:
    api.kubectl("create", "deployment", "web", "--image=app:1", "--replicas=2", "--port=80")
    api.kubectl("create", "configmap", "settings", "--from-literal=a=b")
    api.kubectl("create", "secret", "generic", "password", "--from-literal=word=x")
    api.kubectl("expose", "deploy/web")

    spec = api.get("apps/v1/deployments", "web").body["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]) == (2, 80)
    assert api.get("v1/configmaps", "settings").body["data"] == {"a": "b"}
    assert api.get("v1/secrets", "password").body["data"] == {"word": "eA=="}
    assert api.get("v1/services", "web").body["spec"]["ports"][0]["port"] == 80


def test_describe_tells_of_events(web: Api) -> None:
    output = web.kubectl("describe", "deploy/web")

    assert "Scaled up replica set web-" in output
    assert "StrategyType:           RollingUpdate" in output


def test_who_may_what(api: Api) -> None:
    assert api.kubectl("auth", "can-i", "create", "deployments").strip().endswith("yes")
    assert "*.*" in api.kubectl("auth", "can-i", "--list")


def test_api_resources_and_explain(api: Api) -> None:
    listed = api.kubectl("api-resources", "-o", "name")
    explained = api.kubectl("explain", "deployment.spec.strategy.rollingUpdate")

    assert {"pods", "deployments.apps", "statefulsets.apps", "ingresses.networking.k8s.io"} <= set(listed.split())
    assert "maxSurge" in explained
