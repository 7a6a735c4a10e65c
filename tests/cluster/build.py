"""Builds the real Kubernetes, etcd, KWOK and containerd that the tests run, from their Go modules.

Each folder of ``tools/`` is a Go module of nothing but requirements. The binaries
land in one cache folder named by the hash of those files, so that a machine builds
them once: ``python -m tests.cluster.build`` prints the folder.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parent / "tools"
VERSION = "v1.37.2"
# Without these the server calls itself v0.0.0-master, which clients cannot parse.
STAMPS = {
    "k8s.io/component-base/version.gitVersion": VERSION,
    "k8s.io/component-base/version.gitMajor": "1",
    "k8s.io/component-base/version.gitMinor": "37",
    "k8s.io/client-go/pkg/version.gitVersion": VERSION,
}
BINARIES = {
    "kubernetes": {
        f"k8s.io/kubernetes/cmd/{name}": name
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet")
    },
    "etcd": {"go.etcd.io/etcd/server/v3": "etcd"},
    "kwok": {"sigs.k8s.io/kwok/cmd/kwok": "kwok"},
    "containerd": {
        f"github.com/containerd/containerd/v2/cmd/{name}": name
        for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    },
}


def cache_folder() -> Path:
    """Where the binaries of exactly these modules are kept."""
    digest = hashlib.sha256()
    for file in sorted(TOOLS.glob("*/go.*")):
        digest.update(file.relative_to(TOOLS).as_posix().encode() + file.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return root / "antstack-tests" / digest.hexdigest()[:16]


def is_built() -> bool:
    """Whether every binary is in the cache."""
    return all((cache_folder() / name).exists() for names in BINARIES.values() for name in names.values())


def build() -> Path:
    """Build what is missing and return the folder. Takes about ten minutes from nothing."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    stamps = " ".join(f"-X {name}={value}" for name, value in STAMPS.items())
    for module, packages in BINARIES.items():
        for package, name in packages.items():
            if (folder / name).exists():
                continue
            print(f"building {name}", flush=True)
            unfinished = folder / f"{name}.new"
            command = ["go", "build", "-ldflags", f"-s -w {stamps}", "-o", str(unfinished), package]
            subprocess.run(command, cwd=TOOLS / module, check=True, env={**os.environ, "CGO_ENABLED": "0"})
            unfinished.rename(folder / name)
    stages = folder / "stages"
    if not stages.exists():
        source = subprocess.run(
            ["go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"],
            cwd=TOOLS / "kwok",
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        stages.symlink_to(Path(source) / "kustomize" / "stage")
    return folder


if __name__ == "__main__":
    print(build())
    sys.exit(0)
