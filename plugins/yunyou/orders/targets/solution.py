"""The target of an order out of a solution: a release, or the operations that its difference asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.contracts.json import Json
from app.errors import ErrorCode, invalid
from app.orders.make import plan_hash
from app.words import _
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import Solution as Document
from plugins.yunyou.environments.service import get_environment
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.targets.target import NOTHING_TO_DO, Target, checked
from plugins.yunyou.planning import parameters, tasks
from plugins.yunyou.planning import service as planning
from plugins.yunyou.planning.rules.difference import Task
from plugins.yunyou.products import baseline
from plugins.yunyou.products.rules import baseline as baseline_rules
from plugins.yunyou.products.rules.baseline_changes import changed
from plugins.yunyou.solutions.service import document_of, get_solution, need_open

ACKNOWLEDGE = ErrorCode(
    "YUNYOU/DOWNGRADE_NOT_ACKNOWLEDGED",
    409,
    _("These products would go back to an older version: {products}"),
    _("Acknowledge each of them if that is meant."),
)
OPERATIONS = ("scale-out", "scale-in", "resize", "drift")
REMOVALS = ("removal",)


def of_solution(request: OrderRequest) -> Target:
    """The target of an order out of a solution: a release, or the operations that its difference asks for.

    :raises ConsoleError: YUNYOU/NOTHING_TO_DO, YUNYOU/DOWNGRADE_NOT_ACKNOWLEDGED, YUNYOU/PLAN_NOT_CONFIRMED,
        YUNYOU/SOLUTION_CLOSED, CORE/INVALID_INPUT
    """
    if not request.solution:
        raise invalid({"solution": _("Name the solution.")})
    solution = get_solution(request.solution)
    need_open(solution)
    planning.need_confirmed(solution)
    environment = get_environment(solution.environment_id)
    document = document_of(solution)
    _known(request, document)
    found = tasks.difference_of(solution)
    wanted = request.products or [product.code for product in document.products]
    chosen = [task for task in found.tasks if task.product in wanted and task.order == request.type]
    values = {entry.name: entry.value for entry in parameters.entries_for(solution)}
    valued = baseline_rules.with_values(document.document, values)
    before = baseline.document_of(environment)
    if request.type == "release":
        _acknowledged(chosen, request)
        keys, removed = _released(chosen, document, request, wanted), list[str]()
        change: Json = {"kind": "release", "document": valued, "applications": keys}
    else:
        keys, removed = _keys(chosen, OPERATIONS, request), _keys(chosen, REMOVALS, request)
        change = {"kind": "operate", "fields": {key: _sizes(valued, key) for key in keys}, "removed": removed}
    if not keys and not removed:
        raise NOTHING_TO_DO()
    codes = sorted({key.partition("/")[0] for key in (*keys, *removed)})
    after = changed(before, change, codes)
    left = parsing.kept(before) if removed else None
    scales = change["kind"] == "operate" and all("resources" not in fields for fields in change["fields"].values())
    return Target(
        environment,
        f"{solution.name} {solution.release}: {', '.join(codes)}",
        checked(after, before, left),
        keys,
        change,
        ("solution", solution.id),
        plan_hash(before),
        with_resources=request.type == "release",
        source=solution,
        mode="scale" if scales else "",
        removed=removed,
        gone=list(left.products) if left else [],
        removed_cells=[(task.key, task.cell) for task in chosen if task.cell and task.kind in REMOVALS],
    )


def _known(request: OrderRequest, document: Document) -> None:
    codes = {product.code for product in document.products}
    keys = {f"{product.code}/{application.name}" for product, application in document.applications()}
    problems = {f"/products/{at}": code for at, code in enumerate(request.products) if code not in codes}
    for name in ("exclude", "force", "adopt"):
        problems |= {f"/{name}/{at}": key for at, key in enumerate(getattr(request, name)) if key not in keys}
    problems |= {f"/applications/{key}": key for key in request.applications if key not in keys}
    if problems:
        raise invalid({at: _("The solution has no {key}.").format(key=key) for at, key in problems.items()})


def _acknowledged(chosen: Sequence[Task], request: OrderRequest) -> None:
    asked = [task.product for task in chosen if task.acknowledge and task.product not in request.acknowledge]
    if asked:
        raise ACKNOWLEDGE(products=", ".join(asked), extra={"products": asked})


def _released(chosen: Sequence[Task], document: Document, request: OrderRequest, wanted: Sequence[str]) -> list[str]:
    keys = [task.key for task in chosen if task.application]
    for task in chosen:
        if not task.application and not any(key.startswith(f"{task.product}/") for key in keys):
            product = document.product(task.product)
            assert product is not None
            keys += [f"{task.product}/{a.name}" for a in product.applications if a.role == "standard"]
    keys += [key for key in request.force if key.partition("/")[0] in wanted]
    return [key for key in dict.fromkeys(keys) if key not in request.exclude]


def _keys(chosen: Sequence[Task], kinds: Collection[str], request: OrderRequest) -> list[str]:
    keys = dict.fromkeys(task.key for task in chosen if task.kind in kinds)
    return [key for key in keys if key not in request.exclude]


def _sizes(valued: Json, key: str) -> Json:
    code, __, name = key.partition("/")
    application = baseline_rules.application_of(valued, code, name)
    assert application is not None
    return {field: application[field] for field in baseline_rules.OPERATED if field in application}
