"""What the API answers of the plan of a solution and of what is to do for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select

from app.contracts.shapes import KeptError, Version, Words, doc
from app.db import rows
from app.web.api import Out
from plugins.yunyou import fields, planning, resources, solutions, tasks
from plugins.yunyou.domain.application import Application, Scalar, Storage
from plugins.yunyou.models import ImageCheck, LoadBalancer, Solution

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


class ListenerPlanned(Out):
    """A port of a load balancer and the port behind it."""

    port: Annotated[int, doc("Port that it listens on.")]
    target_port: Annotated[int, doc("Port of the application.")]
    protocol: Annotated[str, doc("`TCP`, `UDP`, `HTTP` or `HTTPS`.")]


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
    edited: Annotated[dict[str, Any], doc("The fields that were edited in this plan.")]


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


def _parameters(solution: Solution) -> ParametersPlan:
    items = [entry.public() for entry in planning.entries_for(solution)]
    for item in items:
        item["error"] = item["error"].in_all() if item["error"] else None
    return ParametersPlan(*_head(solution, "parameters"), "parameters", msgspec.convert(items, list[ParameterPlanned]))


def _images(solution: Solution) -> ImagesPlan:
    found = rows(select(ImageCheck).where(ImageCheck.solution_id == solution.id).order_by(ImageCheck.image))
    items = [
        ImagePlanned(
            r.image, r.applications, r.state, r.digest or None, r.platforms, r.problem, r.checked_at, r.accepted
        )
        for r in found
    ]
    return ImagesPlan(*_head(solution, "images"), "images", items)


def _balancers(solution: Solution) -> BalancersPlan:
    query = select(LoadBalancer).where(LoadBalancer.environment_id == solution.environment_id)
    addresses = {row.name: row.address for row in rows(query)}
    items = [
        BalancerPlanned(
            product.code,
            b.name,
            b.application,
            b.network,
            b.domain,
            "kubernetes",
            addresses.get(b.name) or None,
            [ListenerPlanned(x.port, x.target_port, x.protocol) for x in b.listeners],
        )
        for product in solutions.document_of(solution).products
        for b in product.load_balancers
    ]
    return BalancersPlan(*_head(solution, "load-balancers"), "load-balancers", items)


def _databases(solution: Solution) -> DatabasesPlan:
    items = msgspec.convert(resources.listed(solution), list[ResourcePlanned])
    return DatabasesPlan(*_head(solution, "databases"), "databases", items)


def _storage(solution: Solution) -> StoragePlan:
    items = [
        VolumePlanned(**msgspec.structs.asdict(volume), application=f"{product.code}/{app.name}")
        for product, app in solutions.document_of(solution).applications()
        for volume in app.storage
    ]
    return StoragePlan(*_head(solution, "storage"), "storage", items)


def _applications(solution: Solution) -> ApplicationsPlan:
    items = []
    for product, app in solutions.document_of(solution).applications():
        key = f"{product.code}/{app.name}"
        fields = {**msgspec.structs.asdict(app), "parameters": ()}
        items.append(ApplicationPlanned(**fields, key=key, edited=solution.overrides.get(key, {})))
    return ApplicationsPlan(*_head(solution, "applications"), "applications", items)


_PLANS: dict[str, Callable[[Solution], Plan]] = {
    "parameters": _parameters,
    "images": _images,
    "load-balancers": _balancers,
    "databases": _databases,
    "storage": _storage,
    "applications": _applications,
}
PLANS = (ParametersPlan, ImagesPlan, BalancersPlan, DatabasesPlan, StoragePlan, ApplicationsPlan)


def _head(solution: Solution, kind: str) -> tuple[str, int, int, int]:
    task = solutions.plan_tasks(solution)[kind]
    return task.state, task.total, task.open, solution.version


def plan_of(solution: Solution, kind: str) -> Any:
    """One plan of a solution as the API shows it: one of :data:`PLANS`.

    :raises ConsoleError: YUNYOU/PLAN_UNKNOWN
    """
    if kind not in _PLANS:
        raise planning.PLAN_UNKNOWN(kind=kind)
    return _PLANS[kind](solution)


def items_of(solution: Solution, kind: str) -> list[dict[str, Any]]:
    """The items of a plan, for its page.

    :raises ConsoleError: YUNYOU/PLAN_UNKNOWN
    """
    found: list[dict[str, Any]] = msgspec.to_builtins(plan_of(solution, kind))["items"]
    return found


class ChangedField(Out):
    """A field that differs. Secrets are masked."""

    field: Annotated[str, doc("The field.")]
    before: Annotated[str | None, doc("What it was; null where it was not there.")]
    after: Annotated[str | None, doc("What it becomes; null where it goes.")]
    secret: Annotated[bool, doc("Whether its values are never shown.")]


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


def tasks_of(solution: Solution) -> TasksOut:
    """What is to do for a solution as the API shows it."""
    found = tasks.difference_of(solution)
    parameters = [tasks.public_change(change) for change in found.parameters]
    shown = {"products": list(tasks.of_products(found)), "parameters": parameters, "empty": found.empty}
    return msgspec.convert(shown, TasksOut)
