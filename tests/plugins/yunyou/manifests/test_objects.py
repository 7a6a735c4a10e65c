"""What is written to a cluster, by the contract objects.md."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.yunyou.documents import parsing, quantities
from plugins.yunyou.documents.parameters import entries_of
from plugins.yunyou.documents.solution import Solution
from plugins.yunyou.documents.variables import Output, render_cell, render_names, setting_of
from plugins.yunyou.manifests.labels import Place, job_name, label_value
from plugins.yunyou.manifests.objects import load_balancer, marked, plan_hash, render, workload_of
from plugins.yunyou.manifests.pod_template import EnvValue, env_of, literal
from tests.plugins.yunyou.manifests.kube_models import faults
from tests.plugins.yunyou.samples import sample, small, with_app

PLACE = Place(namespace="shop", environment="env-1", checksum_key=b"key")


def objects(parsed: Solution, name: str, place: Place = PLACE, **options: Any) -> dict[str, dict[str, Any]]:
    product, app = next((p, a) for p, a in parsed.applications() if a.name == name)
    values = env_of(product.code, app, render_names(entries_of(parsed), setting_of(parsed)))
    made = render(product, app, place, values, **options)
    return {f"{item['kind']}/{item['metadata']['name']}": item for item in made}


def app(**fields: Any) -> dict[str, dict[str, Any]]:
    return objects(parsing.of(with_app(**fields)), "web")


def pod(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return workload_of(made.values())["spec"]["template"]["spec"]


def container(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return pod(made)["containers"][0]


LABELS = {
    "app.kubernetes.io/name": "web",
    "app.kubernetes.io/part-of": "SHOP",
    "app.kubernetes.io/version": "1.0.0",
    "app.kubernetes.io/managed-by": "antstack",
    "antstack.io/environment": "env-1",
}


@pytest.mark.req("Y-8", "Y-30")
def test_a_standard_application_is_a_parallel_stateful_set_with_its_services_and_claims():
    made = app(replicas=3, ports=[{"port": 80}], storage=[{"name": "data", "mountPath": "/data", "size": "1024Mi"}])

    assert list(made) == ["Service/web-headless", "Service/web", "StatefulSet/web"]
    spec = made["StatefulSet/web"]["spec"]
    assert (spec["replicas"], spec["serviceName"], spec["podManagementPolicy"]) == (3, "web-headless", "Parallel")
    assert spec["volumeClaimTemplates"][0]["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    assert container(made)["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert made["Service/web-headless"]["spec"]["clusterIP"] == "None"
    assert made["Service/web"]["spec"]["ports"] == [{"name": "tcp-80", "port": 80, "targetPort": 80, "protocol": "TCP"}]


@pytest.mark.req("Y-54")
def test_labels_are_on_every_object_and_services_select_only_online_pods():
    made = app(ports=[{"port": 80}], parameters=[{"key": "P", "type": "secret", "value": "x"}])

    assert all(item["metadata"]["labels"] == LABELS for item in made.values())
    template = made["StatefulSet/web"]["spec"]["template"]["metadata"]["labels"]
    assert template == {**LABELS, "antstack.io/online": "true"}
    for item in made.values():
        if item["kind"] == "Service":
            selector = item["spec"]["selector"]
            assert selector["antstack.io/online"] == "true"
            assert selector.items() <= template.items()
            assert "app.kubernetes.io/version" not in selector
    assert "antstack.io/online" not in made["StatefulSet/web"]["spec"]["selector"]["matchLabels"]


@pytest.mark.req("Y-8")
@pytest.mark.parametrize(
    ("fields", "kind"),
    [({"workload": "Deployment"}, "Deployment"), ({"workload": "DaemonSet"}, "DaemonSet"), ({"role": "task"}, "Job")],
)
def test_other_kinds_have_no_headless_service_and_claims_of_their_own(fields: dict[str, Any], kind: str):
    made = objects(
        parsing.of(with_app(**fields, storage=[{"name": "data", "mountPath": "/data"}])), "web", order="42", attempt=2
    )

    name = "web-42-2" if kind == "Job" else "web"
    assert list(made) == ["PersistentVolumeClaim/web-data", f"{kind}/{name}"]
    assert pod(made)["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "web-data"}}]
    assert ("replicas" in made[f"{kind}/{name}"]["spec"]) is (kind == "Deployment")


@pytest.mark.req("Y-7")
def test_planned_volumes_bind_what_exists_are_anonymous_or_change_their_owner():
    fields = {
        "workload": "Deployment",
        "storage": [
            {"name": "data", "mountPath": "/data", "ownerUid": 500},
            {"name": "tmp", "mountPath": "/scratch", "anonymous": True, "size": "1Gi"},
        ],
    }
    made = objects(parsing.of(with_app(**fields)), "web", claims={"data": "old-claim"})

    assert list(made) == ["Deployment/web"]
    assert pod(made)["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "old-claim"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    owner = pod(made)["initContainers"][0]
    assert owner["command"] == ["chown", "-R", "500:500", "/data"]
    assert owner["securityContext"] == {"runAsUser": 0}


@pytest.mark.req("Y-4")
def test_plain_parameters_are_in_the_spec_and_secret_ones_in_the_secret():
    values = [
        {"key": "LEVEL", "value": "info"},
        {"key": "PASSWORD", "type": "secret", "value": "hunter2"},
        {"key": "DSN", "value": "x:${global.token}"},
        {"key": "NOTHING"},
    ]
    given_ = with_app(parameters=values)
    given_["parameters"] = [{"key": "token", "type": "secret", "value": "hunter3"}]
    made = objects(parsing.of(given_), "web")

    assert container(made)["env"] == [
        {"name": "LEVEL", "value": "info"},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "web-parameters", "key": "PASSWORD"}}},
        {"name": "DSN", "valueFrom": {"secretKeyRef": {"name": "web-parameters", "key": "DSN"}}},
    ]
    data = made["Secret/web-parameters"]["data"]
    assert {key: base64.b64decode(value) for key, value in data.items()} == {
        "PASSWORD": b"hunter2",
        "DSN": b"x:hunter3",
    }
    assert "hunter" not in json.dumps([item for item in made.values() if item["kind"] != "Secret"])


@pytest.mark.req("Y-4")
def test_a_changed_secret_rolls_the_pods_and_its_checksum_depends_on_the_environment():
    def annotation(value: str, key: bytes = b"key") -> str:
        parsed = parsing.of(with_app(parameters=[{"key": "P", "type": "secret", "value": value}]))
        made = objects(parsed, "web", Place("shop", "env-1", checksum_key=key))
        return workload_of(made.values())["spec"]["template"]["metadata"]["annotations"]["antstack.io/parameters"]

    assert annotation("a") == annotation("a") != annotation("b")
    assert annotation("a") != annotation("a", b"other")


def kubelet(text: str) -> str:
    """The kubelet's expansion of a value (k8s.io/kubernetes/third_party/forked/golang/expansion), with no variables."""
    made, at = "", 0
    while at < len(text):
        if text[at] == "$" and text[at + 1 : at + 2] == "$":
            made, at = made + "$", at + 2
        elif text[at] == "$" and text[at + 1 : at + 2] == "(" and ")" in text[at:]:
            made, at = made + "EXPANDED", text.index(")", at) + 1
        else:
            made, at = made + text[at], at + 1
    return made


