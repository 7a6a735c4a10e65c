"""Environments that cannot be: what is wrong is refused with its code and a remedy."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from sandbox.launch import Sandbox
from tests.plugins.yunyou.delivery import Delivery
from tests.plugins.yunyou.refusals import nothing_changes, refused


@pytest.mark.req("Y-80", "Y-82")
@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "id"}},
        {"auth-provider": {"name": "x"}},
        {"tokenFile": "/etc/passwd"},
    ],
)
def test_a_dangerous_kubeconfig_is_refused(
    sandboxed: Delivery, delivery_sandbox: Sandbox, user: dict[str, Any]
) -> None:
    settings = yaml.safe_load(delivery_sandbox.kubeconfig.read_text())
    settings["users"][0]["user"] = user
    body = {"name": "danger", "prefix": "danger", "kubeconfig": yaml.safe_dump(settings)}
    with nothing_changes(sandboxed):
        answer = refused(sandboxed.ask("POST", "/environments", body, 422), "KUBE/KUBECONFIG_REFUSED")
    assert next(iter(user)) in json.dumps(answer)


@pytest.mark.req("Y-80")
def test_a_namespace_that_is_taken_or_reserved(sandboxed: Delivery) -> None:
    site = sandboxed
    body = {"name": "second", "prefix": "second", "cluster": site.environment["cluster"]}
    with nothing_changes(site):
        refused(
            site.ask("POST", "/environments", {**body, "namespace": site.namespace}, 409), "YUNYOU/ENVIRONMENT_TAKEN"
        )
        refused(site.ask("POST", "/environments", {**body, "namespace": "kube-system"}, 422), "CORE/INVALID_INPUT")
