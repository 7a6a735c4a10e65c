"""The two clusters that every contract test runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.launch import Sandbox, start
from tests.cluster.node import RealNode
from tests.contract.api import Api, unique, wait_for


@pytest.fixture(scope="session")
def sandbox_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that runs twenty times as fast as life."""
    with start(tmp_path_factory.mktemp("sandbox"), speed=20) as sandbox:
        yield sandbox


@pytest.fixture(scope="session", params=["sandbox", pytest.param("real", marks=pytest.mark.real)])
def cluster(request: pytest.FixtureRequest) -> Path:
    """The kubeconfig of the cluster under test."""
    fixture = "sandbox_cluster" if request.param == "sandbox" else "control_plane"
    found: Any = request.getfixturevalue(fixture)
    return Path(found.kubeconfig)


@pytest.fixture
def api(cluster: Path, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    """A client with a namespace of its own."""
    yield from _client(cluster, request.node.callspec.params["cluster"], tmp_path)


@pytest.fixture
def only_sandbox(sandbox_cluster: Sandbox, tmp_path: Path) -> Iterator[Api]:
    """For what no real control plane does on demand."""
    yield from _client(sandbox_cluster.kubeconfig, "sandbox", tmp_path)


@pytest.fixture(
    params=["sandbox", pytest.param("node", marks=[pytest.mark.real, pytest.mark.xdist_group("real-node")])]
)
def on_a_node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    """For what needs containers: the sandbox, and a real node with its registry."""
    if request.param == "sandbox":
        kubeconfig, host = request.getfixturevalue("sandbox_cluster").kubeconfig, "registry.example"
    else:
        node: RealNode = request.getfixturevalue("real_node")
        kubeconfig, host = node.kubeconfig, node.registry.host
        node.registry.push("app", "1")
    for api in _client(kubeconfig, request.param, tmp_path):
        api.registry = host
        yield api


def _client(kubeconfig: Path, kind: str, folder: Path) -> Iterator[Api]:
    api = Api(kubeconfig, unique(), kind, folder)
    made = api.call("POST", "/api/v1/namespaces", {"metadata": {"name": api.namespace}})
    assert made.status == 201, made.body
    wait_for(lambda: api.get("v1/serviceaccounts", "default").status == 200)
    yield api
    api.call("DELETE", f"/api/v1/namespaces/{api.namespace}")
    api.pool.clear()
