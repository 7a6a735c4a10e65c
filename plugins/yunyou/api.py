"""``/api/v1/yunyou``: environments, solutions and plans."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import request
from sqlalchemy import select

from app.contracts.text import Text
from app.db import rows, scoped
from app.errors import invalid
from app.jobs import enqueue
from app.web.api import Api, In, ListQuery, Page, accepted, page
from app.web.conflicts import need_version
from app.web.forms import json_body
from plugins.yunyou import closing, environments, importing, permissions, planning, resources, shapes, solutions, tasks
from plugins.yunyou.environments import Edited, NewEnvironment
from plugins.yunyou.jobs import CHECK_IMAGES
from plugins.yunyou.models import Environment, ImageCheck, LoadBalancer, Solution

api = Api("yunyou", Text("Yunyou: delivery and operation", "云游：交付与运维"))


@api.operation("GET", "/yunyou/environments", "yunyou.environments.list", Text("List environments", "环境列表"),
               permissions.ENVIRONMENT_READ, query=ListQuery, returns=Page[shapes.EnvironmentOut])  # fmt: skip
def list_environments(query: ListQuery) -> Page[shapes.EnvironmentOut]:
    return page(scoped(Environment), query, shapes.environment, sorts={"name": Environment.name, "createdAt": Environment.created_at},
                search=(Environment.name, Environment.namespace), key=Environment.id, default="name")  # fmt: skip


@api.operation("POST", "/yunyou/environments", "yunyou.environments.create", Text("Add an environment", "新增环境"),
               permissions.ENVIRONMENT_EDIT, audit=permissions.ENVIRONMENT_ADDED, body=NewEnvironment,
               returns=shapes.EnvironmentOut, status=201, errors=environments.ERRORS)  # fmt: skip
def create_environment(body: NewEnvironment) -> shapes.EnvironmentOut:
    return shapes.environment(environments.add_environment(body))


@api.operation("GET", "/yunyou/environments/<environment_id>", "yunyou.environments.get", Text("Show an environment", "查看环境"),
               permissions.ENVIRONMENT_READ, returns=shapes.EnvironmentOut)  # fmt: skip
def get_environment(environment_id: str) -> shapes.EnvironmentOut:
    return shapes.environment(environments.get_environment(environment_id))


@api.operation("PATCH", "/yunyou/environments/<environment_id>", "yunyou.environments.update", Text("Change an environment", "修改环境"),
               permissions.ENVIRONMENT_EDIT, audit=permissions.ENVIRONMENT_CHANGED, body=Edited, returns=shapes.EnvironmentOut)  # fmt: skip
def edit_environment(environment_id: str, body: Edited) -> shapes.EnvironmentOut:
    found = environments.get_environment(environment_id)
    need_version(found)
    return shapes.environment(environments.edit_environment(found, body))


class SolutionQuery(ListQuery):
    """Filters of the list of solutions."""

    environment: str = ""
    state: str = ""


@api.operation("GET", "/yunyou/solutions", "yunyou.solutions.list", Text("List solutions", "解决方案列表"),
               permissions.SOLUTION_READ, query=SolutionQuery, returns=Page[shapes.SolutionItem])  # fmt: skip
def list_solutions(query: SolutionQuery) -> Page[shapes.SolutionItem]:
    found = scoped(Solution)
    if query.environment:
        found = found.where(Solution.environment_id == query.environment)
    if query.state:
        found = found.where(Solution.state == query.state)
    return page(found, query, shapes.solution_item, sorts={"createdAt": Solution.created_at, "name": Solution.name},
                search=(Solution.name, Solution.release), key=Solution.id, default="-createdAt")  # fmt: skip


class Where(In):
    """The environment that something is for."""

    environment: str


@api.operation("POST", "/yunyou/solutions", "yunyou.solutions.import", Text("Import a solution", "导入解决方案"),
               permissions.SOLUTION_IMPORT, audit=permissions.SOLUTION_IMPORTED, query=Where, raw_body="application/json",
               returns=shapes.SolutionOut, status=201, errors=importing.ERRORS)  # fmt: skip
def import_solution(query: Where) -> Any:
    environment = environments.get_environment(query.environment)
    row = importing.import_solution(environment, request.get_data(cache=True))
    enqueue(CHECK_IMAGES, f"{row.name} {row.release}", solution_id=row.id)
    return shapes.solution(row, solutions.plan_tasks(row))


@api.operation("GET", "/yunyou/solutions/<solution_id>", "yunyou.solutions.get", Text("Show a solution", "查看解决方案"),
               permissions.SOLUTION_READ, returns=shapes.SolutionOut)  # fmt: skip
def get_solution(solution_id: str) -> shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    return shapes.solution(row, solutions.plan_tasks(row))


@api.operation("POST", "/yunyou/solutions/<solution_id>/discard", "yunyou.solutions.discard", Text("Discard a solution", "废弃解决方案"),
               permissions.SOLUTION_IMPORT, audit=permissions.SOLUTION_DISCARDED, returns=shapes.SolutionOut)  # fmt: skip
def discard(solution_id: str) -> shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    need_version(row)
    closing.discard(row)
    return shapes.solution(row, solutions.plan_tasks(row))


class Completion(In):
    """What a completion leaves undone, by name."""

    give_up: list[str] = []


@api.operation("POST", "/yunyou/solutions/<solution_id>/complete", "yunyou.solutions.complete", Text("Complete a deployment", "完成部署"),
               permissions.SOLUTION_IMPORT, audit=permissions.SOLUTION_COMPLETED, body=Completion, returns=shapes.SolutionOut)  # fmt: skip
def complete(solution_id: str, body: Completion) -> shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    need_version(row)
    closing.complete(row, body.give_up)
    return shapes.solution(row, solutions.plan_tasks(row))


@api.operation("GET", "/yunyou/solutions/<solution_id>/document", "yunyou.solutions.document", Text("The solution as imported", "解决方案原始内容"),
               permissions.SOLUTION_READ, returns=dict[str, Any])  # fmt: skip
def document(solution_id: str) -> dict[str, Any]:
    return solutions.imported_of(solutions.get_solution(solution_id))


def plan_of(solution: Solution, kind: str) -> dict[str, Any]:
    """One plan of a solution as the API shows it."""
    known = solutions.plan_tasks(solution)
    if kind not in known:
        raise planning.PLAN_UNKNOWN(kind=kind)
    task = known[kind]
    return {
        "kind": kind, "state": task.state, "total": task.total, "open": task.open, "version": solution.version,
        "items": _PLANS[kind](solution),
    }  # fmt: skip


def _parameters(solution: Solution) -> list[Any]:
    found = [entry.public() for entry in planning.entries_for(solution)]
    for item in found:
        error = item["error"]
        item["error"] = error.both() if error else None
    return found


def _images(solution: Solution) -> list[Any]:
    query = select(ImageCheck).where(ImageCheck.solution_id == solution.id).order_by(ImageCheck.image)
    return [shapes.image(row) for row in rows(query)]


def _balancers(solution: Solution) -> list[Any]:
    known = {
        row.name: row
        for row in rows(select(LoadBalancer).where(LoadBalancer.environment_id == solution.environment_id))
    }
    return [
        {
            "product": product.code, "name": b.name, "application": b.application, "network": b.network, "domain": b.domain,
            "provider": "kubernetes", "address": known[b.name].address or None if b.name in known else None,
            "listeners": [{"port": x.port, "targetPort": x.target_port, "protocol": x.protocol} for x in b.listeners],
        }
        for product in solutions.document_of(solution).products for b in product.load_balancers
    ]  # fmt: skip


def _storage(solution: Solution) -> list[Any]:
    return [
        {"application": f"{product.code}/{app.name}", **msgspec.to_builtins(volume)}
        for product, app in solutions.document_of(solution).applications() for volume in app.storage
    ]  # fmt: skip


def _applications(solution: Solution) -> list[Any]:
    return [
        {"key": f"{product.code}/{app.name}", "edited": solution.overrides.get(f"{product.code}/{app.name}", {}),
         **{k: v for k, v in msgspec.to_builtins(app).items() if k != "parameters"}}
        for product, app in solutions.document_of(solution).applications()
    ]  # fmt: skip


_PLANS = {
    "parameters": _parameters, "images": _images, "load-balancers": _balancers, "databases": resources.listed,
    "storage": _storage, "applications": _applications,
}  # fmt: skip


@api.operation("GET", "/yunyou/solutions/<solution_id>/plan/<kind>", "yunyou.plans.get", Text("Show a plan", "查看规划"),
               permissions.SOLUTION_READ, returns=dict[str, Any], errors=(planning.PLAN_UNKNOWN,))  # fmt: skip
def get_plan(solution_id: str, kind: str) -> dict[str, Any]:
    return plan_of(solutions.get_solution(solution_id), kind)


@api.operation("PATCH", "/yunyou/solutions/<solution_id>/plan/parameters", "yunyou.plans.parameters.update",
               Text("Decide parameters", "编辑参数"), permissions.PLAN_EDIT, audit=permissions.PARAMETERS_EDITED,
               raw_body="application/json", returns=dict[str, Any])  # fmt: skip
def patch_parameters(solution_id: str) -> dict[str, Any]:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    body = json_body()
    planning.edit_parameters(solution, _items(body))
    return plan_of(solution, "parameters")


def _items(body: Any) -> list[dict[str, Any]]:
    """``{"items": [{"name", "value"|"choice"}]}``, ``{"resolve": "new"}`` or ``{"NAME": value}``."""
    if not isinstance(body, dict):
        raise invalid({"": Text("This must be an object.", "须为对象。")})
    if "resolve" in body:
        return [{"resolve": body["resolve"]}]
    items = body.get("items")
    if items is None:
        return [{"name": name, "value": value} for name, value in body.items()]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        words = Text("A list of objects with name and value or choice.", "须为包含 name 与 value 或 choice 的对象列表。")
        raise invalid({"items": words})
    return items


@api.operation("PATCH", "/yunyou/solutions/<solution_id>/plan/applications", "yunyou.plans.applications.update",
               Text("Edit applications", "编辑应用配置"), permissions.PLAN_EDIT, audit=permissions.APPLICATIONS_EDITED,
               raw_body="application/json", returns=dict[str, Any])  # fmt: skip
def patch_applications(solution_id: str) -> dict[str, Any]:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    planning.edit_applications(solution, _edits(json_body()))
    return plan_of(solution, "applications")


def _edits(body: Any) -> dict[str, dict[str, Any]]:
    """``{"PRODUCT/app": {field: value}}``."""
    return {key: _object(fields) for key, fields in _object(body).items()}


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid({"": Text("This must be an object.", "须为对象。")})
    return value


@api.operation("PATCH", "/yunyou/solutions/<solution_id>/plan/databases", "yunyou.plans.databases.update",
               Text("Name existing databases, caches and buckets", "填写已有数据库、缓存与存储桶"), permissions.PLAN_EDIT,
               audit=permissions.DATABASES_EDITED, raw_body="application/json", returns=dict[str, Any])  # fmt: skip
def patch_databases(solution_id: str) -> dict[str, Any]:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    resources.enter(solution, _items(json_body()))
    return plan_of(solution, "databases")


@api.operation("PATCH", "/yunyou/solutions/<solution_id>/plan/images", "yunyou.plans.images.update",
               Text("Correct images", "更正镜像"), permissions.PLAN_EDIT, audit=permissions.IMAGES_EDITED,
               raw_body="application/json", returns=dict[str, Any])  # fmt: skip
def patch_images(solution_id: str) -> dict[str, Any]:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    body = json_body()
    changes = body.get("items", body) if isinstance(body, dict) else {}
    if isinstance(changes, list):
        changes = {item.get("application", ""): item.get("image", "") for item in changes if isinstance(item, dict)}
    planning.edit_applications(solution, {key: {"image": image} for key, image in _object(changes).items()})
    return plan_of(solution, "images")


@api.operation("POST", "/yunyou/solutions/<solution_id>/plan/images/check", "yunyou.plans.images.check",
               Text("Ask the registry for the images", "检查镜像"), permissions.PLAN_EDIT, audit=permissions.IMAGES_EDITED,
               returns=dict[str, Any], status=202)  # fmt: skip
def check_images(solution_id: str) -> Any:
    solution = solutions.get_solution(solution_id)
    run = enqueue(CHECK_IMAGES, f"{solution.name} {solution.release}", solution_id=solution.id)
    return accepted({"id": run.id, "state": "queued"}, f"/api/v1/jobs/{run.id}")


class Confirmation(In):
    """Confirm all; ``accept`` names images that are accepted although the registry has them not."""

    all: bool = True
    accept: list[str] = []


@api.operation("POST", "/yunyou/solutions/<solution_id>/plan/<kind>/confirm", "yunyou.plans.confirm",
               Text("Confirm a plan", "确认规划"), permissions.PLAN_EDIT, audit=permissions.PLAN_CONFIRMED, body=Confirmation,
               returns=dict[str, Any], errors=(planning.IMAGES_MISSING, planning.PLAN_UNKNOWN))  # fmt: skip
def confirm(solution_id: str, kind: str, body: Confirmation) -> dict[str, Any]:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    planning.confirm(solution, kind, body.accept)
    return plan_of(solution, kind)


@api.operation("GET", "/yunyou/solutions/<solution_id>/tasks", "yunyou.solutions.tasks", Text("The computed difference", "部署任务"),
               permissions.SOLUTION_READ, returns=dict[str, Any])  # fmt: skip
def list_tasks(solution_id: str) -> dict[str, Any]:
    found = tasks.difference_of(solutions.get_solution(solution_id))
    return {
        "products": tasks.of_products(found),
        "parameters": [tasks.public_change(c) for c in found.parameters],
        "empty": found.empty,
    }
