"""``/api/v1/yunyou/solutions``: import, plans, tasks, completion."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, request

from app.contracts.json import Json
from app.contracts.shapes import doc
from app.errors import invalid
from app.jobs import enqueue
from app.web.api import In, Out, accepted
from app.web.conflicts import need_version
from app.web.forms import json_body
from app.words import _
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.shapes import OfEnvironment
from plugins.yunyou.planning import (
    applications,
    completion,
    databases,
    images,
    parameters,
    plans,
    solution_import,
    tasks,
)
from plugins.yunyou.planning import service as planning
from plugins.yunyou.planning import shapes as plan_shapes
from plugins.yunyou.planning.images import CHECK_IMAGES
from plugins.yunyou.planning.shapes import ApplicationEdits, DatabaseEdits, ImageEdits, ParameterEdits
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions import shapes as solution_shapes

api = routes.delivery


@api.operation(
    "POST",
    "/yunyou/solutions",
    "yunyou.solutions.import",
    _("Import a solution"),
    permissions.SOLUTION_IMPORT,
    audit=permissions.SOLUTION_IMPORTED,
    query=OfEnvironment,
    body=solution_shapes.SolutionDocument,
    raw_body="application/json",
    returns=solution_shapes.SolutionOut,
    status=201,
    errors=solution_import.ERRORS,
)
def import_solution(query: OfEnvironment) -> solution_shapes.SolutionOut:
    environment = environments.get_environment(query.environment)
    row = solution_import.import_solution(environment, request.get_data(cache=True))
    enqueue(CHECK_IMAGES, f"{row.name} {row.release}", solution_id=row.id)
    return solution_shapes.solution(row, solutions.plan_tasks(row))


class Completion(In):
    """What a completion leaves undone, by name."""

    give_up: Annotated[list[str], doc("Applications `PRODUCT/app`, or products, that are left as they are.")] = []


@api.operation(
    "POST",
    "/yunyou/solutions/<solution_id>/complete",
    "yunyou.solutions.complete",
    _("Complete a deployment"),
    permissions.SOLUTION_IMPORT,
    audit=permissions.SOLUTION_COMPLETED,
    body=Completion,
    returns=solution_shapes.SolutionOut,
    versioned=True,
)
def complete(solution_id: fields.SolutionId, body: Completion) -> solution_shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    need_version(row)
    completion.complete(row, body.give_up)
    return solution_shapes.solution(row, solutions.plan_tasks(row))


@api.operation(
    "GET",
    "/yunyou/solutions/<solution_id>/plan/<kind>",
    "yunyou.plans.get",
    _("Show a plan"),
    permissions.SOLUTION_READ,
    returns=plan_shapes.PLANS,
    errors=(planning.PLAN_UNKNOWN,),
)
def get_plan(solution_id: fields.SolutionId, kind: plan_shapes.PlanKind) -> plan_shapes.Plan:
    return plans.plan_of(solutions.get_solution(solution_id), kind)


class JobStarted(Out):
    """A job that was queued."""

    id: Annotated[str, doc("Identifier of the job.")]
    state: Annotated[str, doc("`queued`.")]


@api.operation(
    "PATCH",
    "/yunyou/solutions/<solution_id>/plan/parameters",
    "yunyou.plans.parameters.update",
    _("Decide parameters"),
    permissions.PLAN_EDIT,
    audit=permissions.PARAMETERS_EDITED,
    body=ParameterEdits,
    raw_body="application/json",
    returns=plan_shapes.ParametersPlan,
    versioned=True,
)
def patch_parameters(solution_id: fields.SolutionId) -> plan_shapes.ParametersPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    body = json_body()
    parameters.edit_parameters(solution, _items(body))
    return plans.parameters_plan(solution)


def _items(body: Any) -> list[Json]:
    """``{"items": [{"name", "value"|"choice"}]}``, ``{"resolve": "new"}`` or ``{"NAME": value}``."""
    if not isinstance(body, dict):
        raise invalid({"": _("This must be an object.")})
    if "resolve" in body:
        return [{"resolve": body["resolve"]}]
    items = body.get("items")
    if items is None:
        return [{"name": name, "value": value} for name, value in body.items()]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        words = _("A list of objects with name and value or choice.")
        raise invalid({"items": words})
    return items


@api.operation(
    "PATCH",
    "/yunyou/solutions/<solution_id>/plan/applications",
    "yunyou.plans.applications.update",
    _("Edit applications"),
    permissions.PLAN_EDIT,
    audit=permissions.APPLICATIONS_EDITED,
    body=ApplicationEdits,
    raw_body="application/json",
    returns=plan_shapes.ApplicationsPlan,
    versioned=True,
)
def patch_applications(solution_id: fields.SolutionId) -> plan_shapes.ApplicationsPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    applications.edit_applications(solution, _edits(json_body()))
    return plans.applications_plan(solution)


def _edits(body: Any) -> dict[str, Json]:
    """``{"PRODUCT/app": {field: value}}``."""
    return {key: _object(fields) for key, fields in _object(body).items()}


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise invalid({"": _("This must be an object.")})
    return value


@api.operation(
    "PATCH",
    "/yunyou/solutions/<solution_id>/plan/databases",
    "yunyou.plans.databases.update",
    _("Name existing databases, caches and buckets"),
    permissions.PLAN_EDIT,
    audit=permissions.DATABASES_EDITED,
    body=DatabaseEdits,
    raw_body="application/json",
    returns=plan_shapes.DatabasesPlan,
    versioned=True,
)
def patch_databases(solution_id: fields.SolutionId) -> plan_shapes.DatabasesPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    databases.enter(solution, _items(json_body()))
    return plans.databases_plan(solution)


@api.operation(
    "PATCH",
    "/yunyou/solutions/<solution_id>/plan/images",
    "yunyou.plans.images.update",
    _("Correct images"),
    permissions.PLAN_EDIT,
    audit=permissions.IMAGES_EDITED,
    body=ImageEdits,
    raw_body="application/json",
    returns=plan_shapes.ImagesPlan,
    versioned=True,
)
def patch_images(solution_id: fields.SolutionId) -> plan_shapes.ImagesPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    body = json_body()
    changes = body.get("items", body) if isinstance(body, dict) else {}
    if isinstance(changes, list):
        changes = {item.get("application", ""): item.get("image", "") for item in changes if isinstance(item, dict)}
    applications.edit_applications(solution, {key: {"image": image} for key, image in _object(changes).items()})
    return plans.images_plan(solution)


@api.operation(
    "POST",
    "/yunyou/solutions/<solution_id>/plan/images/check",
    "yunyou.plans.images.check",
    _("Ask the registry for the images"),
    permissions.PLAN_EDIT,
    audit=permissions.IMAGES_EDITED,
    returns=JobStarted,
    status=202,
)
def check_images(solution_id: fields.SolutionId) -> Response:
    solution = solutions.get_solution(solution_id)
    run = enqueue(CHECK_IMAGES, f"{solution.name} {solution.release}", solution_id=solution.id)
    return accepted(JobStarted(run.id, "queued"), f"/api/v1/jobs/{run.id}")


class Confirmation(In):
    """Confirm all; ``accept`` names images that are accepted although the registry has them not."""

    all: Annotated[bool, doc("Everything is confirmed; there is no other way.")] = True
    accept: Annotated[list[str], doc("Images that are accepted although the registry has them not.")] = []


@api.operation(
    "POST",
    "/yunyou/solutions/<solution_id>/plan/<kind>/confirm",
    "yunyou.plans.confirm",
    _("Confirm a plan"),
    permissions.PLAN_EDIT,
    audit=permissions.PLAN_CONFIRMED,
    body=Confirmation,
    returns=plan_shapes.PLANS,
    errors=(images.IMAGES_MISSING, planning.PLAN_UNKNOWN),
    versioned=True,
)
def confirm(solution_id: fields.SolutionId, kind: plan_shapes.PlanKind, body: Confirmation) -> plan_shapes.Plan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    planning.confirm(solution, kind, body.accept)
    return plans.plan_of(solution, kind)


@api.operation(
    "GET",
    "/yunyou/solutions/<solution_id>/tasks",
    "yunyou.solutions.tasks",
    _("The computed difference"),
    permissions.SOLUTION_READ,
    returns=plan_shapes.TasksOut,
)
def list_tasks(solution_id: fields.SolutionId) -> plan_shapes.TasksOut:
    return tasks.tasks_of(solutions.get_solution(solution_id))
