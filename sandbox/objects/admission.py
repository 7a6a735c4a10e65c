"""What the server itself puts into new and changed objects before they are stored.

The ``PrepareForCreate``/``PrepareForUpdate`` strategies and the admission plugins that
every cluster runs: ServiceAccount, DefaultTolerationSeconds, Priority,
DefaultStorageClass, NamespaceLifecycle.
"""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING, Any

from sandbox.errors import denied, forbidden, invalid, not_found
from sandbox.objects.quantity import value
from sandbox.resources import Resource
from sandbox.store.records import decode, encode

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]
SAFE = "bcdfghjklmnpqrstvwxz2456789"  # apimachinery's rand.String: no vowels
_WITH_GENERATION = (
    "apps/",
    "batch/",
    "policy/",
    "networking.k8s.io/",
    "apiextensions.k8s.io/",
    "scheduling.k8s.io/",
    "autoscaling/",
)
_WITHOUT = {"apps/controllerrevisions"}
_TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path


def suffix(length: int = 5) -> str:
    """A random end of a name."""
    return "".join(random.choices(SAFE, k=length))  # noqa: S311 - nothing secret


def has_generation(resource: Resource) -> bool:
    """Whether the server counts the changes of its specification."""
    if resource.custom or resource.id in ("/pods", "discovery.k8s.io/endpointslices"):
        return True
    return resource.id.startswith(_WITH_GENERATION) and resource.id not in _WITHOUT


def has_status(resource: Resource) -> bool:
    """Whether its status is written only through the subresource."""
    return "status" in resource.subresources


def check_namespace(cluster: Cluster, resource: Resource, namespace: str, name: str) -> None:
    """Refuse new objects in a namespace that is not there or going away.

    :raises ApiError: it is one of the two
    """
    found = cluster.store.find("/namespaces", "", namespace)
    if found is None:
        raise not_found(cluster.catalogue.get("namespaces"), namespace)
    if found.deleting:
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        full = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        message = f'{full} "{name}" is forbidden: unable to create new content in namespace {namespace} '
        message += "because it is being terminated"
        raise forbidden(message, {"name": name, "kind": resource.plural, "causes": [cause]})


def _qos(spec: Obj) -> str:
    """``GetPodQOS``: guaranteed where every limit is set and equals its request."""
    guaranteed, any_set = True, False
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        limits = container.get("resources", {}).get("limits", {})
        requests = container.get("resources", {}).get("requests", {})
        for name in ("cpu", "memory"):
            any_set = any_set or name in limits or name in requests
            if name not in limits or value(limits[name]) != value(requests.get(name, limits[name])):
                guaranteed = False
    return ("Guaranteed" if guaranteed else "Burstable") if any_set else "BestEffort"


def _pod_token(cluster: Cluster, pod: Obj) -> None:
    """What the ServiceAccount plugin adds."""
    spec = pod["spec"]
    account = spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = account
    found = cluster.store.find("/serviceaccounts", pod["metadata"]["namespace"], account)
    if found is None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise forbidden(f'pods "{name}" is forbidden: {why}', {"name": name, "kind": "pods"})
    if spec.get("automountServiceAccountToken", True) is False:
        return
    volume = "kube-api-access-" + suffix()
    added = False
    for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
        mounts = container.setdefault("volumeMounts", [])
        if not any(mount.get("mountPath") == _TOKEN_MOUNT for mount in mounts):
            mounts.append({"name": volume, "readOnly": True, "mountPath": _TOKEN_MOUNT})
            added = True
    if added:
        field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
        sources = [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
        ]
        spec.setdefault("volumes", []).append({"name": volume, "projected": {"sources": sources, "defaultMode": 420}})


