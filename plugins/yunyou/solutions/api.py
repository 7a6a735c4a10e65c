"""``/api/v1/yunyou/solutions``: list, show, document, discard."""

from __future__ import annotations

from app.contracts.json import Json
from app.web.conflicts import need_version
from app.words import _
from plugins.yunyou import fields, permissions, routes
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions import shapes as solution_shapes

api = routes.delivery


@api.operation(
    "GET",
    "/yunyou/solutions/<solution_id>",
    "yunyou.solutions.get",
    _("Show a solution"),
    permissions.SOLUTION_READ,
    returns=solution_shapes.SolutionOut,
)
def get_solution(solution_id: fields.SolutionId) -> solution_shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    return solution_shapes.solution(row, solutions.plan_tasks(row))


@api.operation(
    "POST",
    "/yunyou/solutions/<solution_id>/discard",
    "yunyou.solutions.discard",
    _("Discard a solution"),
    permissions.SOLUTION_IMPORT,
    audit=permissions.SOLUTION_DISCARDED,
    returns=solution_shapes.SolutionOut,
    versioned=True,
)
def discard(solution_id: fields.SolutionId) -> solution_shapes.SolutionOut:
    row = solutions.get_solution(solution_id)
    need_version(row)
    solutions.discard(row)
    return solution_shapes.solution(row, solutions.plan_tasks(row))


@api.operation(
    "GET",
    "/yunyou/solutions/<solution_id>/document",
    "yunyou.solutions.document",
    _("The solution as imported"),
    permissions.SOLUTION_READ,
    returns=solution_shapes.SolutionDocument,
)
def document(solution_id: fields.SolutionId) -> Json:
    return solutions.imported_of(solutions.get_solution(solution_id))
