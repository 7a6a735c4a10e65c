"""What objects of every kind have: pages in both languages, rights, tenancy, YAML, events, API (K-30)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from markupsafe import Markup

from plugins.captain import permissions
from plugins.captain.objects import live
from tests import factories, kube

pytestmark = pytest.mark.req("K-30", "C-50")
READS = [p for p in permissions.ALL if p.reads]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/nodes",
        "/namespaces",
        "/workloads/deployments",
        "/workloads/statefulsets",
        "/workloads/daemonsets",
        "/workloads/jobs",
        "/pods",
        "/nodes/node-1",
        "/namespaces/alpha",
        "/workloads/deployments/alpha/web",
    ],
)
def test_every_page_opens_in_both_languages(as_holder_of: Any, root: str, path: str):
    person = as_holder_of(*READS)
    for language, word in (("en", "Overview"), ("zh", "概览")):
        answer = person.get(root + path, headers={"Accept-Language": language})
        assert answer.status_code == 200
        assert word in answer.text


def test_a_namespace_that_was_chosen_stays_while_moving_between_kinds(as_holder_of: Any, root: str):
    page = as_holder_of(*READS).get(f"{root}/pods?namespace=alpha").text

    assert f"{root}/workloads/deployments?namespace=alpha" in page


def test_another_tenant_finds_nothing(as_holder_of: Any, root: str):
    stranger = as_holder_of(*permissions.ALL, tenant=factories.make_tenant())

    for path in ("", "/pods", "/nodes", "/edit", "/banner", "/warnings"):
        assert stranger.get(root + path).status_code == 404


def test_what_one_may_not_see_is_refused_and_not_offered(as_holder_of: Any, root: str):
    person = as_holder_of(permissions.CLUSTER_READ, permissions.NODE_READ)

    assert person.get(f"{root}/pods").status_code == 403
    page = person.get(root).text
    assert f"{root}/nodes" in page
    assert 'class="tab" href="' + f"{root}/pods" not in page
    assert person.get(f"{root}/yaml/pods/alpha/x").status_code == 403


@pytest.mark.req("Q-30")
@pytest.mark.parametrize(("namespace", "name"), [("beta", ".."), ("beta", "."), ("..", "beta")])
def test_what_is_no_name_leads_to_no_other_object(as_holder_of: Any, api: Any, cluster: Any, namespace: str, name: str):
    reader = api(as_holder_of(*[p for p in permissions.ALL if p.reads]))

    answer = reader.get(
        f"/captain/clusters/{cluster.id}/objects", query_string={"kind": "Pod", "namespace": namespace, "name": name}
    )

    assert (answer.status_code, answer.json["code"]) == (404, "CORE/NOT_FOUND")


def test_a_secret_never_leaves_the_server(as_holder_of: Any, api: Any, root: str, sandbox: Any):
    word = base64.b64encode(b"open sesame").decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door"}, "data": {"word": word}}
    kube.ask(sandbox, "POST", "/api/v1/namespaces/beta/secrets", secret)
    program = api(as_holder_of(permissions.CLUSTER_READ, permissions.WORKLOAD_READ))

    one = program.get(f"/api/v1{root}/objects?kind=Secret&namespace=beta&name=door")
    several = program.get(f"/api/v1{root}/objects?kind=Secret&namespace=beta")

    assert one.json["data"] == {"word": live.MASK}
    assert word not in one.text + several.text


def test_yaml_and_events_come_from_the_cluster(as_holder_of: Any, root: str, a_pod: Any):
    person = as_holder_of(permissions.CLUSTER_READ, permissions.POD_READ)
    page = person.get(f"{root}/yaml/pods/alpha/{a_pod.name}").text

    assert "apiVersion: v1" in Markup(page).striptags()
    assert "managedFields" not in page
    assert "Scheduled" in person.get(f"{root}/events/pods/alpha/{a_pod.name}").text


@pytest.mark.req("C-60")
def test_the_api_lists_what_the_pages_list(as_holder_of: Any, api: Any, root: str, cluster: Any):
    program = api(as_holder_of(*[p for p in permissions.ALL if p.reads]))
    base = f"/api/v1{root}"

    assert [c["name"] for c in program.get("/api/v1/captain/clusters").json["items"]] == ["sandbox"]
    one = program.get(base).json
    assert one["state"] == "reachable"
    assert one["usage"]["nodesReady"] == 3
    assert one["usage"]["cpuRequested"] > 0
    assert "kubeconfig" not in one
    assert {n["name"] for n in program.get(f"{base}/nodes").json["items"]} == {"node-1", "node-2", "node-3"}
    assert "alpha" in {n["name"] for n in program.get(f"{base}/namespaces").json["items"]}
    (work,) = program.get(f"{base}/workloads/deployments?namespace=alpha").json["items"]
    assert (work["name"], work["state"], work["desired"]) == ("web", "running", 3)
    assert len(program.get(f"{base}/workloads/deployments/alpha/web/pods").json["items"]) == 3
    assert program.get(f"{base}/overview").json["pods"]
    assert program.get(f"{base}/workloads/cronthings").status_code == 404
    assert program.get(f"{base}/objects?kind=Nonsense").status_code == 422
