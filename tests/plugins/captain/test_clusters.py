"""Registering, changing, listing and removing clusters, and those that do not answer (K-1, Y-82)."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from app.db import db
from app.kube.models import Cluster
from app.outgoing.door import Door
from plugins.captain import permissions
from tests import kube

pytestmark = pytest.mark.req("K-1")
EDIT = (permissions.CLUSTER_READ, permissions.CLUSTER_EDIT)
READS = [p for p in permissions.ALL if p.reads]


def held(tenant: Any) -> list[Cluster]:
    db.session.expire_all()
    return list(db.session.scalars(select(Cluster).where(Cluster.tenant_id == tenant.id)))


def parts(sandbox: Any) -> dict[str, str]:
    return {"server": sandbox.url, "ca": sandbox.ca.read_text(), "token": sandbox.token}


def test_a_kubeconfig_registers_a_cluster_and_stays_sealed(
    as_holder_of: Any, tenant: Any, sandbox: Any, audit_log: Any
):
    text = sandbox.kubeconfig.read_text()

    answer = as_holder_of(*EDIT).post("/captain/clusters/new", data={"name": "east", "kubeconfig": text})

    (made,) = held(tenant)
    assert answer.headers["Location"] == f"/captain/clusters/{made.id}"
    assert (made.name, made.state, made.server) == ("east", "reachable", sandbox.url)
    raw = (
        db.session.connection().exec_driver_sql(f"SELECT kubeconfig FROM kube_cluster WHERE id = '{made.id}'").scalar()
    )
    assert sandbox.token not in str(raw)
    assert ("captain.cluster.registered", "east", "success") in audit_log()
    assert sandbox.token not in str([row.detail for row in audit_log(rows=True)])


def test_server_ca_and_token_do_as_well(as_holder_of: Any, tenant: Any, sandbox: Any):
    as_holder_of(*EDIT).post("/captain/clusters/new", data={"name": "west", **parts(sandbox)})

    assert [row.name for row in held(tenant)] == ["west"]


@pytest.mark.req("Y-82")
def test_every_reason_for_a_refusal_stands_beside_its_field(
    as_holder_of: Any, tenant: Any, sandbox: Any, audit_log: Any
):
    document = yaml.safe_load(sandbox.kubeconfig.read_text())
    for user in document["users"]:
        user["user"]["exec"] = {"command": "touch", "args": ["/tmp/owned"]}
    document["clusters"][0]["cluster"]["certificate-authority"] = "/etc/passwd"

    form = {"name": "evil", "kubeconfig": yaml.safe_dump(document)}
    answer = as_holder_of(*EDIT).post("/captain/clusters/new", data=form, headers={"Accept-Language": "en"})

    assert answer.status_code == 422
    assert "exec would run a program" in answer.text
    assert "certificate-authority names a file" in answer.text
    assert 'value="evil"' in answer.text  # nothing typed is lost
    assert held(tenant) == []
    assert ("captain.cluster.registered", "failed") in [(code, result) for code, _, result in audit_log()]


@pytest.mark.parametrize("wrong", ["token", "ca", "port"])
def test_credentials_are_tried_before_they_are_kept(as_holder_of: Any, tenant: Any, sandbox: Any, wrong: str):
    given = parts(sandbox)
    code = {"token": "KUBE/CREDENTIALS_REFUSED", "ca": "KUBE/CLUSTER_UNREACHABLE", "port": "KUBE/CLUSTER_UNREACHABLE"}[
        wrong
    ]
    if wrong == "token":
        given["token"] = "nobody"
    elif wrong == "ca":
        given["ca"] = ""
    else:
        given["server"] = "https://127.0.0.1:1"

    answer = as_holder_of(*EDIT).post("/captain/clusters/new", data={"name": "x", **given})

    assert answer.status_code == 422
    assert code in answer.text
    assert held(tenant) == []


def test_a_name_is_taken_once(as_holder_of: Any, tenant: Any, sandbox: Any):
    person = as_holder_of(*EDIT)
    person.post("/captain/clusters/new", data={"name": "one", **parts(sandbox)})

    answer = person.post("/captain/clusters/new", data={"name": "one", **parts(sandbox)})

    assert answer.status_code == 409
    assert len(held(tenant)) == 1


def test_name_and_credentials_can_be_changed(as_holder_of: Any, api: Any, tenant: Any, sandbox: Any):
    person = as_holder_of(*EDIT)
    person.post("/captain/clusters/new", data={"name": "old", **parts(sandbox)})
    row = held(tenant)[0]
    version = row.version

    person.post(f"/captain/clusters/{row.id}/edit", data={"name": "new", "description": "d", **parts(sandbox)})

    row = held(tenant)[0]
    assert (row.name, row.description, row.version) == ("new", "d", version + 1)


def test_removing_needs_the_name_typed_and_touches_nothing_in_the_cluster(
    as_holder_of: Any, tenant: Any, sandbox: Any, audit_log: Any
):
    person = as_holder_of(*EDIT)
    person.post("/captain/clusters/new", data={"name": "gone", **parts(sandbox)})
    row = held(tenant)[0]

    assert person.post(f"/captain/clusters/{row.id}/remove", data={"confirm": "else"}).status_code == 422
    assert person.post(f"/captain/clusters/{row.id}/remove", data={"confirm": "gone"}).status_code == 303
    assert held(tenant) == []
    assert ("captain.cluster.removed", "gone", "success") in audit_log()
    assert kube.ask(sandbox, "GET", "/api/v1/namespaces/alpha")["metadata"]["name"] == "alpha"


def test_a_reader_changes_nothing(as_holder_of: Any, cluster: Any, sandbox: Any):
    person = as_holder_of(permissions.CLUSTER_READ)

    assert person.post("/captain/clusters/new", data={"name": "x", **parts(sandbox)}).status_code == 403
    assert person.post(f"/captain/clusters/{cluster.id}/edit", data={"name": "x"}).status_code == 403
    assert person.post(f"/captain/clusters/{cluster.id}/remove", data={"confirm": "sandbox"}).status_code == 403


def test_the_site_begins_with_its_first_cluster_once(app_context: Any, tenant: Any, sandbox: Any):
    from app.contracts.seed import Seed
    from plugins.captain.clusters import seeding

    text = sandbox.kubeconfig.read_text()
    for _ in range(2):
        site = Seed(sample=True, kubeconfig=text, kubeconfig_path="/k", tenant_id=tenant.id)
        seeding.seed(site)
        db.session.commit()

    (row,) = held(tenant)
    assert site.facts["clusters"] == [{"id": row.id, "name": "sandbox", "kubeconfig": "/k"}]


def test_the_list_of_clusters_shows_state_version_and_use(as_holder_of: Any, cluster: Any):
    page = as_holder_of(*READS).get("/captain/clusters").text

    assert "sandbox" in page
    assert "v1.37" in page
    assert ">3<" in page.replace("\n", "")  # nodes ready


@pytest.mark.req("C-50")
def test_csv_speaks_the_language_of_the_page(as_holder_of: Any, cluster: Any):
    asked = "/captain/clusters?format=csv&cols=state"
    words = [
        as_holder_of(*READS).get(asked, headers={"Accept-Language": language}).text for language in ("en", "zh-CN")
    ]

    assert "Reachable" in words[0] or "Not yet" in words[0]
    assert "Reachable" not in words[1]
    assert "Not yet" not in words[1]


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


@pytest.mark.req("Q-20")
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
