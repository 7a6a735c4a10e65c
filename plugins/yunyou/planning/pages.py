"""Pages of planning: import of a solution, what is to do for it, its plans, and its completion."""

from __future__ import annotations

from flask import Response, request, url_for

from app.auth.decisions import allows
from app.auth.redirects import local_path
from app.contracts.json import Json
from app.errors import ConsoleError, invalid
from app.guard import guard
from app.jobs import enqueue
from app.web import conflicts
from app.web.api import In
from app.web.forms import parse
from app.web.problems import refuse
from app.web.render import go, render
from app.words import _
from plugins.yunyou import permissions, routes
from plugins.yunyou.environments import service as environments
from plugins.yunyou.planning import applications, completion, databases, edit_conflicts, parameters, plans, tasks
from plugins.yunyou.planning import service as planning
from plugins.yunyou.planning.api import api
from plugins.yunyou.planning.images import CHECK_IMAGES
from plugins.yunyou.planning.rules.difference import KIND_NAMES
from plugins.yunyou.planning.solution_import import import_solution
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions.layout import header
from plugins.yunyou.solutions.models import PLANS, Solution

bp = routes.solutions


class Replicas(In):
    """How many instances the form of an application asks for; none: as it is."""

    replicas: int | None = None


@bp.get("/yunyou/solutions/new")
@guard(permissions.SOLUTION_IMPORT)
def solution_new() -> Response:
    return _upload(None)


def _upload(error: ConsoleError | None) -> Response:
    found = environments.list_environments()
    chosen = request.values.get("environment") or (found[0].id if found else "")
    return render(
        "yunyou/solution_new.html",
        fragment="form",
        status=error.status if error else 200,
        error=error,
        chosen=chosen,
        environments=[(e.id, e.name) for e in found],
    )


@bp.post("/yunyou/solutions")
@api.guard("yunyou.solutions.import")
def solution_import() -> Response:
    try:
        file = request.files.get("file")
        if file is None:
            raise invalid({"file": _("Choose a solution file.")})
        environment = environments.get_environment(request.form.get("environment", ""))
        solution = import_solution(environment, file.read())
    except ConsoleError as error:
        refuse(error)
        return _upload(error)
    enqueue(CHECK_IMAGES, f"{solution.name} {solution.release}", solution_id=solution.id)
    return go(url_for(".solution_show", solution_id=solution.id), _("The solution was unpacked."))


