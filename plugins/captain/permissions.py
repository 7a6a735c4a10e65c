"""Rights and recorded operations of Captain, and what a call acts on for conditions of grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from app.contracts.declarations import Permission
from app.guard import Operation
from app.words import _

CLUSTER_READ = Permission("captain.cluster.read", _("See clusters"), reads=True)
CLUSTER_EDIT = Permission("captain.cluster.edit", _("Register, change and remove clusters"))
NODE_READ = Permission("captain.node.read", _("See nodes"), reads=True)
NODE_MAINTAIN = Permission("captain.node.maintain", _("Cordon, drain and uncordon nodes"))
NAMESPACE_READ = Permission("captain.namespace.read", _("See namespaces"), reads=True)
WORKLOAD_READ = Permission("captain.workload.read", _("See workloads"), reads=True)
POD_READ = Permission("captain.pod.read", _("See pods"), reads=True)
POD_LOG = Permission("captain.pod.log", _("Read logs of pods"), reads=True)
POD_SHELL = Permission("captain.pod.shell", _("Open shells in pods"))
POD_DELETE = Permission("captain.pod.delete", _("Delete and evict pods"))

ALL = (
    CLUSTER_READ,
    CLUSTER_EDIT,
    NODE_READ,
    NODE_MAINTAIN,
    NAMESPACE_READ,
    WORKLOAD_READ,
    POD_READ,
    POD_LOG,
    POD_SHELL,
    POD_DELETE,
)

CLUSTER_ADDED = Operation("captain.cluster.registered", _("Registered a cluster"))
CLUSTER_CHANGED = Operation("captain.cluster.changed", _("Changed a cluster"))
CLUSTER_REMOVED = Operation("captain.cluster.removed", _("Removed a cluster"))
NODE_CORDONED = Operation("captain.node.cordoned", _("Ordered to cordon a node"))
NODE_UNCORDONED = Operation("captain.node.uncordoned", _("Ordered to uncordon a node"))
NODE_DRAINED = Operation("captain.node.drained", _("Ordered to drain a node"))
POD_DELETED = Operation("captain.pod.deleted", _("Deleted a pod"))
POD_EVICTED = Operation("captain.pod.evicted", _("Evicted a pod"))
SHELL_OPENED = Operation("captain.pod.shell_opened", _("Opened a shell in a pod"))
SHELL_CLOSED = Operation("captain.pod.shell_closed", _("Closed a shell in a pod"))


def place(arguments: Mapping[str, Any]) -> Mapping[str, str]:
    """The cluster and namespace that a call acts in; a list asks for the namespace that it is filtered by. What acts on
    a node or on a whole cluster is in no namespace, whatever its address says besides.
    """
    is_list = request.method in ("GET", "HEAD") and "name" not in arguments
    namespace = arguments.get("namespace") or (request.args.get("namespace", "") if is_list else "")
    return _place(arguments, namespace)


def of_namespace(arguments: Mapping[str, Any]) -> Mapping[str, str]:
    """Cluster and namespace of a call whose address names a namespace as its object."""
    return _place(arguments, arguments["name"])


def _place(arguments: Mapping[str, Any], namespace: object) -> Mapping[str, str]:
    found = {"cluster": str(arguments.get("cluster_id", "")), "namespace": str(namespace)}
    return {key: value for key, value in found.items() if value}
