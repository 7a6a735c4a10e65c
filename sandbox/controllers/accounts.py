"""What every namespace has: the default service account and the cluster's CA (docs: "Service Accounts")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.controllers.manager import Controllers

Obj = dict[str, Any]
SYSTEM = ("default", "kube-node-lease", "kube-public", "kube-system")
_CA_SAYS = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
_PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}


class Accounts:
    """Fills new namespaces."""

    def __init__(self, controllers: Controllers) -> None:
        self.all = controllers
        self.cluster = controllers.cluster

    def begin(self) -> None:
        """The namespaces, roles and the service of the API server itself."""
        for name in SYSTEM:
            if not self.cluster.store.find("/namespaces", "", name):
                self.cluster.create(
                    "/namespaces",
                    "",
                    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
                    "kube-apiserver",
                )
        if not self.cluster.store.find("/services", "default", "kubernetes"):
            self._api_service()
        for name, number in _PRIORITIES.items():
            if not self.cluster.store.find("scheduling.k8s.io/priorityclasses", "", name):
                obj = {
                    "apiVersion": "scheduling.k8s.io/v1",
                    "kind": "PriorityClass",
                    "metadata": {"name": name},
                    "value": number,
                }
                self.cluster.create("scheduling.k8s.io/priorityclasses", "", obj, "kube-apiserver")
        rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
        for name, verbs in (("cluster-admin", ["*"]), ("view", ["get", "list", "watch"])):
            if not self.cluster.store.find("rbac.authorization.k8s.io/clusterroles", "", name):
                meta = {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
                role: Obj = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta}
                role["rules"] = [{**rule, "verbs": verbs}]
                self.cluster.create("rbac.authorization.k8s.io/clusterroles", "", role, "kube-apiserver")

    def _api_service(self) -> None:
        meta = {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        }
        ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}]
        spec: Obj = {"type": "ClusterIP", "clusterIP": "10.96.0.1", "ports": ports}
        self.cluster.create(
            "/services",
            "default",
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec},
            "kube-apiserver",
        )

    def sync(self, namespace: str) -> None:
        """One namespace."""
        space = self.cluster.store.find("/namespaces", "", namespace)
        if space is None or space.deleting:
            return
        if not self.cluster.store.find("/serviceaccounts", namespace, "default"):
            self.cluster.create(
                "/serviceaccounts",
                namespace,
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}},
            )
        if not self.cluster.store.find("/configmaps", namespace, "kube-root-ca.crt"):
            obj: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}}
            obj["metadata"]["annotations"] = {"kubernetes.io/description": _CA_SAYS}
            obj["data"] = {"ca.crt": self.cluster.ca.decode()}
            self.cluster.create("/configmaps", namespace, obj)
