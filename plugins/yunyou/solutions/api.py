"""``/api/v1/yunyou/solutions``: list, show, document, discard."""

from __future__ import annotations

from typing import Annotated, Any

from app.contracts.shapes import doc
from app.db import scoped
from app.web.api import ListQuery, Page, page
from app.web.conflicts import need_version
from app.words import _
from plugins.yunyou import fields, permissions
from plugins.yunyou.routes import delivery as api
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions import shapes as solution_shapes
from plugins.yunyou.solutions.models import Solution


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
    returns=Page[solution_shapes.SolutionItem],
)
def list_solutions(query: SolutionQuery) -> Page[solution_shapes.SolutionItem]:
    found = scoped(Solution)
    if query.environment:
        found = found.where(Solution.environment_id == query.environment)
    if query.state:
        found = found.where(Solution.state == query.state)
    return page(
        found,
        query,
        solution_shapes.solution_item,
        sorts={"createdAt": Solution.created_at, "name": Solution.name},
        search=(Solution.name, Solution.release),
        key=Solution.id,
        default="-createdAt",
    )


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
def document(solution_id: fields.SolutionId) -> dict[str, Any]:
    return solutions.imported_of(solutions.get_solution(solution_id))
