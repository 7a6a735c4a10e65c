"""Who may call: no token, a reader, impersonation, a service account."""

from __future__ import annotations

import pytest

from sandbox.launch import Sandbox
from tests.contract.api import Api, config_map


def test_without_a_token(api: Api) -> None:
    api.headers = {}

    refused = api.get("v1/pods")

    assert (refused.status, refused.body["reason"]) == (401, "Unauthorized")


@pytest.fixture
def reader(api: Api, running: Sandbox) -> Api:
    """The client as one who may only read."""
    api.headers = {"Authorization": f"Bearer {running.view_token}"}
    yield api
    api.headers = {"Authorization": f"Bearer {running.token}"}


def test_a_reader_reads_and_does_not_write(reader: Api) -> None:
    refused = reader.create("v1/configmaps", config_map("a"))

    assert reader.get("v1/configmaps").status == 200
    assert reader.get("v1/secrets").status == 403
    assert refused.status == 403
    assert refused.message == (
        'configmaps is forbidden: User "viewer" cannot create resource "configmaps" in API group "" '
        f'in the namespace "{reader.namespace}"'
    )


@pytest.mark.parametrize(("verb", "allowed"), [("list", True), ("delete", False)])
def test_a_reader_is_told_what_it_may_do(reader: Api, verb: str, allowed: bool) -> None:
    review = {"spec": {"resourceAttributes": {"verb": verb, "resource": "pods", "namespace": reader.namespace}}}

    answer = reader.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)

    assert (answer.status, answer.body["status"]["allowed"]) == (201, allowed)


def test_an_impersonated_user_has_only_its_own_rights(api: Api) -> None:
    api.headers |= {"Impersonate-User": "alice"}
    refused = api.get("v1/pods")
    who = api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    api.headers.pop("Impersonate-User")

    assert refused.status == 403
    assert who.body["status"]["userInfo"]["username"] == "alice"
    assert api.call("GET", "/sandbox/faults").body["impersonated"]["alice"] >= 2


def test_a_token_of_a_service_account(api: Api) -> None:
    made = api.call("POST", api.path("v1/serviceaccounts", "default/token"), {"spec": {"expirationSeconds": 600}}).body
    api.headers = {"Authorization": f"Bearer {made['status']['token']}"}

    who = api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})

    assert who.body["status"]["userInfo"]["username"] == f"system:serviceaccount:{api.namespace}:default"


def test_a_token_given_at_the_start(api: Api) -> None:
    api.headers = {"Authorization": "Bearer bob-token"}

    who = api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})

    assert who.body["status"]["userInfo"]["username"] == "bob"
