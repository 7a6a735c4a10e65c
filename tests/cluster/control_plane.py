"""A real Kubernetes control plane on loopback: etcd, API server, controller manager, scheduler, and KWOK for nodes."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from ssl import create_default_context
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cluster.build import cache_folder

READY_SECONDS = 60
STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class ControlPlane:
    """The running processes and how to reach them. Everything is in ``folder``."""

    folder: Path
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    etcd_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    extra: Sequence[str] = ()
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, Sequence[str]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of a cluster administrator."""
        return self.folder / "kubeconfig"

    @property
    def kubectl(self) -> Path:
        """kubectl of the same version."""
        return cache_folder() / "kubectl"

    def start(self, nodes: int = 5) -> ControlPlane:
        """Start everything and wait until nodes are ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._keys()
        etcd = f"http://127.0.0.1:{self.etcd_port}"
        self._run(
            "etcd",
            "--unsafe-no-fsync",
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{free_port()}",
            "--log-level=error",
        )
        self.start_api_server()
        self._write_kubeconfig()
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            f"--service-account-private-key-file={self.folder}/sa.key",
            "--use-service-account-credentials",
            "--leader-elect=false",
            f"--root-ca-file={self.ca}",
            "--secure-port=0",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            f"--flex-volume-plugin-dir={self.folder}/volumes",
        )
        self._run("kube-scheduler", f"--config={self._scheduler_config()}", "--secure-port=0")
        self._run(
            "kwok",
            f"--kubeconfig={self.kubeconfig}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=40",
            f"--server-address=127.0.0.1:{free_port()}",
            *(f"--config={cache_folder()}/stages/{stage}" for stage in STAGES),
        )
        self.add_nodes(nodes)
        self._wait(lambda: self._ready_nodes() >= nodes, "nodes are not ready")
        self._wait(
            lambda: self.call("GET", "/api/v1/namespaces/default/serviceaccounts/default")[0] == 200,
            "no service account",
        )
        threading.Thread(target=self._revive, daemon=True).start()
        return self

    def _revive(self) -> None:
        """Start what ends by itself again, as a kubelet does: the scheduler exits when its cache and a new API
        server disagree.
        """
        while not self.over.wait(0.5):
            for name, process in list(self.processes.items()):
                if process.poll() is not None and self.processes.get(name) is process and not self.over.is_set():
                    self._run(name, *self.commands[name])

    def start_api_server(self) -> None:
        """Start (or start again) the API server."""
        folder = self.folder
        self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={folder}/certs",
            f"--service-account-key-file={folder}/sa.pub",
            f"--service-account-signing-key-file={folder}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={folder}/tokens.csv",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true",
            *self.extra,
        )
        self._wait(lambda: self.ca.exists() and self.call("GET", "/readyz")[0] == 200, "the API server is not ready")

    def stop_process(self, name: str, kill: bool = True) -> None:
        """End one of the processes, as a fault."""
        process = self.processes.pop(name)
        process.kill() if kill else process.terminate()
        process.wait(10)

    def stop(self) -> None:
        """End everything."""
        self.over.set()
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.processes.clear()

    @property
    def ca(self) -> Path:
        """The certificate that signs the API server's, which signs its own."""
        return self.folder / "certs" / "apiserver.crt"

    def _run(self, name: str, *arguments: str) -> None:
        self.commands[name] = arguments
        log = (self.folder / f"{name}.log").open("ab")
        environment = {**os.environ, "PATH": f"{cache_folder()}:{os.environ['PATH']}"}
        command = [shutil.which(name, path=environment["PATH"]) or name, *arguments]
        self.processes[name] = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=self.folder, preexec_fn=die_with_parent, env=environment
        )

    def _keys(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (self.folder / "sa.key").write_bytes(private)
        (self.folder / "sa.pub").write_bytes(public)
        (self.folder / "tokens.csv").write_text(f'{self.token},admin,admin,"system:masters"\n')

    def _write_kubeconfig(self) -> None:
        cluster = {"server": self.url, "certificate-authority-data": base64.b64encode(self.ca.read_bytes()).decode()}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "real",
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}],
            "clusters": [{"name": "real", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
        }
        self.kubeconfig.write_text(yaml.safe_dump(document))
        self.kubeconfig.chmod(0o600)

    def _scheduler_config(self) -> Path:
        path = self.folder / "scheduler.yaml"
        document = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": str(self.kubeconfig), "qps": 200, "burst": 400},
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Any]:
        """A request as administrator: status and decoded answer; status 0 while nobody answers."""
        if not self.ca.exists():
            return 0, None
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(
                request, timeout=10, context=create_default_context(cafile=str(self.ca))
            ) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (urllib.error.URLError, OSError):
            return 0, None

    def add_nodes(self, count: int, prefix: str = "kwok") -> None:
        """Add nodes that KWOK plays."""
        for number in range(count):
            name = f"{prefix}-{number}"
            size = {"cpu": "32", "memory": "256Gi", "pods": "250"}
            self.call(
                "POST",
                "/api/v1/nodes",
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {
                        "name": name,
                        "annotations": {"kwok.x-k8s.io/node": "fake"},
                        "labels": {"kubernetes.io/hostname": name, "type": "kwok", "kubernetes.io/os": "linux"},
                    },
                    "status": {"allocatable": size, "capacity": size},
                },
            )

    def _ready_nodes(self) -> int:
        status, found = self.call("GET", "/api/v1/nodes")
        if status != 200:
            return 0
        return sum(
            any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", ()))
            for node in found["items"]
        )

    def _wait(self, true: Any, what: str) -> None:
        limit = time.monotonic() + READY_SECONDS
        while time.monotonic() < limit:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    tail = (self.folder / f"{name}.log").read_text(errors="replace")[-1500:]
                    raise RuntimeError(f"{name} ended: {tail}")
            if true():
                return
            time.sleep(0.1)
        raise TimeoutError(what)


def die_with_parent() -> None:
    """In a new process: end when the one that made it does."""
    import ctypes

    os.setpgid(0, 0)
    ctypes.CDLL("libc.so.6").prctl(1, signal.SIGKILL)
