"""A sandbox for the tests of what no real cluster has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.launch import Sandbox, start
from tests.contract.api import Api, unique, wait_for


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that runs twenty times as fast as life."""
    with start(tmp_path_factory.mktemp("sandbox"), speed=20, tokens={"bob-token": "bob"}) as sandbox:
        yield sandbox


@pytest.fixture
def api(running: Sandbox, tmp_path: Path) -> Iterator[Api]:
    """A client of it with a namespace of its own; no fault is left behind."""
    api = Api(running.kubeconfig, unique("sandbox"), "sandbox", tmp_path)
    assert api.call("POST", "/api/v1/namespaces", {"metadata": {"name": api.namespace}}).status == 201
    wait_for(lambda: api.get("v1/serviceaccounts", "default").status == 200)
    yield api
    api.call("DELETE", "/sandbox/faults")
    api.call("DELETE", f"/api/v1/namespaces/{api.namespace}")
    api.pool.clear()
