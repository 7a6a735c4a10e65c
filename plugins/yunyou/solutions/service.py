"""Solutions of a tenant: found, read as documents, given up, and how far their pre-deployment tasks are (guide 2.7)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from app import audit, caller
from app.contracts.json import Json
from app.db import db, get_scoped, now, rows, scoped, touch
from app.errors import ErrorCode
from app.orders import tree
from app.orders.models import Order
from app.words import _
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import Solution as Document
from plugins.yunyou.solutions.models import (
    COMPLETED,
    DEPLOYING,
    DISCARDED,
    DONE,
    OPEN_STATES,
    PLANNING,
    PLANS,
    SUPERSEDED,
    TODO,
    PlanTask,
    Solution,
)

SOLUTION = _("solution")
CLOSED = ErrorCode(
    "YUNYOU/SOLUTION_CLOSED",
    409,
    _("The solution {name} is {state}; it can only be read."),
    _("Import the file again to deploy it anew."),
)
ORDER_RUNS = ErrorCode(
    "YUNYOU/ORDER_STILL_RUNS",
    409,
    _("The order {order} of this solution is not ended."),
    _("Let it end, or cancel it."),
)
ERRORS = (CLOSED, ORDER_RUNS)
STATE_WORDS = {
    PLANNING: _("planned"),
    DEPLOYING: _("being deployed"),
    COMPLETED: _("completed"),
    DISCARDED: _("discarded"),
    SUPERSEDED: _("superseded"),
}


def list_solutions(environment_id: str = "") -> Sequence[Solution]:
    """Solutions of the tenant, newest first."""
    query = scoped(Solution).order_by(Solution.id.desc())
    return rows(query.where(Solution.environment_id == environment_id) if environment_id else query)


def get_solution(solution_id: str) -> Solution:
    """One solution of the caller's tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(Solution, solution_id, SOLUTION)


def need_open(solution: Solution) -> None:
    """Refuse to change a closed solution.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED
    """
    if solution.state not in OPEN_STATES:
        raise CLOSED(name=solution.name, state=STATE_WORDS[solution.state])


def began(solution: Solution) -> None:
    """A solution whose first order was made is being deployed."""
    if solution.state == PLANNING:
        solution.state = DEPLOYING


def running_order(solution: Solution) -> Order | None:
    """An order of this solution that is not ended."""
    query = select(Order).where(
        Order.subject_type == "solution", Order.subject_id == solution.id, Order.state.in_(tree.ACTIVE)
    )
    return db.session.scalar(query.limit(1))


@lru_cache(maxsize=8)
def _decoded(solution_id: str, fingerprint: str, overrides: str, text: str) -> Document:
    document = json.loads(text)
    edits: Mapping[str, Mapping[str, Any]] = json.loads(overrides)
    if edits:
        for product in document["products"]:
            for application in product["applications"]:
                changes = edits.get(f"{product['code']}/{application['name']}", {})
                application.update(changes)
    return parsing.of(document)


def document_of(solution: Solution) -> Document:
    """The solution as it is planned now: as imported, with the edits of applications laid over it."""
    return _decoded(
        solution.id, solution.fingerprint, json.dumps(solution.overrides, sort_keys=True), solution.document
    )


def imported_of(solution: Solution) -> Json:
    """The document as it was imported, secret values masked."""
    document: Json = json.loads(solution.document)
    for product in document["products"]:
        for owner in (product, *product["applications"]):
            _mask(owner)
    _mask(document)
    return document


def _mask(owner: Json) -> None:
    for parameter in owner.get("parameters") or ():
        if parameter.get("type") == "secret" and "value" in parameter:
            parameter["value"] = "••••••"


def plan_tasks(solution: Solution) -> dict[str, PlanTask]:
    """The pre-deployment tasks by kind, in the order in which they are done."""
    found = {task.kind: task for task in rows(select(PlanTask).where(PlanTask.solution_id == solution.id))}
    return {kind: found[kind] for kind in PLANS}


def set_task(solution: Solution, kind: str, *, total: int, left: int, confirmed: bool | None = None) -> PlanTask:
    """Keep how a pre-deployment task stands; nothing to do counts as done, and what nobody confirmed as open."""
    task = plan_tasks(solution)[kind]
    if confirmed:
        task.confirmed_by, task.confirmed_at = caller.current().name, now()
    elif confirmed is False:
        task.confirmed_by, task.confirmed_at = "", None
    task.state = DONE if total == 0 or (task.confirmed_at is not None and left == 0) else TODO
    task.total, task.open = total, left if task.state == DONE else max(left, 1)
    return task


def discard(solution: Solution) -> None:
    """Give an open solution up.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, YUNYOU/ORDER_STILL_RUNS
    """
    need_open(solution)
    if order := running_order(solution):
        raise ORDER_RUNS(order=order.title, extra={"order": order.id})
    solution.state, solution.closed_at = DISCARDED, now()
    touch(solution)
    audit.note("solution", solution.id, solution.name)
