"""Pages of solutions: list, metadata, records, discard; their plans are pages of planning."""

from __future__ import annotations

import json

from flask import Response, url_for

from app.contracts.shapes import doc
from app.guard import guard
from app.order_views.pages import order_listing
from app.web.frame import why_not
from app.web.language import t
from app.web.listed import Listed
from app.web.listing import Column, Filter
from app.web.render import go, render
from app.web.table import Action, Cell, Empty
from app.words import _
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.environments.columns import ENVIRONMENT, by_environment, with_environment
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions.api import api
from plugins.yunyou.solutions.layout import TONES, WORDS, header, orders_of
from plugins.yunyou.solutions.models import Solution
from plugins.yunyou.solutions.shapes import SolutionItem

bp = routes.solutions


FOR_ENVIRONMENT = doc("Only solutions for the environment with this identifier.")


IN_STATE = doc("Only solutions in this state: `planning`, `deploying`, `completed`, `discarded` or `superseded`.")


def _import() -> Action:
    refused = why_not(permissions.SOLUTION_IMPORT)
    return Action(
        _("Import a solution"), url_for(".solution_new"), icon="upload", primary=True, disabled_reason=refused
    )


def _state(solution: Solution) -> Cell:
    return Cell("tone", text=t(WORDS[solution.state]), tone=TONES[solution.state])


Listed(
    api,
    bp,
    "solution",
    "/yunyou/solutions",
    _("Solutions"),
    solutions.SOLUTION,
    Solution,
    SolutionItem,
    fields.SolutionId,
    permissions.SOLUTION_READ,
).listed(
    _("List solutions"),
    [
        Column("name", _("Solution"), lambda r: r[0].name, "link", Solution.name, narrow=True),
        Column("release", _("Version"), lambda r: r[0].release, "mono", Solution.release, narrow=True),
        Column("state", _("State"), lambda r: _state(r[0]), sort=Solution.state, narrow=True),
        ENVIRONMENT,
        Column("products", _("Products"), lambda r: len(r[0].products), "number"),
        Column("applications", _("Applications"), lambda r: r[0].applications, "number", Solution.applications),
        Column(
            "imported_by", _("Imported by"), lambda r: r[0].imported_by, sort=Solution.imported_by, field="importedBy"
        ),
        Column("created", _("Imported"), lambda r: r[0].created_at, "time", Solution.created_at, field="createdAt"),
    ],
    query=lambda: with_environment(Solution),
    of=lambda r: r[0],
    search=(Solution.name, Solution.release, Solution.imported_by),
    filters=(
        Filter("state", _("State"), Solution.state, list(WORDS.items()), IN_STATE),
        by_environment(Solution.environment_id, FOR_ENVIRONMENT),
    ),
    sort="-created",
    href=lambda r: url_for(".solution_show", solution_id=r[0].id),
    buttons=lambda: [_import()],
    empty=lambda: Empty(
        _("No solution yet"),
        _("A solution is a JSON file that describes the products an environment shall run."),
        _import(),
    ),
)


@bp.get("/yunyou/solutions/<solution_id>/metadata")
@guard(permissions.SOLUTION_READ)
def metadata_show(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    text = json.dumps(solutions.imported_of(solution), ensure_ascii=False, indent=1)
    return render(
        "yunyou/metadata_show.html", **header(solution, "metadata"), text=text[:400_000], long=len(text) > 400_000
    )


@bp.get("/yunyou/solutions/<solution_id>/records")
@guard(permissions.SOLUTION_READ)
def record_list(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    return order_listing("records", orders_of(solution)).respond(
        "yunyou/record_list.html", **header(solution, "records")
    )


@bp.post("/yunyou/solutions/<solution_id>/discard")
@api.guard("yunyou.solutions.discard")
def solution_discard(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    solutions.discard(solution)
    return go(url_for(".solution_list"), _("The solution was discarded."))


@bp.get("/yunyou/solutions/<solution_id>/discard")
@guard(permissions.SOLUTION_IMPORT)
def discard_dialog(solution_id: str) -> Response:
    solution = solutions.get_solution(solution_id)
    return render("yunyou/_discard_dialog.html", solution=solution)
