"""Pages of solutions: list, metadata, records, discard; their plans are pages of planning."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, url_for
from sqlalchemy import Select

from app.db import count, scoped
from app.guard import guard
from app.order_views.pages import order_listing
from app.orders.models import Order
from app.web.language import t
from app.web.listing import Column, Filter, Listing
from app.web.render import go, render
from app.web.table import Action, Cell, Empty
from app.words import _
from plugins.yunyou import permissions
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.columns import by_environment
from plugins.yunyou.routes import solutions as bp
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions.models import Solution

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


def header(solution: Solution, tab: str) -> dict[str, Any]:
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


@bp.get("/<solution_id>/metadata")
@guard(permissions.SOLUTION_READ)
def metadata_show(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    text = json.dumps(solutions.imported_of(solution), ensure_ascii=False, indent=1)
    return render(
        "yunyou/metadata_show.html", **header(solution, "metadata"), text=text[:400_000], long=len(text) > 400_000
    )


@bp.get("/<solution_id>/records")
@guard(permissions.SOLUTION_READ)
def record_list(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    return order_listing("records", _orders_of(solution)).respond(
        "yunyou/record_list.html", **header(solution, "records")
    )


@bp.post("/<solution_id>/discard")
@guard(permissions.SOLUTION_IMPORT, audit=permissions.SOLUTION_DISCARDED)
def solution_discard(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    solutions.discard(solution)
    return go(url_for(".solution_list"), _("The solution was discarded."))


@bp.get("/<solution_id>/discard")
@guard(permissions.SOLUTION_IMPORT)
def discard_dialog(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    return render("yunyou/_discard_dialog.html", solution=solution)
