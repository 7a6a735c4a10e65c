"""The typed shape of an application in a solution document, one struct for each object of its schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

MASK = "••••••"

Scalar = str | int | float | bool
Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
Quantity = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$")]
Ratio = Annotated[float, Meta(ge=1)]
Path = Annotated[str, Meta(pattern=r"^/")]
Positive = Annotated[int, Meta(ge=1)]
PortNumber = Annotated[int, Meta(ge=1, le=65535)]
AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
Workload = Literal["StatefulSet", "DaemonSet", "Deployment", "Job"]
Strategy = Literal["recommended", "per-host", "one", "two", "custom"]


class Part(Struct, frozen=True, rename="camel", omit_defaults=True):
    """An object of the format: camelCase in JSON, immutable here."""


class Parameter(Part, frozen=True):
    """One parameter as its author wrote it; its value may hold ``${...}`` references."""

    key: Key
    type: Literal["string", "number", "boolean", "secret", "enum"] = "string"
    value: Scalar | UnsetType = UNSET
    options: tuple[str, ...] = ()
    required: bool = False
    description: str = ""

    def __repr__(self) -> str:
        shown = MASK if self.type == "secret" and self.value is not UNSET else repr(self.value)
        return f"Parameter({self.key!r}, {self.type!r}, {shown})"


class Resources(Part, frozen=True):
    """What a container may use; a request is the limit divided by its oversell ratio."""

    cpu: Quantity = ""
    memory: Quantity = ""
    cpu_oversell: Ratio = 1.0
    memory_oversell: Ratio = 1.0
    gpu_memory: Quantity = ""


class Port(Part, frozen=True):
    """A port that the container listens on."""

    port: PortNumber
    name: str = ""
    protocol: Literal["TCP", "UDP"] = "TCP"


class Probe(Part, frozen=True):
    """How the cluster asks whether a container lives or is ready (guide 2.7.5)."""

    type: Literal["none", "tcp", "http"]
    port: int = 0
    path: str = ""
    period_seconds: Positive = 10
    failure_threshold: Positive = 3


class Probes(Part, frozen=True):
    """The two probes of an application."""

    liveness: Probe | UnsetType = UNSET
    readiness: Probe | UnsetType = UNSET


class Storage(Part, frozen=True):
    """A volume that is mounted into the container (guide 2.9.5)."""

    name: Name
    mount_path: Path
    size: Quantity = ""
    storage_class: str = ""
    access_mode: AccessMode = "ReadWriteOnce"
    owner_uid: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    anonymous: bool = False


class DnsConfig(Part, frozen=True):
    """Name servers and search domains of a pod."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()


class Certificate(Part, frozen=True):
    """A TLS secret that is mounted into the container."""

    secret: str
    mount_path: str


class NodeRule(Part, frozen=True):
    """A condition on the labels of the nodes that a pod may run on."""

    key: str
    operator: Literal["In", "NotIn"]
    values: tuple[str, ...]


class Toleration(Part, frozen=True):
    """A taint that the pods of an application bear."""

    key: str = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["", "PreferNoSchedule", "NoSchedule", "NoExecute"] = ""


class Spread(Part, frozen=True):
    """How evenly pods are spread over the values of a node label."""

    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = "ScheduleAnyway"
    max_skew: Positive = 1


class Neighbours(Part, frozen=True):
    """Applications that belong on the same node, or must not meet there."""

    applications: tuple[str, ...]
    policy: Literal["required", "preferred"]


class Strategies(Part, frozen=True):
    """How an application is grouped at its first release and at upgrades."""

    first: Literal["Parallel", "Serial"] = "Parallel"
    upgrade: Strategy = "recommended"


class Test(Part, frozen=True):
    """How an automated test ends and where its report lies."""

    timeout_seconds: int = 1800
    report_path: str = ""


class Task(Part, frozen=True):
    """When a one-off task runs."""

    when: Literal["before", "after"] = "before"
    run_on: Literal["every-release", "first-release", "version-change"] = "version-change"


class Application(Part, frozen=True):
    """One workload of a product."""

    name: Name
    image: Annotated[str, Meta(min_length=1)]
    role: Literal["standard", "task", "test"] = "standard"
    workload: Workload | UnsetType = UNSET
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    replicas: Annotated[int, Meta(ge=0)] = 1
    resources: Resources = Resources()
    parameters: tuple[Parameter, ...] = ()
    ports: tuple[Port, ...] = ()
    probes: Probes = Probes()
    storage: tuple[Storage, ...] = ()
    host_network: bool = False
    dns_policy: Literal["Default", "ClusterFirst", "ClusterFirstWithHostNet", "None"] = "ClusterFirst"
    dns_config: DnsConfig = DnsConfig()
    key_hardening: bool = False
    certificates: tuple[Certificate, ...] = ()
    node_affinity: tuple[NodeRule, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    topology_spread: tuple[Spread, ...] = ()
    affinity: tuple[Neighbours, ...] = ()
    anti_affinity: tuple[Neighbours, ...] = ()
    strategy: Strategies = Strategies()
    depends_on: tuple[str, ...] = ()
    test: Test = Test()
    task: Task = Task()

    @property
    def kind(self) -> str:
        """The Kubernetes kind: as written, or StatefulSet for a standard application and Job for the others."""
        if isinstance(self.workload, str):
            return self.workload
        return "StatefulSet" if self.role == "standard" else "Job"

    def with_(self, **changes: Any) -> Application:
        """The same application with some fields replaced."""
        return structs.replace(self, **changes)