@pytest.mark.req("Y-4")
@given(st.text(alphabet="$()aA{}", max_size=12))
def test_a_value_reaches_the_container_exactly_as_written(text: str):
    assert kubelet(literal(text)) == text


@pytest.mark.req("Y-4")
def test_what_is_not_known_yet_shows_as_reference_and_is_resolved_when_asked():
    parsed = parsing.of(
        small(
            applications=[{"name": "web", "image": "a:1", "parameters": [{"key": "A", "value": "${db.orders.host}"}]}],
            databases=[{"name": "orders"}],
        )
    )
    values = render_names(entries_of(parsed), setting_of(parsed))
    application = parsed.products[0].applications[0]

    assert env_of("SHOP", application, values) == (EnvValue("A", "${db.orders.host}"),)
    assert env_of("SHOP", application, values, {"db.orders.host": "10.0.0.9"}.get) == (EnvValue("A", "10.0.0.9"),)


@pytest.mark.req("Y-8")
@pytest.mark.parametrize(
    ("given_", "limits", "requests"),
    [
        ({"cpu": "2", "memory": "4Gi"}, {"cpu": "2", "memory": "4Gi"}, {"cpu": "2", "memory": "4Gi"}),
        ({"cpu": "0.5", "cpuOversell": 2}, {"cpu": "500m"}, {"cpu": "250m"}),
        ({"cpu": "1000m", "cpuOversell": 3}, {"cpu": "1"}, {"cpu": "334m"}),
        ({"memory": "4Gi", "memoryOversell": 1.5}, {"memory": "4Gi"}, {"memory": "2731Mi"}),
        ({"memory": "1.5Gi", "memoryOversell": 2}, {"memory": "1536Mi"}, {"memory": "768Mi"}),
        ({"memory": "4G", "memoryOversell": 2}, {"memory": "4G"}, {"memory": "1908Mi"}),
        ({"gpuMemory": "7Gi"}, {"aliyun.com/gpu-mem": "7"}, {"aliyun.com/gpu-mem": "7"}),
    ],
)
def test_requests_are_limits_divided_by_the_oversell_ratio(given_: Any, limits: Any, requests: Any):
    assert container(app(resources=given_))["resources"] == {"limits": limits, "requests": requests}


