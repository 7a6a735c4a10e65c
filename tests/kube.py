"""A sandbox API server for tests, its clusters in the console, and their mirrors at work."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask

from app import caller
from app.caller import Caller
from app.contracts.identity import Principal
from app.db import db
from app.kube import clusters, kubeconfig
from app.kube.client import connect
from app.kube.mirror import ClusterMirror
from app.kube.models import Cluster
from sandbox.launch import Sandbox


def eventually(check: Callable[[], Any], seconds: float = 15.0) -> Any:
    """What *check* returns once that is true."""
    end = time.monotonic() + seconds
    while True:
        db.session.rollback()
        found = check()
        if found:
            return found
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def ask(sandbox: Sandbox, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
    """One request to the sandbox as its administrator."""
    request = urllib.request.Request(
        f"{sandbox.url}{path}", method=method, data=json.dumps(body).encode() if body is not None else None
    )
    request.add_header("Authorization", f"Bearer {sandbox.token}")
    request.add_header("Content-Type", content_type)
    context = ssl.create_default_context(cafile=str(sandbox.ca))
    with urllib.request.urlopen(request, context=context, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text.strip().startswith(b"{") else text.decode()


def pod(name: str, image: str = "busybox", **spec: Any) -> dict[str, Any]:
    """A pod's manifest."""
    container = {"name": "main", "image": image, "command": ["sh", "-c", "while true; do sleep 1; done"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container], **spec}}


def config_map(name: str) -> dict[str, Any]:
    """Something small."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def make_namespace(sandbox: Sandbox, name: str) -> str:
    """A namespace, ready for pods."""
    ask(sandbox, "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def somebody(tenant_id: str) -> Caller:
    """Somebody of a tenant, for services that act in the caller's name."""
    return Caller(principal=Principal("system", "test", "test", "test", tenant_id), trace_id=caller.new_trace())


def register(sandbox: Sandbox, tenant_id: str, name: str = "sandbox") -> Cluster:
    """The sandbox as a registered cluster of a tenant."""
    before = caller.current()
    caller.become(somebody(tenant_id))
    made = clusters.add(name, kubeconfig.checked(sandbox.kubeconfig.read_text()))
    db.session.commit()
    caller.become(before)
    return made


@contextlib.contextmanager
def mirroring(app: Flask, cluster: Cluster) -> Iterator[ClusterMirror]:
    """The mirror of a cluster at work."""
    stop = threading.Event()
    worker = ClusterMirror(app, cluster.id, connect(cluster, 24), stop)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join(10)
