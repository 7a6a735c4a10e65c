"""Whatever the console asks of a cluster in a dry run, the cluster only tells what would happen (C-60)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app import caller
from app.kube import client
from tests.contract.api import Api, wait_for
from tests.kube import config_map, pod

pytestmark = pytest.mark.req("C-60", "C-30")


@pytest.fixture
def trying(api: Api, app_context: Any) -> Any:
    """The console's client of this cluster, in a dry run."""
    import yaml

    kube = client.Kube("tried", yaml.safe_load(api.kubeconfig.read_text()))
    with caller.acting_as(replace(caller.current(), dry_run=True)):
        yield kube
    kube.close()


def test_no_change_is_made(api: Api, trying: Any) -> None:
    base = f"/api/v1/namespaces/{api.namespace}"
    assert api.call("POST", f"{base}/pods", pod("there")).status == 201
    wait_for(lambda: api.get("v1/pods", "there").body["spec"].get("nodeName"))
    assert api.call("POST", f"{base}/configmaps", config_map("kept")).status == 201
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "there", "namespace": api.namespace},
    }

    trying.create(f"{base}/configmaps", config_map("made"))
    trying.patch(f"{base}/configmaps/kept", {"data": {"a": "b"}})
    trying.apply({**config_map("applied"), "metadata": {"name": "applied", "namespace": api.namespace}})
    assert trying.delete(f"{base}/configmaps/kept")
    assert trying.delete(f"{base}/pods/there", uid=api.get("v1/pods", "there").body["metadata"]["uid"])
    trying.request("POST", f"{base}/pods/there/eviction", body=eviction)

    assert api.get("v1/configmaps", "made").status == 404
    assert api.get("v1/configmaps", "applied").status == 404
    assert "data" not in api.get("v1/configmaps", "kept").body
    assert "deletionTimestamp" not in api.get("v1/pods", "there").body["metadata"]
