"""Rights and recorded operations of Captain, and what a call acts on for conditions of grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from app.contracts.declarations import Permission
from app.contracts.text import Text
from app.guard import Operation

CLUSTER_READ = Permission("captain.cluster.read", Text("See clusters", "查看集群"), reads=True)
CLUSTER_EDIT = Permission("captain.cluster.edit", Text("Register, change and remove clusters", "注册、修改与移除集群"))
NODE_READ = Permission("captain.node.read", Text("See nodes", "查看节点"), reads=True)
NAMESPACE_READ = Permission("captain.namespace.read", Text("See namespaces", "查看命名空间"), reads=True)
WORKLOAD_READ = Permission("captain.workload.read", Text("See workloads", "查看工作负载"), reads=True)
POD_READ = Permission("captain.pod.read", Text("See pods", "查看容器组"), reads=True)
POD_LOG = Permission("captain.pod.log", Text("Read logs of pods", "查看容器日志"), reads=True)
POD_SHELL = Permission("captain.pod.shell", Text("Open shells in pods", "登录容器终端"))
POD_DELETE = Permission("captain.pod.delete", Text("Delete and evict pods", "删除与驱逐容器组"))

ALL = (
    CLUSTER_READ, CLUSTER_EDIT, NODE_READ, NAMESPACE_READ, WORKLOAD_READ, POD_READ, POD_LOG, POD_SHELL, POD_DELETE,
)  # fmt: skip

CLUSTER_ADDED = Operation("captain.cluster.registered", Text("Registered a cluster", "注册集群"))
CLUSTER_CHANGED = Operation("captain.cluster.changed", Text("Changed a cluster", "修改集群"))
CLUSTER_REMOVED = Operation("captain.cluster.removed", Text("Removed a cluster", "移除集群"))
POD_DELETED = Operation("captain.pod.deleted", Text("Deleted a pod", "删除容器组"))
POD_EVICTED = Operation("captain.pod.evicted", Text("Evicted a pod", "驱逐容器组"))
SHELL_OPENED = Operation("captain.pod.shell_opened", Text("Opened a shell in a pod", "打开容器终端"))
SHELL_CLOSED = Operation("captain.pod.shell_closed", Text("Closed a shell in a pod", "关闭容器终端"))


def place(arguments: Mapping[str, Any]) -> Mapping[str, str]:
    """The cluster and namespace that a call acts in; a list asks for the namespace that it is filtered by."""
    namespace = arguments.get("namespace") or request.args.get("namespace", "")
    found = {"cluster": str(arguments.get("cluster_id", "")), "namespace": str(namespace)}
    return {key: value for key, value in found.items() if value}
