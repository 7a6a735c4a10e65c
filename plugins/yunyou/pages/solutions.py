"""Solutions: list, import, detail with its pre-deployment tasks, plans, metadata and records."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request, url_for
from sqlalchemy import Select

from app.auth.decisions import allows
from app.auth.redirects import local_path
from app.db import count, scoped
from app.errors import ConsoleError, invalid
from app.guard import guard
from app.jobs import enqueue
from app.order_views.pages import order_listing
from app.orders.models import Order
from app.web import conflicts
from app.web.api import In
from app.web.forms import parse
from app.web.language import t
from app.web.listing import Column, Filter, Listing
from app.web.problems import refuse
from app.web.render import go, render
from app.web.table import Action, Cell, Empty
from app.words import _
from plugins.yunyou import (
    closing,
    environments,
    importing,
    permissions,
    plan_shapes,
    planning,
    resources,
    solutions,
    tasks,
)
from plugins.yunyou.domain.difference import KIND_NAMES
from plugins.yunyou.jobs import CHECK_IMAGES
from plugins.yunyou.models import PLANS, Solution
from plugins.yunyou.pages import decided
from plugins.yunyou.pages.environments import by_environment

bp = Blueprint("yunyou_solutions", __name__, url_prefix="/yunyou/solutions")


class Replicas(In):
    """How many instances the form of an application asks for; none: as it is."""

    replicas: int | None = None


TONES = {"planning": "info", "deploying": "info", "completed": "ok", "discarded": "neutral", "superseded": "neutral"}
WORDS = {
    "planning": _("Planning"),
    "deploying": _("Deploying"),
    "completed": _("Completed"),
    "discarded": _("Discarded"),
    "superseded": _("Superseded"),
}


@bp.get("")
@guard(permissions.SOLUTION_READ)
def solution_list() -> Response:
    of_environment, filter_by_environment = by_environment(Solution.environment_id)
    columns = (
        Column("name", _("Solution"), lambda s: s.name, "link", Solution.name, narrow=True),
        Column("release", _("Version"), lambda s: s.release, "mono", Solution.release, narrow=True),
        Column("state", _("State"), _state, sort=Solution.state, narrow=True),
        of_environment,
        Column("products", _("Products"), lambda s: len(s.products), "number"),
        Column("applications", _("Applications"), lambda s: s.applications, "number", Solution.applications),
        Column("imported_by", _("Imported by"), lambda s: s.imported_by, sort=Solution.imported_by),
        Column("created", _("Imported"), lambda s: s.created_at, "time", Solution.created_at),
    )
    filters = (
        Filter("state", _("State"), Solution.state, list(WORDS.items())),
        filter_by_environment,
    )
    importing = Action(_("Import a solution"), url_for(".solution_new"), icon="upload", primary=True)
    listing = Listing(
        "solutions",
        scoped(Solution),
        columns,
        search=(Solution.name, Solution.release, Solution.imported_by),
        filters=filters,
        default_sort="-created",
        href=lambda s: url_for(".solution_show", solution_id=s.id),
        empty=Empty(
            _("No solution yet"),
            _("A solution is a JSON file that describes the products an environment shall run."),
            importing,
        ),
    )
    return listing.respond("yunyou/solution_list.html", importing=importing)


def _state(solution: Solution) -> Cell:
    return Cell("tone", text=t(WORDS[solution.state]), tone=TONES[solution.state])


@bp.get("/new")
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


@bp.post("")
@guard(permissions.SOLUTION_IMPORT, audit=permissions.SOLUTION_IMPORTED)
def solution_import() -> Response:
    try:
        file = request.files.get("file")
        if file is None:
            raise invalid({"file": _("Choose a solution file.")})
        environment = environments.get_environment(request.form.get("environment", ""))
        solution = importing.import_solution(environment, file.read())
    except ConsoleError as error:
        refuse(error)
        return _upload(error)
    enqueue(CHECK_IMAGES, f"{solution.name} {solution.release}", solution_id=solution.id)
    return go(url_for(".solution_show", solution_id=solution.id), _("The solution was unpacked."))


@bp.get("/<solution_id>")
@guard(permissions.SOLUTION_READ)
def solution_show(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    found = tasks.difference_of(solution)
    plan = solutions.plan_tasks(solution)
    todo = [kind for kind in PLANS if plan[kind].state != "done"]
    return render(
        "yunyou/solution_show.html",
        fragment="products",
        **_head(solution, "deployment"),
        plan=plan,
        titles=planning.TITLES,
        todo=todo,
        difference=found,
        left=tasks.open_of(found),
        kind_names=KIND_NAMES,
        may_release=allows(permissions.RELEASE, {"environment": solution.environment_id}),
    )


def _head(solution: Solution, tab: str) -> dict[str, Any]:
    environment = environments.get_environment(solution.environment_id)
    return {
        "solution": solution,
        "environment": environment,
        "tab": tab,
        "order_count": count(_orders_of(solution)),
        "state_tone": TONES[solution.state],
        "state_word": WORDS[solution.state],
        "open": solution.state in ("planning", "deploying"),
    }


def _orders_of(solution: Solution) -> Select[tuple[Order]]:
    return scoped(Order).where(Order.subject_type == "solution", Order.subject_id == solution.id)


@bp.get("/<solution_id>/plan/<kind>")
@guard(permissions.SOLUTION_READ)
def plan_show(solution_id: str, kind: str) -> Response:
    return _plan(solutions.get_solution(solution_id), kind)


def _plan(solution: Solution, kind: str, error: ConsoleError | None = None) -> Response:
    found = plan_shapes.items_of(solution, kind)
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
        **_head(solution, "deployment"),
        kind=kind,
        plan=solutions.plan_tasks(solution),
        titles=planning.TITLES,
        items=items,
        counts=counts,
        q=wanted,
        state=state,
        error=error,
        seen=conflicts.mark_of(decided.decided(found)),
        hidden=decided.hidden,
    )


@bp.post("/<solution_id>/plan/parameters")
@guard(permissions.PLAN_EDIT, audit=permissions.PARAMETERS_EDITED)
def parameters_edit(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    name, choice = request.form.get("name", ""), request.form.get("choice", "")
    change: dict[str, Any] = {"name": name} if name else {}
    if choice:
        change["choice"] = choice
    else:
        change["value"] = request.form.get("value", "") or None
    try:
        decided.need_seen(solution, "parameters")
        planning.edit_parameters(solution, [change])
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, "parameters", decided.at_fields(error))
    return go(_back(solution, "parameters"), _("The parameters were changed."))


def _back(solution: Solution, kind: str) -> str:
    return url_for(".plan_show", solution_id=solution.id, kind=kind)


@bp.post("/<solution_id>/plan/databases")
@guard(permissions.PLAN_EDIT, audit=permissions.DATABASES_EDITED)
def databases_edit(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    apart = ("csrf_token", conflicts.SEEN, conflicts.BASE)
    item = {key: value for key, value in request.form.items() if key not in apart and value}
    try:
        shown = decided.need_seen(solution, "databases")
        resources.enter(
            solution,
            [{key: value for key, value in item.items() if key in ("kind", "name") or value != shown.get(key)}],
        )
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, "databases", decided.at_fields(error))
    return go(_back(solution, "databases"), _("The values were kept."))


@bp.post("/<solution_id>/plan/images/check")
@guard(permissions.PLAN_EDIT, audit=permissions.IMAGES_EDITED)
def images_check(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    enqueue(CHECK_IMAGES, f"{solution.name} {solution.release}", solution_id=solution.id)
    return go(_back(solution, "images"), _("The registry is being asked."))


@bp.post("/<solution_id>/plan/applications")
@guard(permissions.PLAN_EDIT, audit=permissions.APPLICATIONS_EDITED)
def applications_edit(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    given = request.form
    change: dict[str, Any] = {}
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
            decided.need_seen(solution, kind)
        planning.edit_applications(solution, {given.get("application", ""): change})
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, kind, decided.at_fields(error))
    return go(local_path(given["next"]) if given.get("next") else _back(solution, kind), _("The plan was changed."))


@bp.post("/<solution_id>/plan/<kind>/confirm")
@guard(permissions.PLAN_EDIT, audit=permissions.PLAN_CONFIRMED)
def plan_confirm(solution_id: str, kind: str) -> Response:
    solution = solutions.get_solution(solution_id)
    try:
        conflicts.need_seen(decided.decided(plan_shapes.items_of(solution, kind)))
        planning.confirm(solution, kind, request.form.getlist("accept"))
    except ConsoleError as error:
        refuse(error)
        return _plan(solution, kind, error)
    plan = solutions.plan_tasks(solution)
    following = next((other for other in PLANS if plan[other].state != "done"), None)
    target = _back(solution, following) if following else url_for(".solution_show", solution_id=solution.id)
    return go(target, _("Confirmed."))


@bp.get("/<solution_id>/metadata")
@guard(permissions.SOLUTION_READ)
def metadata_show(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    text = json.dumps(solutions.imported_of(solution), ensure_ascii=False, indent=1)
    return render(
        "yunyou/solution_metadata.html", **_head(solution, "metadata"), text=text[:400_000], long=len(text) > 400_000
    )


@bp.get("/<solution_id>/records")
@guard(permissions.SOLUTION_READ)
def record_list(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    return order_listing("records", _orders_of(solution)).respond(
        "yunyou/solution_records.html", **_head(solution, "records")
    )


@bp.post("/<solution_id>/discard")
@guard(permissions.SOLUTION_IMPORT, audit=permissions.SOLUTION_DISCARDED)
def solution_discard(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    closing.discard(solution)
    return go(url_for(".solution_list"), _("The solution was discarded."))


@bp.get("/<solution_id>/discard")
@guard(permissions.SOLUTION_IMPORT)
def discard_dialog(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    return render("yunyou/_discard.html", solution=solution)


@bp.post("/<solution_id>/complete")
@guard(permissions.SOLUTION_IMPORT, audit=permissions.SOLUTION_COMPLETED)
def solution_complete(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    closing.complete(solution, request.form.getlist("giveUp"))
    return go(url_for(".solution_show", solution_id=solution.id), _("The deployment was completed."))
