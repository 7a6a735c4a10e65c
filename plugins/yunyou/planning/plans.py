"""The plans of a solution as API and pages show them, one a kind."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import select

from app.contracts.json import Json
from app.db import rows
from plugins.yunyou.planning import databases, parameters
from plugins.yunyou.planning import service as planning
from plugins.yunyou.planning.models import ImageCheck
from plugins.yunyou.planning.shapes import (
    ApplicationPlanned,
    ApplicationsPlan,
    BalancerPlanned,
    BalancersPlan,
    DatabasesPlan,
    ImagePlanned,
    ImagesPlan,
    ParameterPlanned,
    ParametersPlan,
    Plan,
    ResourcePlanned,
    StoragePlan,
    VolumePlanned,
)
from plugins.yunyou.resources.load_balancers import ListenerPlanned
from plugins.yunyou.resources.models import LoadBalancer
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions.models import Solution


def parameters_plan(solution: Solution) -> ParametersPlan:
    """The plan of the parameters."""
    items = [entry.public() for entry in parameters.entries_for(solution)]
    for item in items:
        item["error"] = item["error"].in_all() if item["error"] else None
    return ParametersPlan(*_head(solution, "parameters"), "parameters", msgspec.convert(items, list[ParameterPlanned]))


def images_plan(solution: Solution) -> ImagesPlan:
    """The plan of the images."""
    found = rows(select(ImageCheck).where(ImageCheck.solution_id == solution.id).order_by(ImageCheck.image))
    items = [
        ImagePlanned(
            r.image, r.applications, r.state, r.digest or None, r.platforms, r.problem, r.checked_at, r.accepted
        )
        for r in found
    ]
    return ImagesPlan(*_head(solution, "images"), "images", items)


def balancers_plan(solution: Solution) -> BalancersPlan:
    """The plan of the load balancers."""
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


def databases_plan(solution: Solution) -> DatabasesPlan:
    """The plan of the databases, caches and buckets."""
    items = msgspec.convert(databases.listed(solution), list[ResourcePlanned])
    return DatabasesPlan(*_head(solution, "databases"), "databases", items)


def storage_plan(solution: Solution) -> StoragePlan:
    """The plan of the volumes."""
    items = [
        VolumePlanned(**msgspec.structs.asdict(volume), application=f"{product.code}/{app.name}")
        for product, app in solutions.document_of(solution).applications()
        for volume in app.storage
    ]
    return StoragePlan(*_head(solution, "storage"), "storage", items)


def applications_plan(solution: Solution) -> ApplicationsPlan:
    """The plan of the application settings."""
    items = []
    for product, app in solutions.document_of(solution).applications():
        key = f"{product.code}/{app.name}"
        fields = {**msgspec.structs.asdict(app), "parameters": ()}
        items.append(ApplicationPlanned(**fields, key=key, edited=solution.overrides.get(key, {})))
    return ApplicationsPlan(*_head(solution, "applications"), "applications", items)


_PLANS: dict[str, Callable[[Solution], Plan]] = {
    "parameters": parameters_plan,
    "images": images_plan,
    "load-balancers": balancers_plan,
    "databases": databases_plan,
    "storage": storage_plan,
    "applications": applications_plan,
}


def _head(solution: Solution, kind: str) -> tuple[str, int, int, int]:
    task = solutions.plan_tasks(solution)[kind]
    return task.state, task.total, task.open, solution.version


def plan_of(solution: Solution, kind: str) -> Plan:
    """One plan of a solution as the API shows it.

    :raises ConsoleError: YUNYOU/PLAN_UNKNOWN
    """
    if kind not in _PLANS:
        raise planning.PLAN_UNKNOWN(kind=kind)
    return _PLANS[kind](solution)


def items_of(solution: Solution, kind: str) -> list[Json]:
    """The items of a plan, for its page.

    :raises ConsoleError: YUNYOU/PLAN_UNKNOWN
    """
    found: list[Json] = msgspec.to_builtins(plan_of(solution, kind))["items"]
    return found
