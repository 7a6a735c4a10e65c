"""Registering, changing and removing clusters (K-1, Y-82)."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from sqlalchemy import select

from app.db import db
from app.kube.models import Cluster
from plugins.captain import permissions
from tests import kube

pytestmark = pytest.mark.req("K-1")
EDIT = (permissions.CLUSTER_READ, permissions.CLUSTER_EDIT)


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
    from plugins.captain import seeding

    text = sandbox.kubeconfig.read_text()
    for _ in range(2):
        site = Seed(sample=True, kubeconfig=text, kubeconfig_path="/k", tenant_id=tenant.id)
        seeding.seed(site)
        db.session.commit()

    (row,) = held(tenant)
    assert site.facts["clusters"] == [{"id": row.id, "name": "sandbox", "kubeconfig": "/k"}]
