"""What somebody asks of an order: the body of ``POST /yunyou/orders`` and of its preview."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class In(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A part of an order request."""


class Grouping(In):
    """How pods are cut into groups (guide 2.7.3, 2.7.7); ``shares`` are whole percents of a custom grouping."""

    strategy: Literal["recommended", "per-host", "one", "two", "custom"] = "recommended"
    shares: list[int] | None = None


class ApplicationWish(In):
    """What this order does differently for one application."""

    grouping: Grouping | None = None
    after: list[str] = []


class OrderRequest(In):
    """An order. ``application`` and the fields after it are for operations on one application."""

    type: Literal["release", "operation", "test"] = "release"
    solution: str = ""
    environment: str = ""
    products: list[str] = []
    grouping: Grouping = msgspec.field(default_factory=Grouping)
    beta: bool = False
    unattended: bool = False
    exclude: list[str] = []
    sequence: list[list[str]] | None = None
    force: list[str] = []
    name: Annotated[str, Meta(max_length=200)] = ""
    applications: dict[str, ApplicationWish] = {}
    acknowledge: list[str] = []
    adopt: list[str] = []
    preview: str = ""
    refuse_if_busy: bool = False
    operation: Literal["", "scale", "resize", "rollback", "sync"] = ""
    application: str = ""
    replicas: Annotated[int, Meta(ge=0, le=5000)] | None = None
    resources: dict[str, Any] | None = None
    product: str = ""
    record: str = ""


class RollbackRequest(In):
    """A rollback of an order, or of a product, application or group of it."""

    applications: list[str] = []
    grouping: Grouping = msgspec.field(default_factory=lambda: Grouping("one"))
    beta: bool = False
    name: str = ""
    preview: str = ""
