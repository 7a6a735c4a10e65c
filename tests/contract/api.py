"""A bare client for these tests: requests, watches and ``kubectl`` against one kubeconfig."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
import yaml

from tests import components
from tests.cluster.build import cache_folder

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
PARTIAL = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"}


@dataclass
class Answer:
    """A status code and a body."""

    status: int
    body: Any
    headers: Any = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The message of a refusal."""
        return str(self.body.get("message", ""))


def wait_for(check: Callable[[], Any], timeout: float = 30.0, every: float = 0.05) -> Any:
    """The first true answer of *check*; the last one, if it fails, is in the error."""
    end = time.monotonic() + timeout
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, f"not within {timeout} s: {check}"
        time.sleep(every)


class Api:
    """One cluster, and one namespace in it."""

    def __init__(self, kubeconfig: Path, namespace: str, kind: str, folder: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.kubeconfig, self.namespace, self.kind = kubeconfig, namespace, kind
        self.registry = ""
        self.url = cluster["server"]
        ca = folder / "ca.crt"
        if "certificate-authority-data" in cluster:
            ca.write_bytes(b64decode(cluster["certificate-authority-data"]))
        else:
            ca.write_bytes(Path(cluster["certificate-authority"]).read_bytes())
        extra = {}
        if "client-certificate-data" in user:
            for name, key in (("cert_file", "client-certificate-data"), ("key_file", "client-key-data")):
                path = folder / name
                path.write_bytes(b64decode(user[key]))
                extra[name] = str(path)
        self.pool = urllib3.PoolManager(ca_certs=str(ca), **extra)
        self.headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}

    def path(self, resource: str, name: str = "") -> str:
        """The path of a resource written as ``apps/v1/deployments`` or ``v1/pods``, in the test's namespace."""
        *group, plural = resource.split("/")
        base = f"/apis/{'/'.join(group)}" if len(group) == 2 else f"/api/{group[0]}"
        return f"{base}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json", **more: Any) -> Answer:
        """One request; *more* are query parameters, but ``headers``."""
        headers = {**self.headers, "Content-Type": kind, "User-Agent": "contract/1", **more.pop("headers", {})}
        fields = {key: str(value) for key, value in more.items() if value is not None}
        query = "&".join(f"{key}={_quote(value)}" for key, value in fields.items())
        url = self.url + path + (f"?{query}" if query else "")
        data = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        reply = self.pool.request(method, url, body=data, headers=headers, timeout=30)
        try:
            found = json.loads(reply.data)
        except ValueError:
            found = {"message": reply.data.decode()}
        return Answer(reply.status, found, reply.headers)

    def get(self, resource: str, name: str = "", **more: Any) -> Answer:
        """GET an object or a list."""
        return self.call("GET", self.path(resource, name), **more)

    def create(self, resource: str, obj: dict[str, Any], **more: Any) -> Answer:
        """POST an object."""
        return self.call("POST", self.path(resource), obj, **more)

    def patch(self, resource: str, name: str, body: Any, kind: str = MERGE, **more: Any) -> Answer:
        """PATCH an object."""
        return self.call("PATCH", self.path(resource, name), body, kind, **more)

    def apply(self, resource: str, obj: dict[str, Any], manager: str = "antstack", **more: Any) -> Answer:
        """Server-side apply."""
        return self.patch(resource, obj["metadata"]["name"], obj, APPLY, fieldManager=manager, **more)

    def delete(self, resource: str, name: str, **options: Any) -> Answer:
        """DELETE an object."""
        return self.call("DELETE", self.path(resource, name), options or None)

    def made(self, resource: str, obj: dict[str, Any]) -> dict[str, Any]:
        """Create, and insist that it worked."""
        answer = self.create(resource, obj)
        assert answer.status == 201, answer.body
        return dict(answer.body)

    def gone(self, resource: str, name: str) -> bool:
        """Whether an object is no more."""
        return self.get(resource, name).status == 404

    def watch(self, resource: str, timeout: int = 5, **more: Any) -> Iterator[dict[str, Any]]:
        """The events of a watch until it ends."""
        fields = {"watch": "1", "timeoutSeconds": str(timeout), **{k: str(v) for k, v in more.items()}}
        url = self.url + self.path(resource) + "?" + "&".join(f"{key}={_quote(value)}" for key, value in fields.items())
        reply = self.pool.request("GET", url, headers=self.headers, preload_content=False, timeout=timeout + 5)
        if reply.status != 200:
            yield {"type": "REFUSED", "object": json.loads(reply.data)}
            return
        rest = b""
        for chunk in reply.stream(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines if line)
        reply.release_conn()

    def kubectl(self, *words: str, given: str | None = None, check: bool = True) -> str:
        """Run ``kubectl``; its output."""
        command = [kubectl_path(), "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *words]
        env = {**os.environ, "HOME": str(self.kubeconfig.parent)}
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=90, env=env)
        assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def pods(self, **labels: str) -> list[dict[str, Any]]:
        """The pods with these labels."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return list(self.get("v1/pods", labelSelector=selector or None).body["items"])


def _quote(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def kubectl_path() -> str:
    """The ``kubectl`` to use; skips where there is none."""
    found = shutil.which("kubectl", path=f"{os.environ['PATH']}:{cache_folder()}")
    if not found:
        components.missing("kubectl", "build it with: python -m tests.cluster.build (needs Go)")
    return found


def unique(prefix: str = "contract") -> str:
    """A name that nobody has yet."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def ready(pod: dict[str, Any]) -> bool:
    """Whether a pod is ready and stays."""
    conditions = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def container(image: str = "app:1", **more: Any) -> dict[str, Any]:
    """A container called ``app``."""
    return {"name": "app", "image": image, **more}


def template(app: str, image: str = "app:1", **spec: Any) -> dict[str, Any]:
    """A pod template."""
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container(image)], **spec}}


def workload(kind: str, name: str, replicas: int | None = 1, image: str = "app:1", **spec: Any) -> dict[str, Any]:
    """A Deployment, StatefulSet, …"""
    body: dict[str, Any] = {"selector": {"matchLabels": {"app": name}}, "template": template(name, image)}
    if replicas is not None:
        body["replicas"] = replicas
    if kind == "StatefulSet":
        body["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body | spec}


def config_map(name: str, **labels: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": {"a": "1"}}
