"""Deleting and evicting one pod, from pages and by API (K-34)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from app.auth.models import IdempotentAnswer
from app.db import new_id, now
from plugins.captain import permissions
from tests import kube
from tests.meanwhile import between

pytestmark = pytest.mark.req("K-34")
DELETE = (permissions.POD_READ, permissions.POD_DELETE)
PODS = "/api/v1/namespaces/beta/pods"


def make(sandbox: Any, cluster: Any, name: str) -> str:
    from sqlalchemy import select

    from app.db import db
    from app.kube.models import KubeObject

    uid = kube.ask(sandbox, "POST", PODS, kube.pod(name))["metadata"]["uid"]
    query = select(KubeObject.id).where(KubeObject.cluster_id == cluster.id, KubeObject.uid == uid)
    kube.eventually(lambda: db.session.scalar(query))
    return str(uid)


def there(sandbox: Any, name: str) -> bool:
    return any(
        i["metadata"]["name"] == name and not i["metadata"].get("deletionTimestamp")
        for i in kube.ask(sandbox, "GET", PODS)["items"]
    )


def test_a_pod_is_deleted_after_a_dialog_that_names_it(
    as_holder_of: Any, root: str, cluster: Any, sandbox: Any, audit_log: Any
):
    uid = make(sandbox, cluster, "victim")
    person = as_holder_of(*DELETE)

    dialog = person.get(f"{root}/pods/beta/victim/delete", headers={"HX-Request": "true"})
    assert "beta/victim" in dialog.text
    assert uid in dialog.text
    answer = person.post(f"{root}/pods/beta/victim/delete", data={"uid": uid})

    assert answer.status_code == 204
    assert "close-dialog" in answer.headers["HX-Trigger"]
    kube.eventually(lambda: not there(sandbox, "victim"))
    assert ("captain.pod.deleted", "beta/victim", "success") in audit_log()


@pytest.mark.req("Q-30")
@pytest.mark.parametrize("what", ["delete", "evict"])
def test_who_may_end_pods_cannot_end_the_namespace_above_them(as_holder_of: Any, root: str, sandbox: Any, what: str):
    """``pods/..`` is the address of the namespace (RFC 3986, 5.2.4)."""
    kube.make_namespace(sandbox, f"spared-{what}")
    namespace = f"/api/v1/namespaces/spared-{what}"
    uid = kube.ask(sandbox, "GET", namespace)["metadata"]["uid"]

    answer = as_holder_of(*DELETE).post(f"{root}/pods/spared-{what}/%2E%2E/{what}", data={"uid": uid})

    assert answer.status_code == 404
    assert not kube.ask(sandbox, "GET", namespace)["metadata"].get("deletionTimestamp")


def test_a_new_pod_of_the_same_name_is_spared(as_holder_of: Any, root: str, cluster: Any, sandbox: Any, audit_log: Any):
    make(sandbox, cluster, "spared")

    answer = as_holder_of(*DELETE).post(f"{root}/pods/beta/spared/delete", data={"uid": "another"})

    assert answer.status_code == 409
    assert "CAPTAIN/POD_GONE" in answer.text
    assert there(sandbox, "spared")
    assert ("captain.pod.deleted", "failed") in [(code, result) for code, _, result in audit_log()]


def test_evicting_respects_the_disruption_budget(as_holder_of: Any, api: Any, root: str, cluster: Any, sandbox: Any):
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "api"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "api"}}},
    }
    kube.ask(sandbox, "POST", "/apis/policy/v1/namespaces/beta/poddisruptionbudgets", budget)
    program = api(as_holder_of(*DELETE))
    found = program.get(f"/api/v1{root}/pods?namespace=beta&q=api-").json["items"][0]

    def refused() -> bool:
        answer = program.post(f"/api/v1{root}/pods/beta/{found['name']}/evict", json={"uid": found["uid"]})
        assert answer.status_code == 409
        return bool(answer.json["code"] == "CAPTAIN/EVICTION_BLOCKED")

    kube.eventually(refused)
    kube.ask(sandbox, "DELETE", "/apis/policy/v1/namespaces/beta/poddisruptionbudgets/api")
    answer = program.post(f"/api/v1{root}/pods/beta/{found['name']}/evict", json={"uid": found["uid"]})
    assert answer.status_code == 204
    kube.eventually(lambda: not there(sandbox, found["name"]))


def test_deleting_by_api_leaves_the_same_record(
    as_holder_of: Any, api: Any, root: str, cluster: Any, sandbox: Any, audit_log: Any
):
    uid = make(sandbox, cluster, "by-api")

    answer = api(as_holder_of(*DELETE)).delete(f"/api/v1{root}/pods/beta/by-api?uid={uid}")

    assert answer.status_code == 204
    assert ("captain.pod.deleted", "beta/by-api", "success") in audit_log()


def test_reading_rights_delete_nothing(as_holder_of: Any, api: Any, root: str, a_pod: Any):
    person = as_holder_of(*[p for p in permissions.ALL if p.reads])

    assert person.post(f"{root}/pods/alpha/{a_pod.name}/delete", data={"uid": a_pod.uid}).status_code == 403
    assert api(person).post(f"/api/v1{root}/pods/alpha/{a_pod.name}/evict", json={"uid": a_pod.uid}).status_code == 403


@pytest.mark.req("C-30", "C-60")
@pytest.mark.parametrize("how", ["delete", "evict"])
def test_a_dry_run_leaves_the_pod_and_is_recorded_as_tried(
    as_holder_of: Any, api: Any, cluster: Any, sandbox: Any, audit_log: Any, how: str
):
    name = f"tried-{how}"
    uid, program = make(sandbox, cluster, name), api(as_holder_of(*DELETE))
    address = f"/captain/clusters/{cluster.id}/pods/beta/{name}"

    if how == "delete":
        tried = program.delete(f"{address}?uid={uid}&dryRun=true")
    else:
        tried = program.post(f"{address}/evict?dryRun=true", {"uid": uid})

    assert tried.status_code == 204
    assert there(sandbox, name)
    assert [result for code, _, result in audit_log() if code.startswith("captain.pod.")] == ["tried"]


@pytest.mark.req("C-60")
def test_of_two_requests_with_one_key_at_once_only_one_reaches_the_cluster(
    as_holder_of: Any, api: Any, root: str, cluster: Any, sandbox: Any, audit_log: Any
):
    uid, key = make(sandbox, cluster, "by-key"), new_id()
    person = as_holder_of(*DELETE)
    program, path = api(person), f"/api/v1{root}/pods/beta/by-key/evict"
    owner = f"{person.tenant.id}/member:{person.member.id}"

    def faster(connection: Any) -> None:
        values = {
            "id": new_id(),
            "created_at": now(),
            "caller": owner,
            "key": key,
            "digest": "",
            "status": 0,
            "body": "",
            "location": "",
        }
        connection.execute(insert(IdempotentAnswer).values(**values))

    with between(faster) as happened:
        refused = program.post(path, json={"uid": uid}, headers={"Idempotency-Key": key})

    assert happened
    assert refused.status_code == 409
    assert there(sandbox, "by-key")
    later = program.post(path, json={"uid": uid}, headers={"Idempotency-Key": key})
    assert later.status_code == 409, "the faster one has not ended"


@pytest.mark.req("C-60")
def test_a_key_whose_request_failed_may_be_used_again(
    as_holder_of: Any, api: Any, root: str, cluster: Any, sandbox: Any
):
    uid, key = make(sandbox, cluster, "once-more"), new_id()
    program, path = api(as_holder_of(*DELETE)), f"/api/v1{root}/pods/beta/once-more/evict"

    failed = program.post(path, json={"uid": "another"}, headers={"Idempotency-Key": key})
    done = program.post(path, json={"uid": uid}, headers={"Idempotency-Key": new_id()})
    same = program.post(path, json={"uid": "another"}, headers={"Idempotency-Key": key})

    assert failed.status_code in (404, 409)
    assert done.status_code == 204
    assert same.json["code"] != "CORE/CONFLICT"
