"""Which resources the sandbox serves, and what discovery says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True)
class Resource:
    """One kind of object and its place in the API."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    custom: bool = field(default=False, compare=False)
    schema: dict[str, Any] | None = field(default=None, compare=False, hash=False)

    @property
    def api_version(self) -> str:
        """``apps/v1``, or ``v1`` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The singular name."""
        return self.kind.lower()

    @property
    def id(self) -> str:
        """Where the store keeps its objects."""
        return f"{self.group}/{self.plural}"

    @property
    def verbs(self) -> list[str]:
        """What can be done with it."""
        return _ALL

    @property
    def base(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


def _core(plural: str, kind: str, *short: str, ns: bool = True, cat: str = "", sub: str = "") -> Resource:
    return Resource("", "v1", plural, kind, ns, short, tuple(cat.split()), tuple(sub.split()))


def _in(group: str, rows: list[tuple[str, str, bool, str, str, str]], version: str = "v1") -> list[Resource]:
    return [
        Resource(group, version, plural, kind, ns, tuple(short.split()), tuple(cat.split()), tuple(sub.split()))
        for plural, kind, ns, short, cat, sub in rows
    ]


BUILT_IN: list[Resource] = [
    _core("configmaps", "ConfigMap", "cm"),
    _core("endpoints", "Endpoints", "ep"),
    _core("events", "Event", "ev"),
    _core("limitranges", "LimitRange", "limits"),
    _core("namespaces", "Namespace", "ns", ns=False, sub="finalize status"),
    _core("nodes", "Node", "no", ns=False, sub="status"),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", sub="status"),
    _core("persistentvolumes", "PersistentVolume", "pv", ns=False, sub="status"),
    _core("pods", "Pod", "po", cat="all", sub="attach binding eviction exec log portforward resize status"),
    _core("podtemplates", "PodTemplate"),
    _core("replicationcontrollers", "ReplicationController", "rc", cat="all", sub="status"),
    _core("resourcequotas", "ResourceQuota", "quota", sub="status"),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa", sub="token"),
    _core("services", "Service", "svc", cat="all", sub="status"),
    *_in(
        "admissionregistration.k8s.io",
        [
            ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False, "", "api-extensions", ""),
            ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False, "", "api-extensions", ""),
        ],
    ),
    *_in(
        "apiextensions.k8s.io",
        [("customresourcedefinitions", "CustomResourceDefinition", False, "crd crds", "api-extensions", "status")],
    ),
    *_in(
        "apps",
        [
            ("controllerrevisions", "ControllerRevision", True, "", "", ""),
            ("daemonsets", "DaemonSet", True, "ds", "all", "status"),
            ("deployments", "Deployment", True, "deploy", "all", "scale status"),
            ("replicasets", "ReplicaSet", True, "rs", "all", "scale status"),
            ("statefulsets", "StatefulSet", True, "sts", "all", "scale status"),
        ],
    ),
    *_in("autoscaling", [("horizontalpodautoscalers", "HorizontalPodAutoscaler", True, "hpa", "all", "status")], "v2"),
    *_in(
        "batch",
        [("cronjobs", "CronJob", True, "cj", "all", "status"), ("jobs", "Job", True, "", "all", "status")],
    ),
    *_in("coordination.k8s.io", [("leases", "Lease", True, "", "", "")]),
    *_in("discovery.k8s.io", [("endpointslices", "EndpointSlice", True, "", "", "")]),
    *_in(
        "networking.k8s.io",
        [
            ("ingressclasses", "IngressClass", False, "", "", ""),
            ("ingresses", "Ingress", True, "ing", "", "status"),
            ("networkpolicies", "NetworkPolicy", True, "netpol", "", ""),
        ],
    ),
    *_in("policy", [("poddisruptionbudgets", "PodDisruptionBudget", True, "pdb", "", "status")]),
    *_in(
        "rbac.authorization.k8s.io",
        [
            ("clusterrolebindings", "ClusterRoleBinding", False, "", "", ""),
            ("clusterroles", "ClusterRole", False, "", "", ""),
            ("rolebindings", "RoleBinding", True, "", "", ""),
            ("roles", "Role", True, "", "", ""),
        ],
    ),
    *_in("scheduling.k8s.io", [("priorityclasses", "PriorityClass", False, "pc", "", "")]),
    *_in(
        "storage.k8s.io",
        [
            ("csidrivers", "CSIDriver", False, "", "", ""),
            ("csinodes", "CSINode", False, "", "", ""),
            ("storageclasses", "StorageClass", False, "sc", "", ""),
            ("volumeattachments", "VolumeAttachment", False, "", "", "status"),
        ],
    ),
]

REVIEWS = {  # created, answered and forgotten; never stored
    ("authentication.k8s.io", "selfsubjectreviews"): "SelfSubjectReview",
    ("authentication.k8s.io", "tokenreviews"): "TokenReview",
    ("authorization.k8s.io", "localsubjectaccessreviews"): "LocalSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    ("authorization.k8s.io", "subjectaccessreviews"): "SubjectAccessReview",
}
SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
    "exec": ("", "v1", "PodExecOptions"),
    "attach": ("", "v1", "PodAttachOptions"),
    "portforward": ("", "v1", "PodPortForwardOptions"),
}
SUBRESOURCE_VERBS = {
    "status": ["get", "patch", "update"],
    "scale": ["get", "patch", "update"],
    "resize": ["get", "patch", "update"],
    "log": ["get"],
    "exec": ["create", "get"],
    "attach": ["create", "get"],
    "portforward": ["create", "get"],
    "finalize": ["update"],
}


class Catalogue:
    """The resources served now: the built-in ones and those of custom definitions."""

    def __init__(self) -> None:
        self._by_path = {(r.group, r.version, r.plural): r for r in BUILT_IN}
        self._by_kind = {(r.group, r.version, r.kind): r for r in BUILT_IN}
        self._by_id = {r.id: r for r in BUILT_IN}
        self.generation = 0

    def add(self, resource: Resource) -> None:
        """Serve a custom resource."""
        self._by_path[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.group, resource.version, resource.kind] = resource
        self._by_id[resource.id] = resource
        self.generation += 1

    def drop(self, resource: Resource) -> None:
        """Serve it no more."""
        self._by_path.pop((resource.group, resource.version, resource.plural), None)
        self._by_kind.pop((resource.group, resource.version, resource.kind), None)
        self._by_id.pop(resource.id, None)
        self.generation += 1

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at this place of the API."""
        return self._by_path.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of an object's ``apiVersion`` and ``kind``."""
        group, _, version = api_version.rpartition("/")
        found = self._by_kind.get((group, version, kind))
        if found is None:  # an owner named by another version of its group
            found = next((r for r in self._by_kind.values() if r.group == group and r.kind == kind), None)
        return found

    def get(self, plural: str, group: str = "") -> Resource:
        """A resource that is surely there."""
        return self._by_id[f"{group}/{plural}"]

    def by_id(self, key: str) -> Resource | None:
        """The resource of a place in the store."""
        return self._by_id.get(key)

    def all(self) -> list[Resource]:
        """Every resource."""
        return list(self._by_path.values())
