"""The kinds of objects that pages and lists show: their names, rights, and the words of their states."""

from __future__ import annotations

from dataclasses import dataclass

from app.contracts.declarations import Permission
from app.contracts.text import Text, plain
from app.errors import NOT_FOUND
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
    Kind("nodes", "Node", Text("Nodes", "节点"), Text("node", "节点"), permissions.NODE_READ),
    Kind("namespaces", "Namespace", Text("Namespaces", "命名空间"), Text("namespace", "命名空间"), permissions.NAMESPACE_READ),
    Kind("deployments", "Deployment", Text("Deployments", "无状态"), Text("Deployment", "无状态工作负载"), permissions.WORKLOAD_READ, True),
    Kind("statefulsets", "StatefulSet", Text("StatefulSets", "有状态"), Text("StatefulSet", "有状态工作负载"), permissions.WORKLOAD_READ, True),
    Kind("daemonsets", "DaemonSet", Text("DaemonSets", "守护进程"), Text("DaemonSet", "守护进程集"), permissions.WORKLOAD_READ, True),
    Kind("jobs", "Job", Text("Jobs", "任务"), Text("Job", "任务"), permissions.WORKLOAD_READ, True),
    Kind("replicasets", "ReplicaSet", Text("ReplicaSets", "副本集"), Text("ReplicaSet", "副本集"), permissions.WORKLOAD_READ, True, tab=False),
    Kind("pods", "Pod", Text("Pods", "容器组"), Text("pod", "容器组"), permissions.POD_READ),
)  # fmt: skip
KINDS = {kind.plural: kind for kind in _KINDS}
BY_NAME = {kind.name: kind for kind in _KINDS}
WORKLOADS = tuple(kind.plural for kind in _KINDS if kind.workload)

# What the guide calls a workload's states (4.5); Kubernetes' own words for pods and nodes stay as kubectl has them.
STATES = {
    "running": Text("Running", "运行中"),
    "deploying": Text("Deploying", "部署中"),
    "incomplete": Text("Incomplete", "未完成"),
    "failed": Text("Failed", "失败"),
    "paused": Text("Paused", "已暂停"),
    "stopped": Text("Stopped", "已停止"),
    "completed": Text("Completed", "已完成"),
}


def workload(plural: str) -> Kind:
    """The kind of workload with this plural.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    kind = KINDS.get(plural)
    if kind is None or not kind.workload:
        raise NOT_FOUND(what=Text("kind of workload", "工作负载类型"))
    return kind


def state_text(state: str) -> Text:
    """A state in the reader's language."""
    return STATES.get(state) or plain(state)
