"""The typed shape of a whole solution or baseline document (contract: solution.schema.json)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta, convert
from msgspec import field as part_field

from app.contracts.json import Json
from plugins.yunyou.documents.application import Application, Name, Parameter, Part, Quantity, Resources

BASELINE_SCHEMA = "antstack.baseline/v1"

Code = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$")]


class Dependency(Part, frozen=True):
    """Another product that this one needs, with a PEP 440 specifier."""

    product: str
    version: str = ""


class Change(Part, frozen=True):
    """One numbered SQL change of a database."""

    id: str
    sql: str


class Database(Part, frozen=True):
    """A schema that applications use."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    engine: Literal["mysql", "oceanbase", "rds"] = "mysql"
    charset: str = "utf8mb4"
    applications: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


class Listener(Part, frozen=True):
    """A port of a load balancer and the port behind it."""

    port: int
    target_port: int
    protocol: Literal["TCP", "UDP", "HTTP", "HTTPS"] = "TCP"
    certificate: str = ""


class LoadBalancer(Part, frozen=True):
    """An address from outside for one application."""

    name: Name
    application: str
    listeners: Annotated[tuple[Listener, ...], Meta(min_length=1)]
    network: Literal["internal", "public"] = "internal"
    domain: str = ""


class Cache(Part, frozen=True):
    """A Redis instance."""

    name: Name
    memory: Quantity = ""


class Bucket(Part, frozen=True):
    """A place in file storage."""

    name: str
    access: Literal["private", "public-read"] = "private"


class Cell(Part, frozen=True):
    """One copy of a scaling group."""

    name: Name
    zone: str = ""
    replicas: dict[str, int] = part_field(default_factory=dict)
    resources: Json = part_field(default_factory=dict)
    parameters: Json = part_field(default_factory=dict)

    def resources_of(self, application: str) -> Resources:
        """The size that replaces the application's own in this cell."""
        return convert(self.resources[application], Resources)


class ScalingGroup(Part, frozen=True):
    """Applications that are deployed several times, once per cell (guide 2.8.5)."""

    name: Name
    applications: Annotated[tuple[str, ...], Meta(min_length=1)]
    shared_databases: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()


class Product(Part, frozen=True):
    """A product at one version."""

    code: Code
    name: str
    version: str
    applications: Annotated[tuple[Application, ...], Meta(min_length=1)]
    topology: str = ""
    specification: str = ""
    release_notes: str = ""
    dependencies: tuple[Dependency, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    databases: tuple[Database, ...] = ()
    load_balancers: tuple[LoadBalancer, ...] = ()
    caches: tuple[Cache, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    scaling_groups: tuple[ScalingGroup, ...] = ()

    def application(self, name: str) -> Application | None:
        """The application of that name, or None."""
        return next((app for app in self.applications if app.name == name), None)

    def group_of(self, application: str) -> ScalingGroup | None:
        """The scaling group that deploys *application*, or None."""
        return next((group for group in self.scaling_groups if application in group.applications), None)

    def cells_of(self, application: Application) -> tuple[Cell | None, ...]:
        """The cells that deploy an application, or None alone where it is deployed once, as every task and test is."""
        group = self.group_of(application.name) if application.role == "standard" else None
        return group.cells if group and group.cells else (None,)


class Body(Part, frozen=True):
    """A whole document."""

    schema: Literal["antstack.solution/v1", "antstack.baseline/v1"]
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    version: Annotated[str, Meta(min_length=1, max_length=64)]
    products: Annotated[tuple[Product, ...], Meta(min_length=1)]
    description: str = ""
    issued_at: str = ""
    exported_at: str = ""
    environment: Json = part_field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    """A checked document: its typed body, the document as imported, and the fields that the format doesn't know."""

    body: Body = field(repr=False)
    document: Json = field(repr=False)
    unknown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The solution's name."""
        return self.body.name

    @property
    def version(self) -> str:
        """The solution's version."""
        return self.body.version

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Global parameters."""
        return self.body.parameters

    @property
    def products(self) -> tuple[Product, ...]:
        """Products in the order of the file."""
        return self.body.products

    @property
    def is_baseline(self) -> bool:
        """Whether this is an exported baseline rather than a solution."""
        return self.body.schema == BASELINE_SCHEMA

    def product(self, code: str) -> Product | None:
        """The product of that code, or None."""
        return next((product for product in self.products if product.code == code), None)

    def applications(self) -> Iterator[tuple[Product, Application]]:
        """Every application with its product, in the order of the file."""
        return ((product, app) for product in self.products for app in product.applications)
