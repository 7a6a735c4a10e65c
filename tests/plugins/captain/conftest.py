"""Fixtures: a sandbox with some workloads, registered for one tenant, and mirrored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.serving import make_server

from app.db import db
from app.kube.models import Cluster, KubeObject
from sandbox.launch import Sandbox, start
from tests import kube


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An API server with two namespaces of workloads."""
    with start(tmp_path_factory.mktemp("sandbox"), nodes=3, speed=20) as running:
        for namespace in ("alpha", "beta"):
            kube.make_namespace(running, namespace)
        kube.ask(running, "POST", "/apis/apps/v1/namespaces/alpha/deployments", deployment("web", 3))
        kube.ask(running, "POST", "/apis/apps/v1/namespaces/beta/deployments", deployment("api", 2))
        yield running


def deployment(name: str, replicas: int) -> dict[str, Any]:
    """A Deployment's manifest."""
    container = {
        "name": name,
        "image": f"registry.example/{name}:1.0",
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
        "env": [{"name": "SECRET_WORD", "value": "xyzzy"}],
    }
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def cluster(app_context: Flask, tenant: Any, sandbox: Sandbox) -> Iterator[Cluster]:
    """The sandbox as the tenant's cluster, its mirror at work and in step."""
    made = kube.register(sandbox, tenant.id)
    with kube.mirroring(app_context, made):
        kube.eventually(lambda: _running(made) >= 5)
        yield made


def _running(cluster: Cluster) -> int:
    query = select(func.count()).where(
        KubeObject.cluster_id == cluster.id, KubeObject.kind == "pods", KubeObject.state == "Running"
    )
    return db.session.scalar(query) or 0


@pytest.fixture
def root(cluster: Cluster) -> str:
    """Where the cluster's pages are."""
    return f"/captain/clusters/{cluster.id}"


@pytest.fixture
def a_pod(cluster: Cluster) -> KubeObject:
    """A running pod of ``alpha``."""
    query = (
        select(KubeObject)
        .where(
            KubeObject.cluster_id == cluster.id,
            KubeObject.kind == "pods",
            KubeObject.namespace == "alpha",
            KubeObject.state == "Running",
        )
        .limit(1)
    )
    return kube.eventually(lambda: db.session.scalar(query))


@pytest.fixture
def server(app_context: Flask) -> Iterator[str]:
    """The site on a real socket, with a thread for each connection."""
    made = make_server("127.0.0.1", 0, app_context, threaded=True)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join(5)


@pytest.fixture
def own_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An API server that a test may break."""
    with start(tmp_path_factory.mktemp("sandbox"), nodes=1, speed=20) as running:
        yield running
