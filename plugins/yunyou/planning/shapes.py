"""What the API takes and answers of the plan of a solution, and of what is to do for it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, UnsetType

from app.contracts.json import Json
from app.contracts.shapes import KeptError, Version, Words, doc, known
from app.web.api import Out
from plugins.yunyou import fields
from plugins.yunyou.documents.application import Application, Scalar, Storage
from plugins.yunyou.products.shapes import ChangedField
from plugins.yunyou.resources.load_balancers import ListenerPlanned

PlanKind = Annotated[
    str, doc("Kind of plan: `parameters`, `images`, `databases`, `load-balancers`, `storage` or `applications`.")
]


class ParameterPlanned(Out):
    """A parameter: what the solution brings, what the environment has, what was decided. Secrets are masked."""

    name: Annotated[str, doc("What references call it: `global.KEY`, `product.CODE.param.KEY` or `PRODUCT/app.KEY`.")]
    level: Annotated[str, doc("`global`, `product` or `application`.")]
    product: Annotated[str, doc("Code of the product; empty for a global parameter.")]
    application: Annotated[str, doc("Name of the application; empty for a parameter of more than one.")]
    key: Annotated[str, doc("Its name at its level.")]
    type: Annotated[str, doc("`string`, `number`, `boolean`, `secret` or `enum`.")]
    required: Annotated[bool, doc("Whether it must have a value.")]
    options: Annotated[list[str], doc("The values that an `enum` may have.")]
    description: Annotated[str, doc("What its author says of it.")]
    state: Annotated[str, doc("`conflict`, `missing`, `error`, `unconfirmed`, `rendered` or `confirmed`.")]
    secret: Annotated[bool, doc("Whether its value is never shown.")]
    current: Annotated[Scalar | None, doc("The value that the environment has; null where it has none.")]
    new: Annotated[Scalar | None, doc("The value that the solution brings; null where it brings none.")]
    value: Annotated[Scalar | None, doc("The value in effect, before references are filled in.")]
    choice: Annotated[str | None, doc("Side that a conflict was decided for, `current` or `new`; null before.")]
    rendered: Annotated[str, doc("The value with references filled in.")]
    open: Annotated[list[str], doc("References that only the release will know.")]
    error: Annotated[dict[str, str] | None, doc("What is wrong with the value, by language; null where nothing is.")]


class ImagePlanned(Out):
    """An image, and what its registry said of it."""

    image: Annotated[str, doc("The image.")]
    applications: Annotated[list[str], doc("Applications that use it, as `PRODUCT/app`.")]
    state: Annotated[str, doc("`unchecked`, `found`, `missing` or `unreachable`.")]
    digest: Annotated[str | None, doc("Digest that the registry gave; null before.")]
    platforms: Annotated[list[str], doc("Platforms that it is built for, such as `linux/amd64`.")]
    error: KeptError
    checked_at: Annotated[datetime | None, doc("When the registry was last asked.")]
    accepted: Annotated[bool, doc("Whether it is confirmed.")]


class BalancerPlanned(Out):
    """A load balancer that the solution wants."""

    product: fields.ProductCode
    name: Annotated[str, doc("Name of the load balancer.")]
    application: Annotated[str, doc("Name of the application behind it.")]
    network: fields.Network
    domain: Annotated[str, doc("Domain name that leads to it; empty where none does.")]
    provider: Annotated[str, doc("What makes it.")]
    address: Annotated[str | None, doc("Its address; null before it has one.")]
    listeners: Annotated[list[ListenerPlanned], doc("Its ports.")]


class ResourcePlanned(Out):
    """A database, cache or bucket, and what is known of it. Secrets are masked."""

    product: fields.ProductCode
    kind: Annotated[str, doc("`database`, `cache` or `bucket`.")]
    name: Annotated[str, doc("Name in the solution.")]
    values: Annotated[
        dict[str, str | None], doc("Where it is, by field: `host`, `port` …; null for what is not known.")
    ]


class VolumePlanned(Storage, frozen=True, kw_only=True):
    """A volume of an application; fields that have their defaults are left out."""

    application: fields.ApplicationKey


class ApplicationPlanned(Application, frozen=True, kw_only=True):
    """An application as it will be delivered; fields that have their defaults are left out, and so are parameters."""

    key: fields.ApplicationKey
    edited: Annotated[Json, doc("The fields that were edited in this plan.")]


KIND = doc("Which plan it is.")


class Plan(Out):
    """One plan of a solution."""

    state: Annotated[str, doc("`todo` or `done`.")]
    total: Annotated[int, doc("How much there is to confirm.")]
    open: Annotated[int, doc("How much of it is still open.")]
    version: Version


class ParametersPlan(Plan):
    """The plan of the parameters."""

    kind: Annotated[Literal["parameters"], KIND]
    items: Annotated[list[ParameterPlanned], doc("Every parameter of the solution.")]


class ImagesPlan(Plan):
    """The plan of the images."""

    kind: Annotated[Literal["images"], KIND]
    items: Annotated[list[ImagePlanned], doc("Every image of the solution.")]


class BalancersPlan(Plan):
    """The plan of the load balancers."""

    kind: Annotated[Literal["load-balancers"], KIND]
    items: Annotated[list[BalancerPlanned], doc("Every load balancer of the solution.")]


class DatabasesPlan(Plan):
    """The plan of databases, caches and buckets."""

    kind: Annotated[Literal["databases"], KIND]
    items: Annotated[list[ResourcePlanned], doc("Every database, cache and bucket of the solution.")]


class StoragePlan(Plan):
    """The plan of the volumes."""

    kind: Annotated[Literal["storage"], KIND]
    items: Annotated[list[VolumePlanned], doc("Every volume of the solution.")]


class ApplicationsPlan(Plan):
    """The plan of the applications."""

    kind: Annotated[Literal["applications"], KIND]
    items: Annotated[list[ApplicationPlanned], doc("Every application of the solution.")]


PLANS = (ParametersPlan, ImagesPlan, BalancersPlan, DatabasesPlan, StoragePlan, ApplicationsPlan)


class TaskOut(Out):
    """One thing to do."""

    kind: Annotated[
        str,
        doc(
            "`new`, `deploy`, `scale-out`, `scale-in`, `resize`, `test`, `topology`, `downgrade`, `removal` or `drift`."
        ),
    ]
    name: Words
    product: fields.ProductCode
    application: Annotated[str | None, doc("Name of the application; null where it concerns the product itself.")]
    cell: Annotated[str | None, doc("Cell of a scaling group; null where there are none.")]
    order: Annotated[str, doc("Type of the order that does it: `release`, `operation` or `test`.")]
    acknowledge: Annotated[bool, doc("Whether a person must acknowledge it first.")]
    warning: Annotated[dict[str, str] | None, doc("What to mind, by language; null where nothing.")]
    changes: Annotated[list[ChangedField], doc("What differs.")]


class ProductTasks(Out):
    """What is to do for one product."""

    product: fields.ProductCode
    before: Annotated[str | None, doc("Version that runs; null for a new product.")]
    after: Annotated[str, doc("Version of the solution.")]
    parameters: Annotated[list[ChangedField], doc("Parameters of the product that differ.")]
    tasks: Annotated[list[TaskOut], doc("What is to do.")]


class TasksOut(Out):
    """The difference between a solution and what runs."""

    products: Annotated[list[ProductTasks], doc("What is to do, product by product.")]
    parameters: Annotated[list[ChangedField], doc("Global parameters that differ.")]
    empty: Annotated[bool, doc("Whether there is nothing to do.")]


class ParameterEdit(Out):
    """What is decided of one parameter."""

    name: Annotated[str, doc("What references call it.")]
    value: Annotated[Scalar | None, doc("A value of one's own; null takes it back.")] = None
    choice: Annotated[Literal["current", "new"] | UnsetType, doc("Which side a conflict is decided for.")] = UNSET


class ParameterEdits(Out):
    """What is decided of parameters. Besides, ``{"NAME": value}`` enters values."""

    items: Annotated[list[ParameterEdit] | UnsetType, doc("What is decided, one by one.")] = UNSET
    resolve: Annotated[Literal["current", "new"] | UnsetType, doc("Which side all open conflicts are decided for.")] = (
        UNSET
    )


DatabaseEdit = Annotated[
    Json,
    known(
        kind="`database`, `cache` or `bucket`.",
        name="Name in the solution.",
        host="Where it is; further fields are those that the plan shows.",
    ),
]


class DatabaseEdits(Out):
    """Where databases, caches and buckets are."""

    items: Annotated[list[DatabaseEdit], doc("Where they are, one by one.")] = []


class ImageEdit(Out):
    """The image of an application."""

    application: fields.ApplicationKey
    image: Annotated[str, doc("The image.")]


class ImageEdits(Out):
    """Images of applications. Besides, ``{"PRODUCT/app": image}`` sets them."""

    items: Annotated[list[ImageEdit], doc("The images, one by one.")] = []


ApplicationEdits = Annotated[
    dict[str, Json],
    doc("By application, as `PRODUCT/app`: the fields that are edited; null takes an edit back."),
]