def prepare_pod(cluster: Cluster, pod: Obj) -> None:
    """A new pod: account, priority, tolerations, first status."""
    spec = pod["spec"]
    _pod_token(cluster, pod)
    if spec.get("priorityClassName"):
        found = cluster.store.find("scheduling.k8s.io/priorityclasses", "", spec["priorityClassName"])
        if found is None:
            name = pod["metadata"]["name"]
            why = f"no PriorityClass with name {spec['priorityClassName']} was found"
            raise forbidden(f'pods "{name}" is forbidden: {why}', {"name": name, "kind": "pods"})
        spec["priority"] = found.load().get("value", 0)
    else:
        spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(t.get("key") in (key, None) and t.get("effect") in ("NoExecute", None) for t in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    pod["status"] = {"phase": "Pending", "qosClass": _qos(spec)}


def prepare_new(cluster: Cluster, resource: Resource, obj: Obj) -> None:
    """Everything that a new object gets besides its defaults."""
    if resource.id == "/pods":
        prepare_pod(cluster, obj)
    elif resource.id == "/namespaces":
        obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        obj["status"] = {"phase": "Active"}
    elif resource.id == "/services":
        cluster.addresses.fill(obj)
    elif resource.id == "/persistentvolumeclaims":
        obj.setdefault("metadata", {}).setdefault("finalizers", []).append("kubernetes.io/pvc-protection")
        if "storageClassName" not in obj["spec"]:
            default = _default_class(cluster)
            if default:
                obj["spec"]["storageClassName"] = default
    elif resource.id == "batch/jobs":
        name_job(obj)


def name_job(job: Obj) -> None:
    """The selector that the server makes for a Job, and the labels that it selects."""
    spec, meta = job["spec"], job["metadata"]
    if spec.get("manualSelector"):
        return
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    for prefix in ("", "batch.kubernetes.io/"):
        labels[f"{prefix}controller-uid"] = meta["uid"]
        labels[f"{prefix}job-name"] = meta["name"]
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": meta["uid"]}}
    meta.setdefault("labels", dict(labels))


def fold_string_data(obj: Obj) -> None:
    """A Secret's ``stringData`` into its ``data``."""
    for key, text in obj.pop("stringData").items():
        obj.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def _default_class(cluster: Cluster) -> str:
    for record in cluster.store.all("storage.k8s.io/storageclasses"):
        notes = record.load()["metadata"].get("annotations") or {}
        if notes.get("storageclass.kubernetes.io/is-default-class") == "true":
            return record.name
    return ""


def keep_metadata(new: Obj, old: Obj) -> None:
    """What an update cannot change is taken from what is there."""
    meta, there = new["metadata"], old["metadata"]
    for key in (
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generateName",
    ):
        if key in there:
            meta[key] = there[key]
        else:
            meta.pop(key, None)
    meta.pop("selfLink", None)
    for key in ("labels", "annotations", "finalizers", "ownerReferences"):
        if key in meta and not meta[key]:
            del meta[key]


def check_metadata(resource: Resource, new: Obj, old: Obj) -> None:
    """Finalizers may only be taken away from what is being deleted.

    :raises ApiError: one was added
    """
    if "deletionTimestamp" not in old["metadata"]:
        return
    before = set(old["metadata"].get("finalizers") or ())
    added = sorted(set(new["metadata"].get("finalizers") or ()) - before)
    if added:
        listed = ", ".join(f'"{name}"' for name in added)
        detail = (
            f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
        )
        raise invalid(resource, new["metadata"]["name"], [denied("metadata.finalizers", detail)])


def copy_of(obj: Obj) -> Obj:
    """A deep copy, the quick way."""
    made: Obj = decode(encode(obj))
    return made


def same(old: Obj, new: Obj) -> bool:
    """Equal but for the times of managers, so that writing nothing makes no new version."""
    if old == new:
        return True
    left, right = dict(old["metadata"]), dict(new["metadata"])
    for meta in (left, right):
        meta["managedFields"] = [{**entry, "time": ""} for entry in meta.get("managedFields") or ()]
    return left == right and {**old, "metadata": None} == {**new, "metadata": None}
