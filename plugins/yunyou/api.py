"""``/api/v1/yunyou``: environments, solutions and plans."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, request

from app.contracts.shapes import doc
from app.db import scoped
from app.errors import invalid
from app.jobs import enqueue
from app.web.api import Api, In, ListQuery, Out, Page, accepted, page
from app.web.conflicts import need_version
from app.web.forms import json_body
from app.words import _
from plugins.yunyou import (
    closing,
    environments,
    fields,
    importing,
    permissions,
    plan_shapes,
    planning,
    resources,
    shapes,
    solutions,
)
from plugins.yunyou.environments import Edited, NewEnvironment
from plugins.yunyou.jobs import CHECK_IMAGES
from plugins.yunyou.models import Environment, Solution
from plugins.yunyou.plan_edits import ApplicationEdits, DatabaseEdits, ImageEdits, ParameterEdits
from plugins.yunyou.plan_shapes import plan_of

api = Api("yunyou", _("Yunyou: delivery and operation"))


@api.operation(
    "GET",
    "/yunyou/environments",
    "yunyou.environments.list",
    _("List environments"),
    permissions.ENVIRONMENT_READ,
    query=ListQuery,
    returns=Page[shapes.EnvironmentOut],
)
def list_environments(query: ListQuery) -> Page[shapes.EnvironmentOut]:
    return page(
        scoped(Environment),
        query,
        shapes.environment,
        sorts={"name": Environment.name, "createdAt": Environment.created_at},
        search=(Environment.name, Environment.namespace),
        key=Environment.id,
        default="name",
    )


@api.operation(
    "POST",
    "/yunyou/environments",
    "yunyou.environments.create",
    _("Add an environment"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.ENVIRONMENT_ADDED,
    body=NewEnvironment,
    returns=shapes.EnvironmentOut,
    status=201,
    errors=environments.ERRORS,
)
def create_environment(body: NewEnvironment) -> shapes.EnvironmentOut:
    return shapes.environment(environments.add_environment(body))


@api.operation(
    "GET",
    "/yunyou/environments/<environment_id>",
    "yunyou.environments.get",
    _("Show an environment"),
    permissions.ENVIRONMENT_READ,
    returns=shapes.EnvironmentOut,
)
def get_environment(environment_id: fields.EnvironmentId) -> shapes.EnvironmentOut:
    return shapes.environment(environments.get_environment(environment_id))


@api.operation(
    "PATCH",
    "/yunyou/environments/<environment_id>",
    "yunyou.environments.update",
    _("Change an environment"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.ENVIRONMENT_CHANGED,
    body=Edited,
    returns=shapes.EnvironmentOut,
)
def edit_environment(environment_id: fields.EnvironmentId, body: Edited) -> shapes.EnvironmentOut:
    found = environments.get_environment(environment_id)
    need_version(found)
    return shapes.environment(environments.edit_environment(found, body))


class SolutionQuery(ListQuery):
    """Filters of the list of solutions."""

    environment: Annotated[str, doc("Only solutions for the environment with this identifier.")] = ""
    state: Annotated[
        str, doc("Only solutions in this state: `planning`, `deploying`, `completed`, `discarded` or `superseded`.")
    ] = ""


@api.operation(
    "GET",
    "/yunyou/solutions",
    "yunyou.solutions.list",
    _("List solutions"),
    permissions.SOLUTION_READ,
    query=SolutionQuery,
    returns=Page[shapes.SolutionItem],
)
def list_solutions(query: SolutionQuery) -> Page[shapes.SolutionItem]:
    found = scoped(Solution)
    if query.environment:
        found = found.where(Solution.environment_id == query.environment)
    if query.state:
        found = found.where(Solution.state == query.state)
    return page(
        found,
        query,
        shapes.solution_item,
        sorts={"createdAt": Solution.created_at, "name": Solution.name},
        search=(Solution.name, Solution.release),
        key=Solution.id,
        default="-createdAt",
    )


class Where(In):
    """The environment that something is for."""

    environment: fields.EnvironmentId


@api.operation(
    "POST",
    "/yunyou/solutions",
    "yunyou.solutions.import",
    _("Import a solution"),
    permissions.SOLUTION_IMPORT,
    audit=permissions.SOLUTION_IMPORTED,
    query=Where,
    body=shapes.SolutionDocument,
    raw_body="application/json",
    returns=shapes.SolutionOut,
    status=201,
    errors=importing.ERRORS,
)
def import_solution(query: Where) -> shapes.SolutionOut:
    environment = environments.get_environment(query.environment)
    row = importing.import_solution(environment, request.get_data(cache=True))
    enqueue(CHECK_IMAGES, f"{row.name} {row.release}", solution_id=row.id)
    return shapes.solution(row, solutions.plan_tasks(row))


@api.operation(
    "GET",
    "/yunyou/solutions/<solution_id>",
    "yunyou.solutions.get",
    _("Show a solution"),
    permissions.SOLUTION_READ,
    returns=shapes.SolutionOut,
)
def get_solution(solution_id: fields.SolutionId) -> shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    return shapes.solution(row, solutions.plan_tasks(row))


@api.operation(
    "POST",
    "/yunyou/solutions/<solution_id>/discard",
    "yunyou.solutions.discard",
    _("Discard a solution"),
    permissions.SOLUTION_IMPORT,
    audit=permissions.SOLUTION_DISCARDED,
    returns=shapes.SolutionOut,
)
def discard(solution_id: fields.SolutionId) -> shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    need_version(row)
    closing.discard(row)
    return shapes.solution(row, solutions.plan_tasks(row))


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
    returns=shapes.SolutionOut,
)
def complete(solution_id: fields.SolutionId, body: Completion) -> shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    need_version(row)
    closing.complete(row, body.give_up)
    return shapes.solution(row, solutions.plan_tasks(row))


@api.operation(
    "GET",
    "/yunyou/solutions/<solution_id>/document",
    "yunyou.solutions.document",
    _("The solution as imported"),
    permissions.SOLUTION_READ,
    returns=shapes.SolutionDocument,
)
def document(solution_id: fields.SolutionId) -> dict[str, Any]:
    return solutions.imported_of(solutions.get_solution(solution_id))


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
    return plan_of(solutions.get_solution(solution_id), kind)


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
)
def patch_parameters(solution_id: fields.SolutionId) -> plan_shapes.ParametersPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    body = json_body()
    planning.edit_parameters(solution, _items(body))
    return plan_of(solution, "parameters")


def _items(body: Any) -> list[dict[str, Any]]:
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
)
def patch_applications(solution_id: fields.SolutionId) -> plan_shapes.ApplicationsPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    planning.edit_applications(solution, _edits(json_body()))
    return plan_of(solution, "applications")


def _edits(body: Any) -> dict[str, dict[str, Any]]:
    """``{"PRODUCT/app": {field: value}}``."""
    return {key: _object(fields) for key, fields in _object(body).items()}


def _object(value: Any) -> dict[str, Any]:
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
)
def patch_databases(solution_id: fields.SolutionId) -> plan_shapes.DatabasesPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    resources.enter(solution, _items(json_body()))
    return plan_of(solution, "databases")


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
)
def patch_images(solution_id: fields.SolutionId) -> plan_shapes.ImagesPlan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    body = json_body()
    changes = body.get("items", body) if isinstance(body, dict) else {}
    if isinstance(changes, list):
        changes = {item.get("application", ""): item.get("image", "") for item in changes if isinstance(item, dict)}
    planning.edit_applications(solution, {key: {"image": image} for key, image in _object(changes).items()})
    return plan_of(solution, "images")


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
    errors=(planning.IMAGES_MISSING, planning.PLAN_UNKNOWN),
)
def confirm(solution_id: fields.SolutionId, kind: plan_shapes.PlanKind, body: Confirmation) -> plan_shapes.Plan:
    solution = solutions.get_solution(solution_id)
    need_version(solution)
    planning.confirm(solution, kind, body.accept)
    return plan_of(solution, kind)


@api.operation(
    "GET",
    "/yunyou/solutions/<solution_id>/tasks",
    "yunyou.solutions.tasks",
    _("The computed difference"),
    permissions.SOLUTION_READ,
    returns=plan_shapes.TasksOut,
)
def list_tasks(solution_id: fields.SolutionId) -> plan_shapes.TasksOut:
    return plan_shapes.tasks_of(solutions.get_solution(solution_id))
