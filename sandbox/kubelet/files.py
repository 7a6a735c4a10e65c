"""The files of a container: a few of its own, and those that its volumes bring."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]


def files_of(cluster: Cluster, pod: Obj, container: Obj) -> dict[str, str]:
    """Every file by its path."""
    host = pod["spec"].get("hostname") or pod["metadata"]["name"]
    address = pod.get("status", {}).get("podIP", "127.0.0.1")
    files = {
        "/etc/hostname": f"{host}\n",
        "/etc/hosts": f"# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n{address}\t{host}\n",
        "/etc/resolv.conf": (
            f"search {pod['metadata']['namespace']}.svc.cluster.local svc.cluster.local cluster.local\n"
            "nameserver 10.96.0.10\noptions ndots:5\n"
        ),
        "/etc/os-release": (
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
        ),
        "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        "/bin/sh": "",
        "/dev/null": "",
        "/proc/1/cmdline": " ".join(container.get("command") or [container["name"]]),
        "/root/.keep": "",
        "/tmp/.keep": "",  # noqa: S108 - a path in a container
        "/usr/bin/env": "",
        "/var/log/.keep": "",
        f"/app/{container['name']}": "",
    }
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for mount in container.get("volumeMounts") or ():
        for name, text in _contents(cluster, pod, volumes.get(mount["name"], {})).items():
            if mount.get("subPath"):
                if name == mount["subPath"]:
                    files[mount["mountPath"]] = text
            else:
                files[f"{mount['mountPath'].rstrip('/')}/{name}"] = text
    return files


def _contents(cluster: Cluster, pod: Obj, volume: Obj) -> dict[str, str]:
    namespace = pod["metadata"]["namespace"]
    if "configMap" in volume:
        found = cluster.get("/configmaps", namespace, volume["configMap"].get("name", ""))
        return _items((found or {}).get("data") or {}, volume["configMap"])
    if "secret" in volume:
        found = cluster.get("/secrets", namespace, volume["secret"].get("secretName", ""))
        plain = {
            key: base64.b64decode(text).decode(errors="replace")
            for key, text in ((found or {}).get("data") or {}).items()
        }
        return _items(plain, volume["secret"])
    if volume.get("name", "").startswith("kube-api-access"):
        return {"namespace": namespace, "ca.crt": cluster.ca.decode(), "token": "sandbox\n"}
    return {".keep": ""}


def _items(data: dict[str, str], source: Obj) -> dict[str, str]:
    if not source.get("items"):
        return dict(data)
    return {item["path"]: data.get(item["key"], "") for item in source["items"]}