@bp.get("/yunyou/solutions/<solution_id>")
@guard(permissions.SOLUTION_READ)
def solution_show(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    found = tasks.difference_of(solution)
    plan = solutions.plan_tasks(solution)
    todo = [kind for kind in PLANS if plan[kind].state != "done"]
    return render(
        "yunyou/solution_show.html",
        fragment="products",
        **header(solution, "deployment"),
        plan=plan,
        titles=planning.TITLES,
        todo=todo,
        difference=found,
        left=tasks.open_of(found),
        kind_names=KIND_NAMES,
        may_release=allows(permissions.RELEASE, {"environment": solution.environment_id}),
    )


@bp.get("/yunyou/solutions/<solution_id>/plan/<kind>")
@guard(permissions.SOLUTION_READ)
def plan_show(solution_id: str, kind: str) -> Response:
    return _plan(solutions.get_solution(solution_id), kind)


def _plan(solution: Solution, kind: str, error: ConsoleError | None = None) -> Response:
    found = plans.items_of(solution, kind)
    wanted = request.args.get("q", "").strip().lower()
    state = request.args.get("state", "")
    items = [item for item in found if wanted in str(item).lower() and state in ("", item.get("state"))]
    counts: dict[str, int] = {}
    for item in found:
        counts[item.get("state", "")] = counts.get(item.get("state", ""), 0) + 1
    return render(
        "yunyou/plan_show.html",
        fragment="plan",
        status=error.status if error else 200,
        **header(solution, "deployment"),
        kind=kind,
        plan=solutions.plan_tasks(solution),
        titles=planning.TITLES,
        items=items,
        counts=counts,
        q=wanted,
        state=state,
        error=error,
        seen=conflicts.mark_of(edit_conflicts.decided(found)),
        hidden=edit_conflicts.hidden,
    )


@bp.post("/yunyou/solutions/<solution_id>/plan/parameters")
@api.guard("yunyou.plans.parameters.update")
def parameters_edit(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    name, choice = request.form.get("name", ""), request.form.get("choice", "")
    change: Json = {"name": name} if name else {}
    if choice:
        change["choice"] = choice
    else:
        change["value"] = request.form.get("value", "") or None
    try:
        edit_conflicts.need_seen(solution, "parameters")
        parameters.edit_parameters(solution, [change])
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, "parameters", edit_conflicts.at_fields(error))
    return go(_back(solution, "parameters"), _("The parameters were changed."))


def _back(solution: Solution, kind: str) -> str:
    return url_for(".plan_show", solution_id=solution.id, kind=kind)


@bp.post("/yunyou/solutions/<solution_id>/plan/databases")
@api.guard("yunyou.plans.databases.update")
def databases_edit(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    apart = ("csrf_token", conflicts.SEEN, conflicts.BASE)
    item = {key: value for key, value in request.form.items() if key not in apart and value}
    try:
        shown = edit_conflicts.need_seen(solution, "databases")
        databases.enter(
            solution,
            [{key: value for key, value in item.items() if key in ("kind", "name") or value != shown.get(key)}],
        )
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, "databases", edit_conflicts.at_fields(error))
    return go(_back(solution, "databases"), _("The values were kept."))


@bp.post("/yunyou/solutions/<solution_id>/plan/images/check")
@api.guard("yunyou.plans.images.check")
def images_check(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    enqueue(CHECK_IMAGES, f"{solution.name} {solution.release}", solution_id=solution.id)
    return go(_back(solution, "images"), _("The registry is being asked."))


@bp.post("/yunyou/solutions/<solution_id>/plan/applications")
@api.guard("yunyou.plans.applications.update")
def applications_edit(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    given = request.form
    change: Json = {}
    if "image" in given:
        change["image"] = given["image"].strip() or None
    size = {key: given[key].strip() for key in ("cpu", "memory") if given.get(key, "").strip()}
    if size:
        change["resources"] = size
    kind = "images" if given.get("from") == "images" else "applications"
    try:
        replicas = parse(Replicas).replicas
        if replicas is not None:
            change["replicas"] = replicas
        if conflicts.SEEN in given:
            edit_conflicts.need_seen(solution, kind)
        applications.edit_applications(solution, {given.get("application", ""): change})
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, kind, edit_conflicts.at_fields(error))
    return go(local_path(given["next"]) if given.get("next") else _back(solution, kind), _("The plan was changed."))


@bp.post("/yunyou/solutions/<solution_id>/plan/<kind>/confirm")
@api.guard("yunyou.plans.confirm")
def plan_confirm(solution_id: str, kind: str) -> Response:
    solution = solutions.get_solution(solution_id)
    try:
        conflicts.need_seen(edit_conflicts.decided(plans.items_of(solution, kind)))
        planning.confirm(solution, kind, request.form.getlist("accept"))
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, kind, error)
    plan = solutions.plan_tasks(solution)
    following = next((other for other in PLANS if plan[other].state != "done"), None)
    target = _back(solution, following) if following else url_for(".solution_show", solution_id=solution.id)
    return go(target, _("Confirmed."))


@bp.post("/yunyou/solutions/<solution_id>/complete")
@api.guard("yunyou.solutions.complete")
def solution_complete(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    completion.complete(solution, request.form.getlist("giveUp"))
    return go(url_for(".solution_show", solution_id=solution.id), _("The deployment was completed."))