@pytest.mark.req("Y-8")
@given(st.integers(1, 10**6), st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"]), st.floats(1, 20))
def test_a_request_is_never_above_its_limit_and_keeps_its_value_in_canonical_form(n: int, suffix: str, ratio: float):
    limit = f"{n}{suffix}"

    assert quantities.same(limit, quantities.canonical(limit))
    assert 0 < quantities.value(quantities.cpu_request(f"{n}m", ratio)) <= quantities.value(f"{n}m")
    assert 0 < quantities.value(quantities.memory_request(limit, ratio)) <= quantities.value(limit)


@pytest.mark.req("Y-8")
def test_every_setting_of_the_application_reaches_the_pod():
    made = app(
        command=["/run"],
        args=["--fast"],
        ports=[{"port": 80, "name": "http"}, {"port": 53, "protocol": "UDP"}],
        probes={
            "liveness": {"type": "tcp", "periodSeconds": 7},
            "readiness": {"type": "http", "port": 81, "path": "/ok", "failureThreshold": 9},
        },
        hostNetwork=True,
        dnsPolicy="None",
        dnsConfig={"nameservers": ["10.0.0.10"], "searches": ["local"]},
        keyHardening=True,
        certificates=[{"secret": "web-tls", "mountPath": "/tls"}],
        nodeAffinity=[{"key": "zone", "operator": "NotIn", "values": ["a"]}],
        tolerations=[
            {"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"},
            {"operator": "Exists"},
        ],
        topologySpread=[{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 2}],
        affinity=[{"applications": ["web"], "policy": "preferred"}],
        antiAffinity=[{"applications": ["web"], "policy": "required"}],
    )
    spec, one = pod(made), container(made)

    assert (one["command"], one["args"]) == (["/run"], ["--fast"])
    assert [port["name"] for port in one["ports"]] == ["http", "udp-53"]
    assert one["livenessProbe"] == {"tcpSocket": {"port": 80}, "periodSeconds": 7, "failureThreshold": 3}
    assert one["readinessProbe"]["httpGet"] == {"path": "/ok", "port": 81}
    assert one["readinessProbe"]["failureThreshold"] == 9
    assert {"name": "ANTSTACK_KEY_HARDENING", "value": "true"} in one["env"]
    assert one["volumeMounts"] == [{"name": "antstack-certificate-0", "mountPath": "/tls", "readOnly": True}]
    assert spec["volumes"] == [{"name": "antstack-certificate-0", "secret": {"secretName": "web-tls"}}]
    assert (spec["hostNetwork"], spec["dnsPolicy"]) == (True, "None")
    assert spec["dnsConfig"] == {"nameservers": ["10.0.0.10"], "searches": ["local"]}
    assert spec["tolerations"] == [
        {"operator": "Equal", "key": "gpu", "value": "yes", "effect": "NoSchedule"},
        {"operator": "Exists"},
    ]
    assert spec["topologySpreadConstraints"][0]["maxSkew"] == 2
    affinity = spec["affinity"]
    node = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert node == [{"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}]
    assert list(affinity["podAffinity"]) == ["preferredDuringSchedulingIgnoredDuringExecution"]
    apart = affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart[0]["labelSelector"]["matchLabels"] == {"app.kubernetes.io/name": "web"}


@pytest.mark.req("Y-59")
def test_a_cell_has_its_own_workload_size_and_values():
    parsed = sample("retail-platform")
    orders = parsed.product("ORDERS")
    api, (east, west) = orders.application("orders-api"), orders.scaling_groups[0].cells
    values = env_of("ORDERS", api, render_cell(entries_of(parsed), setting_of(parsed), west))

    made = {f"{o['kind']}/{o['metadata']['name']}": o for o in render(orders, api, PLACE, values, cell=west)}

    assert list(made) == [
        "Secret/orders-api-west-parameters",
        "Service/orders-api-west-headless",
        "Service/orders-api-west",
        "StatefulSet/orders-api-west",
    ]
    workload = made["StatefulSet/orders-api-west"]
    assert workload["metadata"]["labels"]["antstack.io/cell"] == "west"
    assert workload["spec"]["replicas"] == 3
    assert container(made)["resources"]["limits"] == {"cpu": "1", "memory": "2Gi"}
    assert {"name": "CELL", "value": "west"} in container(made)["env"]
    shared = next(o for o in render(orders, api, PLACE, values, cell=east) if o["metadata"]["name"] == "orders-api")
    assert "antstack.io/cell" not in shared["spec"]["selector"]
    assert made["Service/orders-api-west"]["spec"]["selector"]["antstack.io/cell"] == "west"


@pytest.mark.req("Y-6")
def test_a_load_balancer_is_a_service_of_its_own_name():
    vote = sample().product("VOTE")

    made = load_balancer(vote, vote.load_balancers[1], PLACE)

    assert (made["metadata"]["name"], made["spec"]["type"]) == ("vote-lb", "LoadBalancer")
    assert made["spec"]["selector"]["app.kubernetes.io/name"] == "vote"
    assert made["spec"]["selector"]["antstack.io/online"] == "true"
    assert made["spec"]["ports"][0]["targetPort"] == 80
    assert made["metadata"]["annotations"] == {"antstack.io/network": "public"}
    assert faults(made) == []


@pytest.mark.req("Y-21")
def test_a_plan_has_one_hash_whatever_its_order_and_is_noted_on_workloads_alone():
    parsed = sample("retail-platform")
    made = list(objects(parsed, "catalog-api").values())
    again = list(objects(parsed, "catalog-api").values())

    assert plan_hash(made) == plan_hash(again[::-1])
    again[-1]["spec"]["replicas"] += 1
    assert plan_hash(made) != plan_hash(again)
    noted = marked(made, "17", plan_hash(made))
    assert noted[-1]["metadata"]["annotations"] == {"antstack.io/order": "17", "antstack.io/plan": plan_hash(made)}
    assert all("annotations" not in item["metadata"] for item in [*made, *noted[:-1]])
    assert "antstack.io/order" not in json.dumps(noted[-1]["spec"])


@pytest.mark.req("Y-30")
def test_a_run_of_a_task_has_the_same_name_for_the_same_order_and_attempt():
    assert job_name("migrate", "12", 1) == "migrate-12-1"
    long = job_name("a" * 63, "12", 1)
    assert len(long) <= 63
    assert long == job_name("a" * 63, "12", 1) != job_name("a" * 63, "12", 2)
    assert long.endswith("-12-1"), "runs of orders and attempts could not be told apart"
    assert job_name("a" * 63, "12") != job_name("a" * 62 + "b", "12")
    assert label_value("1.0+build 7/x-") == "1.0_build_7_x"


@pytest.mark.req("Y-1")
def test_the_registry_of_the_environment_is_used_where_none_is_named():
    place = Place("shop", "env-1", registry="registry.local:5000/mirror", pull_secrets=("pull",))
    made = objects(sample(), "redis", place)

    assert container(made)["image"] == "registry.local:5000/mirror/redis:alpine"
    assert pod(made)["imagePullSecrets"] == [{"name": "pull"}]
    assert container(objects(sample("retail-platform"), "cart", place))["image"] == "registry.example/retail/cart:2.4.0"


@pytest.mark.req("Y-30")
@pytest.mark.parametrize("name", ["voting-app", "retail-platform"])
def test_every_object_of_the_samples_is_known_to_kubernetes(name: str):
    parsed = sample(name)
    place = Place("shop", "env-1", registry="r.example", pull_secrets=("p",), storage_class="fast")
    values = render_names(entries_of(parsed), setting_of(parsed, {"db.retail_orders.host": Output("h")}))
    for product, application in parsed.applications():
        known = {key: value for key, value in values.items() if not value.error}
        ready = all(f"{product.code}/{application.name}.{p.key}" in known for p in application.parameters)
        env = env_of(product.code, application, values) if ready else ()
        for item in render(product, application, place, env, order="1"):
            assert faults(item) == []
            assert json.loads(json.dumps(item)) == item
