"""A real node beside a control plane: containerd and a kubelet that run containers on this machine."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.cluster.control_plane import ControlPlane, free_port
from tests.cluster.images import Registry

NAME = "real-0"
CGROUPS = Path("/sys/fs/cgroup")
PLUGINS = Path("/usr/lib/cni")
MERGE = "application/merge-patch+json"
ISOLATED = ("--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
# In its own mount and process namespaces, whatever the node mounts, starts and writes there ends with it.
SCRIPT = """
for place in /run /var/lib /var/log /usr/libexec; do mount -t tmpfs none $place; done
containerd --config={folder}/containerd.toml --log-level=warn &
kubelet --config={folder}/kubelet.yaml --kubeconfig={folder}/kubeconfig --hostname-override={name} \\
    --cloud-provider=external &
wait
"""
CONTAINERD = """
version = 3
disabled_plugins = ["io.containerd.nri.v1.nri"]
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/opt"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{pause}"
[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = true
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["{plugins}"]
  conf_dir = "{folder}/cni"
"""
# Of a pair of interfaces nothing stays behind when its pod is gone; a bridge would.
NETWORK = """{{
  "cniVersion": "1.0.0", "name": "pods",
  "plugins": [{{"type": "ptp", "ipam": {{"type": "host-local", "ranges": [[{{"subnet": "{subnet}"}}]]}}}}]
}}"""


@dataclass
class RealNode(ControlPlane):
    """A control plane whose only node runs real containers, with images of ``registry``. Needs root."""

    registry: Registry = field(kw_only=True)
    cgroup: str = field(default_factory=lambda: f"antstack-{os.getpid()}")

    def start(self, nodes: int = 0) -> RealNode:
        """Start everything and wait until the node takes pods."""
        super().start(nodes)
        remove_cgroups()
        for folder in _hierarchies():
            (folder / self.cgroup).mkdir()
        self._configure(self.registry.push("pause", "1", entry=["/bin/sleep", "86400"]))
        self._run("unshare", *ISOLATED, "sh", "-c", SCRIPT.format(folder=self.folder, name=NAME))
        path = f"/api/v1/nodes/{NAME}"
        self._wait(lambda: self.call("GET", path)[0] == 200, "the node does not register")
        # The kubelet refuses an address on loopback, but believes the cloud, which is this.
        addresses = [{"type": "Hostname", "address": "localhost"}]
        self.call("PATCH", f"{path}/status", {"status": {"addresses": addresses}}, MERGE)
        self.call("PATCH", path, {"spec": {"taints": None}}, MERGE)
        self._wait(lambda: self._ready_nodes() > nodes, "the node is not ready")
        return self

    def stop(self) -> None:
        """End everything, and with the node's namespaces its containers and mounts."""
        super().stop()
        remove_cgroups(self.cgroup)

    def _configure(self, pause: str) -> None:
        folder = self.folder
        image = f"{self.registry.host}/pause@{pause}"
        (folder / "cni").mkdir()
        (folder / "cni" / "pods.conflist").write_text(NETWORK.format(subnet=f"198.18.{secrets.randbelow(256)}.0/24"))
        (folder / "containerd.toml").write_text(CONTAINERD.format(folder=folder, pause=image, plugins=PLUGINS))
        kubelet = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": "127.0.0.1",
            "port": free_port(),
            "healthzPort": 0,
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "localStorageCapacityIsolation": False,
            "makeIPTablesUtilChains": False,
            "resolvConf": "",
            "clusterDNS": ["10.96.0.10"],
            "evictionHard": {"memory.available": "1Mi"},
        }
        (folder / "kubelet.yaml").write_text(yaml.safe_dump(kubelet))


def is_allowed() -> bool:
    """Whether this process may make the namespaces and cgroups that a node needs."""
    writable = all(os.access(folder, os.W_OK) for folder in _hierarchies())
    return writable and subprocess.run(["unshare", *ISOLATED, "true"], capture_output=True).returncode == 0


def _hierarchies() -> Iterator[Path]:
    """The roots of cgroup v1, or the one of v2."""
    if (CGROUPS / "cgroup.controllers").exists():
        yield CGROUPS
    else:
        yield from (found for found in CGROUPS.iterdir() if found.is_dir() and not found.is_symlink())


def remove_cgroups(mine: str = "") -> None:
    """Remove the cgroups that ended runs left, and *mine* once its last process is gone.

    :raises OSError: it was not gone within five seconds
    """
    limit = time.monotonic() + 5
    for group in [found for root in _hierarchies() for found in root.glob("antstack-*")]:
        while group.name == mine or not Path("/proc", group.name.removeprefix("antstack-")).exists():
            try:
                for folder in sorted(group.rglob("*/"), reverse=True):
                    folder.rmdir()
                group.rmdir()
                break
            except OSError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.05)
