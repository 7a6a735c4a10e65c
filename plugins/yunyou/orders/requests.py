"""What somebody asks of an order: the body of ``POST /yunyou/orders`` and of its preview."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.contracts.json import Json
from app.contracts.shapes import doc


class In(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A part of an order request."""


class Grouping(In):
    """How pods are cut into groups (guide 2.7.3, 2.7.7); ``shares`` are whole percents of a custom grouping."""

    strategy: Annotated[
        Literal["recommended", "per-host", "one", "two", "custom"],
        doc("How pods are cut into groups that are replaced one after another."),
    ] = "recommended"
    shares: Annotated[list[int] | None, doc("For `custom`: whole percents, one for each group.")] = None


class ApplicationWish(In):
    """What this order does differently for one application."""

    grouping: Annotated[Grouping | None, doc("Groups of this application; without it those of the order.")] = None
    after: Annotated[list[str], doc("Applications, as `PRODUCT/app`, that must be done before.")] = []


class OrderRequest(In):
    """An order. ``application`` and the fields after it are for operations on one application."""

    type: Annotated[Literal["release", "operation", "test"], doc("What kind of order.")] = "release"
    solution: Annotated[str, doc("Identifier of the solution that is released or tested.")] = ""
    environment: Annotated[str, doc("For an operation: identifier of the environment.")] = ""
    products: Annotated[list[str], doc("Codes of the products; without them all that have something to do.")] = []
    grouping: Annotated[Grouping, doc("How pods are cut into groups; `custom` only for one application.")] = (
        msgspec.field(default_factory=Grouping)
    )
    beta: Annotated[bool, doc("Whether a person looks at the first group before the next one goes on.")] = False
    unattended: Annotated[bool, doc("Whether it goes on without people.")] = False
    exclude: Annotated[list[str], doc("Applications, as `PRODUCT/app`, that are left out.")] = []
    sequence: Annotated[list[list[str]] | None, doc("Products one after another; those of one list at once.")] = None
    force: Annotated[list[str], doc("Applications, as `PRODUCT/app`, that are released although nothing differs.")] = []
    name: Annotated[
        str, Meta(max_length=200), doc("What people call it; made from what it does where it is left out.")
    ] = ""
    applications: Annotated[
        dict[str, ApplicationWish], doc("What is different for single applications, by `PRODUCT/app`.")
    ] = {}
    acknowledge: Annotated[list[str], doc("Products whose downgrade is acknowledged.")] = []
    adopt: Annotated[list[str], doc("Applications, as `PRODUCT/app`, whose objects are taken over from others.")] = []
    preview: Annotated[
        str, doc("The `preview` that was seen: the order is refused where its plan has changed since.")
    ] = ""
    refuse_if_busy: Annotated[
        bool, doc("Whether it is refused, and does not wait, where another order holds what it needs.")
    ] = False
    operation: Annotated[Literal["", "scale", "resize", "rollback", "sync"], doc("For an operation: which.")] = ""
    application: Annotated[str, doc("For an operation: the application, as `PRODUCT/app`.")] = ""
    replicas: Annotated[Annotated[int, Meta(ge=0, le=5000)] | None, doc("For `scale`: how many there shall be.")] = None
    resources: Annotated[Json | None, doc("For `resize`: the new limits, such as `cpu` and `memory`.")] = None
    product: Annotated[str, doc("For `rollback` of a product: its code.")] = ""
    record: Annotated[str, doc("For `rollback` of a product: identifier of the release to return to.")] = ""


class RollbackRequest(In):
    """A rollback of an order, or of a product, application or group of it."""

    applications: Annotated[
        list[str], doc("Applications, as `PRODUCT/app`, that are taken back; without them all.")
    ] = []
    grouping: Annotated[Grouping, doc("How pods are cut into groups.")] = msgspec.field(
        default_factory=lambda: Grouping("one")
    )
    beta: Annotated[bool, doc("Whether a person looks at the first group before the next one goes on.")] = False
    name: Annotated[str, doc("What people call it; made from what it does where it is left out.")] = ""
    preview: Annotated[
        str, doc("The `preview` that was seen: the order is refused where its plan has changed since.")
    ] = ""
