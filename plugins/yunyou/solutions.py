"""Solutions: imported whole or not at all, unpacked, planned over, discarded, completed (guide 2.7)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from app import audit, caller
from app.contracts.text import Text
from app.db import db, get_scoped, new_id, now, rows, scoped
from app.errors import ErrorCode
from app.orders import tree
from app.orders.models import Order
from plugins.yunyou import baselines
from plugins.yunyou.domain import solution as files
from plugins.yunyou.domain.model import Solution as Document
from plugins.yunyou.models import (
    COMPLETED,
    DEPLOYING,
    DISCARDED,
    DONE,
    OPEN_STATES,
    PLANNING,
    PLANS,
    SUPERSEDED,
    TODO,
    Environment,
    ImageCheck,
    PlanTask,
    Solution,
)

SOLUTION = Text("solution", "解决方案")
IMPORTED_BEFORE = ErrorCode(
    "YUNYOU/SOLUTION_IMPORTED_BEFORE",
    409,
    Text(
        "This very file was imported before, as {name} {version}, and is still open.",
        "该文件已作为 {name} {version} 导入，且尚未结束。",
    ),
    Text("Go on with it, or discard it first.", "请继续处理该解决方案，或先将其废弃。"),
)
CLOSED = ErrorCode(
    "YUNYOU/SOLUTION_CLOSED",
    409,
    Text("The solution {name} is {state}; it can only be read.", "解决方案 {name} 已{state}，仅可查看。"),
    Text("Import the file again to deploy it anew.", "如需重新部署，请再次导入。"),
)
WORK_LEFT = ErrorCode(
    "YUNYOU/TASKS_LEFT",
    409,
    Text("Not all tasks are done: {tasks}", "仍有任务未完成：{tasks}"),
    Text("Finish them, or name the ones that are given up.", "请完成这些任务，或在完成部署时列明放弃的任务。"),
)
ORDER_RUNS = ErrorCode(
    "YUNYOU/ORDER_STILL_RUNS",
    409,
    Text("The order {order} of this solution is not ended.", "该解决方案的执行单 {order} 尚未结束。"),
    Text("Let it end, or cancel it.", "请等待其结束或将其取消。"),
)
ERRORS = (IMPORTED_BEFORE, CLOSED, WORK_LEFT, ORDER_RUNS)
STATE_WORDS = {
    PLANNING: Text("planned", "规划中"), DEPLOYING: Text("being deployed", "部署中"),
    COMPLETED: Text("completed", "完成"), DISCARDED: Text("discarded", "废弃"), SUPERSEDED: Text("superseded", "被取代"),
}  # fmt: skip


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


def import_solution(environment: Environment, raw: bytes) -> Solution:
    """Check a file and unpack it into a plan; nothing is kept of a file with any problem.

    :raises ConsoleError: YUNYOU/SOLUTION_UNREADABLE, YUNYOU/SOLUTION_TOO_LARGE, YUNYOU/SOLUTION_INVALID with every
        problem and its JSON pointer, YUNYOU/SOLUTION_IMPORTED_BEFORE
    """
    document = files.parse(raw, known=known_of(environment))
    fingerprint = files.fingerprint(document.document)
    same = db.session.scalar(
        scoped(Solution).where(
            Solution.environment_id == environment.id,
            Solution.fingerprint == fingerprint,
            Solution.state.in_(OPEN_STATES),
        )
    )
    if same is not None:
        raise IMPORTED_BEFORE(name=same.name, version=same.release, extra={"solution": same.id})
    who = caller.current().principal
    solution = Solution(
        id=new_id(), tenant_id=environment.tenant_id, environment_id=environment.id, name=document.name,
        release=document.version, fingerprint=fingerprint, size=len(raw), unknown=list(document.unknown),
        products=[_summary(product) for product in document.products], overrides={}, given_up=[],
        applications=sum(1 for _ in document.applications()), parameters="{}",
        document=json.dumps(document.document, ensure_ascii=False), imported_by=who.name if who else "",
    )  # fmt: skip
    db.session.add(solution)
    db.session.flush()
    _unpack(solution, document)
    earlier = _supersede(solution)
    from plugins.yunyou import planning

    planning.begin(solution, environment, earlier)
    audit.note("solution", solution.id, solution.name, version=solution.release, products=len(document.products))
    return solution


def _summary(product: Any) -> dict[str, Any]:
    return {
        "code": product.code, "name": product.name, "version": product.version, "applications": len(product.applications),
        "dependencies": [d.product for d in product.dependencies],
    }  # fmt: skip


def _unpack(solution: Solution, document: Document) -> None:
    for kind in PLANS:
        db.session.add(PlanTask(solution_id=solution.id, kind=kind, state=TODO))
    images: dict[str, list[str]] = {}
    for product, application in document.applications():
        images.setdefault(application.image, []).append(f"{product.code}/{application.name}")
    for image, users in images.items():
        db.session.add(ImageCheck(solution_id=solution.id, image=image, applications=users, platforms=[]))


def _supersede(solution: Solution) -> Solution | None:
    """A new solution of the same products takes the place of the open one, whose decisions it carries over (Y-9)."""
    codes = {product["code"] for product in solution.products}
    query = scoped(Solution).where(
        Solution.environment_id == solution.environment_id, Solution.state.in_(OPEN_STATES), Solution.id != solution.id
    )
    newest = None
    for other in db.session.scalars(query.order_by(Solution.id)):
        if {product["code"] for product in other.products} <= codes and running_order(other) is None:
            other.state, other.closed_at = SUPERSEDED, now()
            newest = other
    return newest


def known_of(environment: Environment) -> files.Known:
    """Products and names that the environment has already."""
    return files.Known.of(baselines.document_of(environment))


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
    return files.of(document)


def document_of(solution: Solution) -> Document:
    """The solution as it is planned now: as imported, with the edits of applications laid over it."""
    return _decoded(
        solution.id, solution.fingerprint, json.dumps(solution.overrides, sort_keys=True), solution.document
    )


def imported_of(solution: Solution) -> dict[str, Any]:
    """The document as it was imported, secret values masked."""
    document: dict[str, Any] = json.loads(solution.document)
    for product in document["products"]:
        for owner in (product, *product["applications"]):
            _mask(owner)
    _mask(document)
    return document


def _mask(owner: dict[str, Any]) -> None:
    for parameter in owner.get("parameters") or ():
        if parameter.get("type") == "secret" and "value" in parameter:
            parameter["value"] = "••••••"


def discard(solution: Solution) -> None:
    """Give an open solution up.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, YUNYOU/ORDER_STILL_RUNS
    """
    need_open(solution)
    if order := running_order(solution):
        raise ORDER_RUNS(order=order.title, extra={"order": order.id})
    solution.state, solution.closed_at = DISCARDED, now()
    solution.version += 1
    audit.note("solution", solution.id, solution.name)


def complete(solution: Solution, given_up: Sequence[str] = ()) -> None:
    """Close a solution whose tasks are all done or given up (Y-26).

    :param given_up: applications ``PRODUCT/app`` whose tasks nobody will do
    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, YUNYOU/ORDER_STILL_RUNS, YUNYOU/TASKS_LEFT
    """
    from plugins.yunyou import tasks

    need_open(solution)
    if order := running_order(solution):
        raise ORDER_RUNS(order=order.title, extra={"order": order.id})
    left = [key for key in tasks.open_applications(solution) if key not in given_up]
    if left:
        raise WORK_LEFT(tasks=", ".join(left[:10]) + (" …" if len(left) > 10 else ""), extra={"applications": left})
    solution.state, solution.closed_at, solution.given_up = COMPLETED, now(), list(given_up)
    solution.version += 1
    audit.note("solution", solution.id, solution.name, given_up=list(given_up))


def plan_tasks(solution: Solution) -> dict[str, PlanTask]:
    """The pre-deployment tasks by kind, in the order in which they are done."""
    found = {task.kind: task for task in rows(select(PlanTask).where(PlanTask.solution_id == solution.id))}
    return {kind: found[kind] for kind in PLANS}


def set_task(solution: Solution, kind: str, *, total: int, left: int, confirmed: bool | None = None) -> PlanTask:
    """Keep how a pre-deployment task stands; nothing to do counts as done."""
    task = plan_tasks(solution)[kind]
    task.total, task.open = total, left
    if confirmed:
        who = caller.current().principal
        task.confirmed_by, task.confirmed_at = who.name if who else "", now()
    elif confirmed is False:
        task.confirmed_by, task.confirmed_at = "", None
    task.state = DONE if total == 0 or (task.confirmed_at is not None and left == 0) else TODO
    return task
