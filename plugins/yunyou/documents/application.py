"""The typed shape of an application in a solution document, one struct for each object of its schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from app.contracts.shapes import doc

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

    key: Annotated[Key, doc("Name of the parameter.")]
    type: Annotated[Literal["string", "number", "boolean", "secret", "enum"], doc("Type of its value.")] = "string"
    value: Annotated[Scalar | UnsetType, doc("Its value, which may hold references `${...}`.")] = UNSET
    options: Annotated[tuple[str, ...], doc("The values that an `enum` may have.")] = ()
    required: Annotated[bool, doc("Whether it must have a value.")] = False
    description: Annotated[str, doc("What its author says of it.")] = ""

    def __repr__(self) -> str:
        shown = MASK if self.type == "secret" and self.value is not UNSET else repr(self.value)
        return f"Parameter({self.key!r}, {self.type!r}, {shown})"


class Resources(Part, frozen=True):
    """What a container may use; a request is the limit divided by its oversell ratio."""

    cpu: Annotated[Quantity, doc("CPU that the container may use.")] = ""
    memory: Annotated[Quantity, doc("Memory that the container may use.")] = ""
    cpu_oversell: Annotated[Ratio, doc("The request for CPU is the limit divided by this.")] = 1.0
    memory_oversell: Annotated[Ratio, doc("The request for memory is the limit divided by this.")] = 1.0
    gpu_memory: Annotated[Quantity, doc("Memory of a GPU that the container may use.")] = ""


class Port(Part, frozen=True):
    """A port that the container listens on."""

    port: Annotated[PortNumber, doc("Port that the container listens on.")]
    name: Annotated[str, doc("Name of the port.")] = ""
    protocol: Annotated[Literal["TCP", "UDP"], doc("Protocol of the port.")] = "TCP"


class Probe(Part, frozen=True):
    """How the cluster asks whether a container lives or is ready (guide 2.7.5)."""

    type: Annotated[Literal["none", "tcp", "http"], doc("How the cluster asks.")]
    port: Annotated[int, doc("Port that is asked.")] = 0
    path: Annotated[str, doc("Path that is asked by HTTP.")] = ""
    period_seconds: Annotated[Positive, doc("Seconds between two questions.")] = 10
    failure_threshold: Annotated[Positive, doc("After so many failures in a row it counts.")] = 3


class Probes(Part, frozen=True):
    """The two probes of an application."""

    liveness: Annotated[Probe | UnsetType, doc("Whether the container lives.")] = UNSET
    readiness: Annotated[Probe | UnsetType, doc("Whether the container is ready.")] = UNSET


class Storage(Part, frozen=True):
    """A volume that is mounted into the container (guide 2.9.5)."""

    name: Annotated[Name, doc("Name of the volume.")]
    mount_path: Annotated[Path, doc("Where it is mounted in the container.")]
    size: Annotated[Quantity, doc("Size of the volume.")] = ""
    storage_class: Annotated[str, doc("Storage class; empty for the default of the cluster.")] = ""
    access_mode: Annotated[AccessMode, doc("Who may mount it at once.")] = "ReadWriteOnce"
    owner_uid: Annotated[Annotated[int, Meta(ge=0)] | UnsetType, doc("User that it belongs to in the container.")] = (
        UNSET
    )
    anonymous: Annotated[bool, doc("Whether it goes with its pod.")] = False


class DnsConfig(Part, frozen=True):
    """Name servers and search domains of a pod."""

    nameservers: Annotated[tuple[str, ...], doc("Addresses of name servers.")] = ()
    searches: Annotated[tuple[str, ...], doc("Domains that short names are looked for in.")] = ()


class Certificate(Part, frozen=True):
    """A TLS secret that is mounted into the container."""

    secret: Annotated[str, doc("Name of the TLS secret.")]
    mount_path: Annotated[str, doc("Where it is mounted in the container.")]


class NodeRule(Part, frozen=True):
    """A condition on the labels of the nodes that a pod may run on."""

    key: Annotated[str, doc("Label of the node.")]
    operator: Annotated[Literal["In", "NotIn"], doc("Whether its value must be one of these, or none of them.")]
    values: Annotated[tuple[str, ...], doc("The values.")]


class Toleration(Part, frozen=True):
    """A taint that the pods of an application bear."""

    key: Annotated[str, doc("Key of the taint; empty for any.")] = ""
    operator: Annotated[Literal["Equal", "Exists"], doc("How its value is compared.")] = "Equal"
    value: Annotated[str, doc("Value of the taint.")] = ""
    effect: Annotated[
        Literal["", "PreferNoSchedule", "NoSchedule", "NoExecute"], doc("Effect of the taint; empty for any.")
    ] = ""


class Spread(Part, frozen=True):
    """How evenly pods are spread over the values of a node label."""

    topology_key: Annotated[str, doc("Label of nodes over whose values pods are spread.")]
    when_unsatisfiable: Annotated[
        Literal["DoNotSchedule", "ScheduleAnyway"], doc("What becomes of a pod that cannot be spread.")
    ] = "ScheduleAnyway"
    max_skew: Annotated[Positive, doc("How much two values may differ in pods.")] = 1


class Neighbours(Part, frozen=True):
    """Applications that belong on the same node, or must not meet there."""

    applications: Annotated[tuple[str, ...], doc("Names of the applications.")]
    policy: Annotated[Literal["required", "preferred"], doc("Whether it must be so, or should.")]


class Strategies(Part, frozen=True):
    """How an application is grouped at its first release and at upgrades."""

    first: Annotated[Literal["Parallel", "Serial"], doc("How its pods come at the first release.")] = "Parallel"
    upgrade: Annotated[Strategy, doc("How its pods are cut into groups at upgrades.")] = "recommended"


class Test(Part, frozen=True):
    """How an automated test ends and where its report lies."""

    timeout_seconds: Annotated[int, doc("Seconds that the test may take.")] = 1800
    report_path: Annotated[str, doc("Where its report lies in the container.")] = ""


class Task(Part, frozen=True):
    """When a one-off task runs."""

    when: Annotated[Literal["before", "after"], doc("Whether it runs before or after the other applications.")] = (
        "before"
    )
    run_on: Annotated[
        Literal["every-release", "first-release", "version-change"], doc("Which releases it runs at.")
    ] = "version-change"


class Application(Part, frozen=True):
    """One workload of a product."""

    name: Annotated[Name, doc("Name of the application.")]
    image: Annotated[str, Meta(min_length=1), doc("Image of its container.")]
    role: Annotated[Literal["standard", "task", "test"], doc("Whether it serves, does something once, or tests.")] = (
        "standard"
    )
    workload: Annotated[
        Workload | UnsetType,
        doc("Kind of workload; StatefulSet for a standard application and Job for others where it is left out."),
    ] = UNSET
    command: Annotated[tuple[str, ...], doc("Command of the container, in place of that of the image.")] = ()
    args: Annotated[tuple[str, ...], doc("Arguments of the container, in place of those of the image.")] = ()
    replicas: Annotated[int, Meta(ge=0), doc("How many pods there shall be.")] = 1
    resources: Annotated[Resources, doc("What its container may use.")] = Resources()
    parameters: Annotated[
        tuple[Parameter, ...], doc("Start-up parameters, which the container gets as environment variables.")
    ] = ()
    ports: Annotated[tuple[Port, ...], doc("Ports that the container listens on.")] = ()
    probes: Annotated[Probes, doc("How the cluster asks whether it lives and is ready.")] = Probes()
    storage: Annotated[tuple[Storage, ...], doc("Volumes that are mounted into the container.")] = ()
    host_network: Annotated[bool, doc("Whether its pods are in the network of their node.")] = False
    dns_policy: Annotated[
        Literal["Default", "ClusterFirst", "ClusterFirstWithHostNet", "None"], doc("How its pods look names up.")
    ] = "ClusterFirst"
    dns_config: Annotated[DnsConfig, doc("Name servers and search domains, for the policy `None`.")] = DnsConfig()
    key_hardening: Annotated[bool, doc("Whether its keys are mounted as the system property of the guide says.")] = (
        False
    )
    certificates: Annotated[tuple[Certificate, ...], doc("TLS secrets that are mounted into the container.")] = ()
    node_affinity: Annotated[tuple[NodeRule, ...], doc("Labels of the nodes that it may run on.")] = ()
    tolerations: Annotated[tuple[Toleration, ...], doc("Taints of nodes that it bears.")] = ()
    topology_spread: Annotated[tuple[Spread, ...], doc("How its pods are spread over nodes.")] = ()
    affinity: Annotated[tuple[Neighbours, ...], doc("Applications that belong on the same node.")] = ()
    anti_affinity: Annotated[tuple[Neighbours, ...], doc("Applications that must not meet on a node.")] = ()
    strategy: Annotated[Strategies, doc("How it is grouped at its first release and at upgrades.")] = Strategies()
    depends_on: Annotated[tuple[str, ...], doc("Applications of the same product that are released before it.")] = ()
    test: Annotated[Test, doc("How the test ends.")] = Test()
    task: Annotated[Task, doc("When the task runs.")] = Task()

    @property
    def kind(self) -> str:
        """The Kubernetes kind: as written, or StatefulSet for a standard application and Job for the others."""
        if isinstance(self.workload, str):
            return self.workload
        return "StatefulSet" if self.role == "standard" else "Job"

    def with_(self, **changes: Any) -> Application:
        """The same application with some fields replaced."""
        return structs.replace(self, **changes)
