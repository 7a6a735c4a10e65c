"""Addresses of objects in the API (Kubernetes API concepts, "Resource URIs")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from app.errors import NOT_FOUND
from app.words import plain

# kind → (group and version, plural, namespaced)
KINDS: Mapping[str, tuple[str, str, bool]] = {
    "Namespace": ("v1", "namespaces", False),
    "Node": ("v1", "nodes", False),
    "Pod": ("v1", "pods", True),
    "Service": ("v1", "services", True),
    "Endpoints": ("v1", "endpoints", True),
    "Secret": ("v1", "secrets", True),
    "ConfigMap": ("v1", "configmaps", True),
    "Event": ("v1", "events", True),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims", True),
    "PersistentVolume": ("v1", "persistentvolumes", False),
    "ServiceAccount": ("v1", "serviceaccounts", True),
    "Deployment": ("apps/v1", "deployments", True),
    "StatefulSet": ("apps/v1", "statefulsets", True),
    "DaemonSet": ("apps/v1", "daemonsets", True),
    "ReplicaSet": ("apps/v1", "replicasets", True),
    "ControllerRevision": ("apps/v1", "controllerrevisions", True),
    "Job": ("batch/v1", "jobs", True),
    "PodDisruptionBudget": ("policy/v1", "poddisruptionbudgets", True),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices", True),
    "StorageClass": ("storage.k8s.io/v1", "storageclasses", False),
}
PLURALS = {plural: kind for kind, (_, plural, _) in KINDS.items()}


def root(api_version: str) -> str:
    """``/api/v1`` or ``/apis/GROUP/VERSION``."""
    return f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"


def collection(kind: str, namespace: str = "") -> str:
    """The address of all objects of a kind, in one namespace or in all."""
    api_version, plural, namespaced = KINDS[kind]
    inside = f"/namespaces/{_segment(namespace)}" if namespaced and namespace else ""
    return f"{root(api_version)}{inside}/{plural}"


def one(kind: str, namespace: str, name: str, subresource: str = "") -> str:
    """The address of one object, or of a subresource of it."""
    tail = f"/{subresource}" if subresource else ""
    return f"{collection(kind, namespace)}/{_segment(name)}{tail}"


def _segment(name: str) -> str:
    """A name as one segment of an address. ``..`` would be the address above (RFC 3986, 5.2.4): of a pod, its whole
    namespace.

    :raises ConsoleError: CORE/NOT_FOUND for what is no name in any cluster (Kubernetes: "Object Names and IDs")
    """
    if name in ("", ".", ".."):
        raise NOT_FOUND(what=plain(name))
    return quote(name, safe="")


def of_object(manifest: Mapping[str, Any]) -> str:
    """The address of the object that *manifest* describes."""
    metadata = manifest["metadata"]
    return one(str(manifest["kind"]), str(metadata.get("namespace", "")), str(metadata["name"]))
