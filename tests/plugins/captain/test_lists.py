"""Lists of nodes, namespaces, workloads and pods from the mirror (K-1, K-30, C-50)."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from app.outgoing.door import Door
from plugins.captain import permissions
from tests import factories, kube

pytestmark = pytest.mark.req("K-30", "C-50")
NAME = re.compile(r'data-id="([^"]+)"')
READS = [p for p in permissions.ALL if p.reads]


def rows(text: str) -> list[str]:
    """The row identifiers of a list."""
    return NAME.findall(text)


@pytest.mark.req("K-1")
def test_the_list_of_clusters_shows_state_version_and_use(as_holder_of: Any, cluster: Any):
    page = as_holder_of(*READS).get("/captain/clusters").text

    assert "sandbox" in page
    assert "v1.37" in page
    assert ">3<" in page.replace("\n", "")  # nodes ready


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


def test_pods_can_be_filtered_searched_and_sorted(as_holder_of: Any, root: str):
    person = as_holder_of(*READS)

    assert len(rows(person.get(f"{root}/pods?namespace=alpha").text)) == 3
    assert len(rows(person.get(f"{root}/pods?namespace=beta&q=api").text)) == 2
    assert len(rows(person.get(f"{root}/pods?q=registry.example/web").text)) == 3
    assert rows(person.get(f"{root}/pods?namespace=alpha&state=Failed").text) == []
    up = rows(person.get(f"{root}/pods?sort=name&q=registry.example").text)
    down = rows(person.get(f"{root}/pods?sort=-name&q=registry.example").text)
    assert up == down[::-1]
    assert len(up) == 5


def test_htmx_gets_the_rows_alone(as_holder_of: Any, root: str):
    person = as_holder_of(*READS)
    whole = person.get(f"{root}/pods")
    part = person.get(f"{root}/pods", headers={"HX-Request": "true"})

    assert "<html" in whole.text
    assert "<html" not in part.text
    assert rows(part.text) == rows(whole.text)
    assert "HX-Request" in part.headers["Vary"]


def test_csv_holds_what_the_filters_let_through(as_holder_of: Any, root: str):
    text = as_holder_of(*READS).get(f"{root}/pods?namespace=alpha&format=csv&cols=name&cols=images").text

    lines = [line for line in text.splitlines() if line]
    assert len(lines) == 4
    assert "web:1.0" in lines[1]


def test_csv_speaks_the_language_of_the_page(as_holder_of: Any, cluster: Any):
    asked = "/captain/clusters?format=csv&cols=state"
    words = [
        as_holder_of(*READS).get(asked, headers={"Accept-Language": language}).text for language in ("en", "zh-CN")
    ]

    assert "Reachable" in words[0] or "Not yet" in words[0]
    assert "Reachable" not in words[1]
    assert "Not yet" not in words[1]


def test_a_namespace_that_was_chosen_stays_while_moving_between_kinds(as_holder_of: Any, root: str):
    page = as_holder_of(*READS).get(f"{root}/pods?namespace=alpha").text

    assert f"{root}/workloads/deployments?namespace=alpha" in page


def test_details_link_owner_node_and_pods(as_holder_of: Any, root: str, a_pod: Any):
    person = as_holder_of(*READS)
    page = person.get(f"{root}/pods/alpha/{a_pod.name}").text

    assert f"{root}/nodes/{a_pod.node}" in page
    assert f"{root}/workloads/deployments/alpha/web" in page
    assert "SECRET_WORD" in page
    assert "xyzzy" not in page  # names of variables, not their values
    assert len(rows(person.get(f"{root}/workloads/deployments/alpha/web").text)) == 3
    owner = person.get(f"{root}/owners/{a_pod.owner_uid}")
    assert owner.headers["Location"].endswith("/workloads/deployments/alpha/web")


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


@pytest.mark.req("K-71")
def test_a_grant_for_one_namespace_opens_that_namespace_alone(as_holder_of: Any, root: str, a_pod: Any):
    conditions = [{"kind": "resource", "attribute": "namespace", "values": ["alpha"]}]
    person = as_holder_of(permissions.POD_READ, conditions=conditions)

    assert person.get(f"{root}/pods?namespace=alpha").status_code == 200
    assert person.get(f"{root}/pods?namespace=beta").status_code == 403
    assert person.get(f"{root}/pods").status_code == 403


def connections_of_this_thread(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who is connected to from here on, by pages, which tests ask in their own thread; the mirror has another."""
    asked: list[str] = []
    connect, here = Door.connect, threading.current_thread()

    def counted(self: Door, host: str, *arguments: Any, **named: Any) -> Any:
        if threading.current_thread() is here:
            asked.append(host)
        return connect(self, host, *arguments, **named)

    monkeypatch.setattr(Door, "connect", counted)
    return asked


@pytest.mark.req("K-1", "Q-20")
def test_no_page_waits_for_an_unreachable_cluster(
    as_holder_of: Any, app_context: Any, tenant: Any, own_sandbox: Any, monkeypatch: pytest.MonkeyPatch
):
    kube.make_namespace(own_sandbox, "calm")
    kube.ask(own_sandbox, "POST", "/api/v1/namespaces/calm/pods", kube.pod("still"))
    person = as_holder_of(*permissions.ALL)
    made = kube.register(own_sandbox, tenant.id, "lost")
    root = f"/captain/clusters/{made.id}"
    with kube.mirroring(app_context, made):
        kube.eventually(lambda: "still" in person.get(f"{root}/pods").text)
        paths = (
            "",
            "/pods",
            "/nodes",
            "/pods/calm/still",
            "/warnings",
            "/events/pods/calm/still",
            "/yaml/pods/calm/still",
        )
        for path in paths:  # templates are compiled once a process
            assert person.get(root + path).status_code == 200
        own_sandbox.stop()
        kube.eventually(lambda: "KUBE/CLUSTER_UNREACHABLE" in person.get(f"{root}/banner").text, 20)
        asked = connections_of_this_thread(monkeypatch)
        for path in paths:
            assert person.get(root + path).status_code == 200
        assert asked == []
        page = person.get(f"{root}/pods").text
        assert "still" in page  # the list works on from the mirror
        assert "KUBE/CLUSTER_UNREACHABLE" in page
        listed = person.get("/captain/clusters").text
        assert "KUBE/CLUSTER_UNREACHABLE" in listed, re.sub(r"<[^>]+>|\s+", " ", listed[listed.index("<tbody") :])[:600]
