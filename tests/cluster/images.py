"""A real registry on loopback, with images that are made without a network: one layer around the machine's busybox."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.cluster.control_plane import die_with_parent, free_port

APPLETS = ("sh", "sleep", "cat", "echo", "stty", "httpd", "hostname", "touch", "rm", "nproc")
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
OCI = "application/vnd.oci.image"


@dataclass
class Registry:
    """Debian's docker-registry (Distribution 2.8) with its data in ``folder``."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def host(self) -> str:
        """The first part of its images' names."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> Registry:
        """Start it and wait until it answers.

        :raises requests.ConnectionError: it did not answer within ten seconds
        """
        config = {
            "version": "0.1",
            "log": {"level": "error"},
            "http": {"addr": self.host},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}},
        }
        (self.folder / "registry.yaml").write_text(yaml.safe_dump(config))
        log = (self.folder / "registry.log").open("wb")
        command = ["docker-registry", "serve", str(self.folder / "registry.yaml")]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=die_with_parent)
        limit = time.monotonic() + 10
        while True:
            try:
                requests.get(f"http://{self.host}/v2/", timeout=5).raise_for_status()
            except requests.ConnectionError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.05)
            else:
                return self

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)

    def push(
        self,
        repository: str,
        tag: str,
        *,
        entry: Sequence[str] = (),
        applets: Sequence[str] = APPLETS,
        says: str = ARCHITECTURE,
    ) -> str:
        """Push an image that holds *applets* of busybox in ``/bin``; its digest.

        :param entry: the image's entrypoint; a shell that waits without one
        :param says: the architecture that it claims, this machine's if not another
        """
        layer, content = _layer(applets)
        run = list(entry) or ["sh", "-c", "trap exit TERM; sleep 86400 & wait"]
        config = {"Entrypoint": run, "Env": ["PATH=/bin"]}
        whole = {
            "architecture": says,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [_digest(content)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": self._blob(repository, f"{OCI}.config.v1+json", json.dumps(whole).encode()),
            "layers": [self._blob(repository, f"{OCI}.layer.v1.tar+gzip", layer)],
        }
        return self._manifest(repository, tag, manifest)

    def push_index(self, repository: str, tag: str, digests: dict[str, str]) -> str:
        """Push an image of several architectures: *digests* of manifests that are there, by architecture; its
        digest.
        """
        rows = []
        for architecture, digest in digests.items():
            body = requests.get(
                f"http://{self.host}/v2/{repository}/manifests/{digest}",
                headers={"Accept": f"{OCI}.manifest.v1+json"},
                timeout=5,
            ).content
            place = {"os": "linux", "architecture": architecture}
            rows.append(
                {"mediaType": f"{OCI}.manifest.v1+json", "digest": digest, "size": len(body), "platform": place}
            )
        return self._manifest(
            repository, tag, {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": rows}
        )

    def _blob(self, repository: str, kind: str, data: bytes) -> dict[str, Any]:
        begun = requests.post(f"http://{self.host}/v2/{repository}/blobs/uploads/", timeout=5)
        digest = _digest(data)
        requests.put(begun.headers["Location"], data, params={"digest": digest}, timeout=5).raise_for_status()
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def _manifest(self, repository: str, tag: str, manifest: dict[str, Any]) -> str:
        answer = requests.put(
            f"http://{self.host}/v2/{repository}/manifests/{tag}",
            json.dumps(manifest),
            headers={"Content-Type": manifest["mediaType"]},
            timeout=5,
        )
        answer.raise_for_status()
        return answer.headers["Docker-Content-Digest"]


def _layer(applets: Sequence[str]) -> tuple[bytes, bytes]:
    """A layer, compressed and as it is: busybox under the first applet's name, the others linked to it."""
    busybox = Path(shutil.which("busybox") or "").read_bytes()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for folder in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for name in applets:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.mode = 0o755
            if name == applets[0]:
                entry.size = len(busybox)
                tar.addfile(entry, io.BytesIO(busybox))
            else:
                entry.type, entry.linkname = tarfile.LNKTYPE, f"bin/{applets[0]}"
                tar.addfile(entry)
    return gzip.compress(made.getvalue(), 1, mtime=0), made.getvalue()


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
