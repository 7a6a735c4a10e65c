"""The fields of Kubernetes objects that lists and orders use; msgspec skips everything else while it decodes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Shape(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """Base: camelCase as Kubernetes writes it, empty fields left out when kept."""


class Owner(Shape):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Meta(Shape):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[Owner] = []


class Condition(Shape):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class ContainerState(Shape):
    waiting: dict[str, Any] | None = None
    running: dict[str, Any] | None = None
    terminated: dict[str, Any] | None = None


class ContainerStatus(Shape):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    last_state: ContainerState = msgspec.field(default_factory=ContainerState)


class Container(Shape):
    name: str = ""
    image: str = ""
    resources: dict[str, Any] = {}
    ports: list[dict[str, Any]] = []
    restart_policy: str = ""


class PodSpec(Shape):
    node_name: str = ""
    containers: list[Container] = []
    init_containers: list[Container] = []
    restart_policy: str = "Always"
    overhead: dict[str, str] = {}


class PodStatus(Shape):
    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    host_ip: str = msgspec.field(default="", name="hostIP")
    start_time: datetime | None = None
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(Shape):
    metadata: Meta = msgspec.field(default_factory=Meta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


class Taint(Shape):
    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Shape):
    unschedulable: bool = False
    taints: list[Taint] = []


class NodeStatus(Shape):
    capacity: dict[str, str] = {}
    allocatable: dict[str, str] = {}
    conditions: list[Condition] = []
    addresses: list[dict[str, str]] = []
    node_info: dict[str, Any] = {}


class Node(Shape):
    metadata: Meta = msgspec.field(default_factory=Meta)
    spec: NodeSpec = msgspec.field(default_factory=NodeSpec)
    status: NodeStatus = msgspec.field(default_factory=NodeStatus)


class Template(Shape):
    metadata: Meta = msgspec.field(default_factory=Meta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class WorkloadSpec(Shape):
    replicas: int | None = None
    paused: bool = False
    suspend: bool = False
    completions: int | None = None
    parallelism: int | None = None
    min_ready_seconds: int = 0
    selector: dict[str, Any] = {}
    strategy: dict[str, Any] = {}
    update_strategy: dict[str, Any] = {}
    template: Template = msgspec.field(default_factory=Template)


class WorkloadStatus(Shape):
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    updated_number_scheduled: int = 0
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    conditions: list[Condition] = []


class Workload(Shape):
    metadata: Meta = msgspec.field(default_factory=Meta)
    spec: WorkloadSpec = msgspec.field(default_factory=WorkloadSpec)
    status: WorkloadStatus = msgspec.field(default_factory=WorkloadStatus)


class NamespaceStatus(Shape):
    phase: str = ""


class Namespace(Shape):
    metadata: Meta = msgspec.field(default_factory=Meta)
    status: NamespaceStatus = msgspec.field(default_factory=NamespaceStatus)


class ServicePort(Shape):
    name: str = ""
    port: int = 0
    target_port: int | str | None = None
    node_port: int | None = None
    protocol: str = "TCP"


class ServiceSpec(Shape):
    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    selector: dict[str, str] = {}
    ports: list[ServicePort] = []


class Service(Shape):
    metadata: Meta = msgspec.field(default_factory=Meta)
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)
    status: dict[str, Any] = {}


KINDS: dict[str, type[Any]] = {
    "nodes": Node,
    "namespaces": Namespace,
    "pods": Pod,
    "deployments": Workload,
    "statefulsets": Workload,
    "daemonsets": Workload,
    "replicasets": Workload,
    "jobs": Workload,
    "services": Service,
}
# Annotations that orders and details read; the rest (last-applied and the like) is left out of the mirror.
KEPT_ANNOTATIONS = ("antstack.io/", "deployment.kubernetes.io/revision")


class ListMeta(Shape):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class Raws(Shape):
    """A list whose items are decoded later, one by one or all at once."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


class WatchEvent(Shape):
    """A line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR with its object."""

    type: str = ""
    object: msgspec.Raw = msgspec.Raw(b"null")


class Marked(Shape):
    """The object of a bookmark: a kind's zero value, whose required fields are null; only its version says
    something.
    """

    metadata: Meta


def kept(item: Any) -> dict[str, Any]:
    """The object in Kubernetes' shape, without annotations that nobody here reads."""
    meta = item.metadata
    meta.annotations = {k: v for k, v in meta.annotations.items() if k.startswith(KEPT_ANNOTATIONS)}
    found: dict[str, Any] = msgspec.to_builtins(item)
    return found
