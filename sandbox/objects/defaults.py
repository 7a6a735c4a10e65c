"""Defaults that the API server writes into objects (``pkg/apis/*/v1/defaults.go``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.objects.defaults_pod import pod_spec

Obj = dict[str, Any]


def _template(spec: Obj) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))


def _rolling(strategy: Obj, limits: Obj) -> None:
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        for key, value in limits.items():
            rolling.setdefault(key, value)


def _deployment(obj: Obj) -> None:
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    _rolling(spec.setdefault("strategy", {}), {"maxUnavailable": "25%", "maxSurge": "25%"})
    _template(spec)


def _replica_set(obj: Obj) -> None:
    obj["spec"].setdefault("replicas", 1)
    _template(obj["spec"])


def _stateful_set(obj: Obj) -> None:
    spec = obj["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("serviceName", "")
    _rolling(spec.setdefault("updateStrategy", {}), {"partition": 0, "maxUnavailable": 1})
    kept = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    kept.setdefault("whenDeleted", "Retain")
    kept.setdefault("whenScaled", "Retain")
    _template(spec)
    for claim in spec.get("volumeClaimTemplates", ()):
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        claim.setdefault("status", {}).setdefault("phase", "Pending")


def _daemon_set(obj: Obj) -> None:
    spec = obj["spec"]
    spec.setdefault("revisionHistoryLimit", 10)
    _rolling(spec.setdefault("updateStrategy", {}), {"maxUnavailable": 1, "maxSurge": 0})
    obj["metadata"].setdefault("annotations", {}).setdefault("deprecated.daemonset.template.generation", "1")
    _template(spec)


def job_spec(spec: Obj) -> None:
    """Defaults of a Job's specification, in a Job or a CronJob."""
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    _template(spec)


def _job(obj: Obj) -> None:
    spec = obj["spec"]
    job_spec(spec)
    spec.setdefault("manualSelector", False)


def _cron_job(obj: Obj) -> None:
    spec = obj["spec"]
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    spec.setdefault("jobTemplate", {}).setdefault("metadata", {})
    _template(spec["jobTemplate"].setdefault("spec", {}))


def _service(obj: Obj) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("type", "ClusterIP")
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec["sessionAffinity"] == "ClientIP":
        affinity = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        affinity.setdefault("timeoutSeconds", 10800)
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _claim(obj: Obj) -> None:
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    obj.setdefault("status", {}).setdefault("phase", "Pending")


def _volume_object(obj: Obj) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    if "hostPath" in spec:
        spec["hostPath"].setdefault("type", "")
    obj.setdefault("status", {}).setdefault("phase", "Pending")


def _secret(obj: Obj) -> None:
    obj.setdefault("type", "Opaque")


def _autoscaler(obj: Obj) -> None:
    spec = obj["spec"]
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _storage_class(obj: Obj) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _policy(obj: Obj) -> None:
    spec = obj.setdefault("spec", {})
    if "podSelector" in spec and not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _binding(obj: Obj) -> None:
    obj.get("roleRef", {}).setdefault("apiGroup", "rbac.authorization.k8s.io")
    for subject in obj.get("subjects", ()):
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _definition(obj: Obj) -> None:
    spec = obj["spec"]
    names = spec.setdefault("names", {})
    names.setdefault("listKind", names.get("kind", "") + "List")
    names.setdefault("singular", names.get("kind", "").lower())
    spec.setdefault("conversion", {"strategy": "None"})


def _pod(obj: Obj) -> None:
    pod_spec(obj.setdefault("spec", {}))
    spec = obj["spec"]
    spec.setdefault("enableServiceLinks", True)
    for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
        resources = container["resources"]
        for name, amount in resources.get("limits", {}).items():  # in pods, not in templates
            resources.setdefault("requests", {}).setdefault(name, amount)


def _namespace(obj: Obj) -> None:
    if obj["metadata"].get("name"):
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


_BY_KIND: dict[str, Callable[[Obj], None]] = {
    "/pods": _pod,
    "/namespaces": _namespace,
    "/services": _service,
    "/persistentvolumeclaims": _claim,
    "/persistentvolumes": _volume_object,
    "/secrets": _secret,
    "apps/deployments": _deployment,
    "apps/replicasets": _replica_set,
    "apps/statefulsets": _stateful_set,
    "apps/daemonsets": _daemon_set,
    "batch/jobs": _job,
    "batch/cronjobs": _cron_job,
    "autoscaling/horizontalpodautoscalers": _autoscaler,
    "storage.k8s.io/storageclasses": _storage_class,
    "networking.k8s.io/networkpolicies": _policy,
    "rbac.authorization.k8s.io/rolebindings": _binding,
    "rbac.authorization.k8s.io/clusterrolebindings": _binding,
    "apiextensions.k8s.io/customresourcedefinitions": _definition,
}
_DAEMONS = ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady")
_BUDGET = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")
_STATUS: dict[str, Obj] = {  # what a status has without "omitempty"
    "apps/deployments": {},
    "apps/replicasets": {"replicas": 0},
    "apps/statefulsets": {"replicas": 0, "availableReplicas": 0},
    "apps/daemonsets": dict.fromkeys(_DAEMONS, 0),
    "autoscaling/horizontalpodautoscalers": {"currentMetrics": None, "desiredReplicas": 0},
    "batch/jobs": {},
    "batch/cronjobs": {},
    "/nodes": {},
    "/namespaces": {},
    "networking.k8s.io/ingresses": {"loadBalancer": {}},
    "policy/poddisruptionbudgets": dict.fromkeys(_BUDGET, 0),
}


def apply_defaults(resource: str, obj: Obj) -> None:
    """Fill in, in place, what the request left out."""
    if resource in _BY_KIND:
        if resource.startswith(("apps/", "batch/", "autoscaling/", "apiextensions")):
            obj.setdefault("spec", {})
        _BY_KIND[resource](obj)
    if resource in _STATUS:
        status = obj.setdefault("status", {})
        for key, value in _STATUS[resource].items():
            status.setdefault(key, value.copy() if isinstance(value, dict) else value)
