"""The kinds of objects that pages and lists show: their names, rights, addresses, and the words of their states."""

from __future__ import annotations

from dataclasses import dataclass

from app.contracts.declarations import Permission
from app.words import Text, _, pgettext, plain
from plugins.captain import permissions


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its plural as the API and our addresses have it, its name in manifests, its titles."""

    plural: str
    name: str
    title: Text
    one: Text
    permission: Permission
    workload: bool = False
    tab: bool = True


_KINDS = (
    Kind("nodes", "Node", _("Nodes"), _("node"), permissions.NODE_READ),
    Kind("namespaces", "Namespace", _("Namespaces"), _("namespace"), permissions.NAMESPACE_READ),
    Kind("deployments", "Deployment", _("Deployments"), _("Deployment"), permissions.WORKLOAD_READ, True),
    Kind("statefulsets", "StatefulSet", _("StatefulSets"), _("StatefulSet"), permissions.WORKLOAD_READ, True),
    Kind("daemonsets", "DaemonSet", _("DaemonSets"), _("DaemonSet"), permissions.WORKLOAD_READ, True),
    Kind("jobs", "Job", _("Jobs"), _("Job"), permissions.WORKLOAD_READ, True),
    Kind("replicasets", "ReplicaSet", _("ReplicaSets"), _("ReplicaSet"), permissions.WORKLOAD_READ, True, tab=False),
    Kind("pods", "Pod", _("Pods"), _("pod"), permissions.POD_READ),
)
KINDS = {kind.plural: kind for kind in _KINDS}
BY_NAME = {kind.name: kind for kind in _KINDS}
WORKLOADS = tuple(kind.plural for kind in _KINDS if kind.workload)

# What the guide calls a workload's states (4.5); Kubernetes' own words for pods and nodes stay as kubectl has them.
STATES = {
    "running": pgettext("pod", "Running"),
    "deploying": _("Deploying"),
    "incomplete": _("Incomplete"),
    "failed": _("Failed"),
    "paused": _("Paused"),
    "stopped": _("Stopped"),
    "completed": _("Completed"),
}


def state_text(state: str) -> Text:
    """A state in the reader's language."""
    return STATES.get(state) or plain(state)


def base(cluster_id: str) -> str:
    """The address below which a cluster's pages are."""
    return f"/captain/clusters/{cluster_id}"


def page_of(cluster_id: str, kind: str, namespace: str, name: str) -> str:
    """The page of an object; of a kind by its plural. Empty where there is none."""
    known = KINDS.get(kind)
    if known is None:
        return ""
    inside = f"workloads/{kind}" if known.workload else kind
    return f"{base(cluster_id)}/{inside}/{namespace + '/' if namespace else ''}{name}"
