"""What the API answers of solutions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from app.contracts.json import Json
from app.contracts.shapes import Id, Name, Version, doc
from app.web.api import Out
from plugins.yunyou import fields
from plugins.yunyou.solutions.models import PlanTask, Solution


class SolutionProduct(Out):
    """A product of a solution."""

    code: fields.ProductCode
    name: Name
    version: Annotated[str, doc("Version that the solution brings.")]
    applications: Annotated[int, doc("How many applications it has.")]
    dependencies: Annotated[list[str], doc("Codes of the products that it needs.")]


class PlanState(Out):
    """How far one plan of a solution is."""

    state: Annotated[str, doc("`todo` or `done`.")]
    total: Annotated[int, doc("How much there is to confirm.")]
    open: Annotated[int, doc("How much of it is still open.")]
    confirmed_by: Annotated[str | None, doc("Name of whoever confirmed it; null before.")]
    confirmed_at: Annotated[datetime | None, doc("When it was confirmed; null before.")]


class SolutionDocument(Out):
    """A solution file, ``antstack.solution/v1``, with all that it says besides these. Values of secrets are masked."""

    schema: Annotated[str, doc("`antstack.solution/v1`.")]
    name: Annotated[str, doc("Name of the solution.")]
    version: Annotated[str, doc("Version of the solution.")]
    products: Annotated[list[Json], doc("The products, each with its applications, parameters and resources.")]


class SolutionOut(Out):
    """A solution with how far its plan is."""

    id: Id
    name: Annotated[str, doc("Name of the solution.")]
    release: Annotated[str, doc("Version of the solution.")]
    environment: Annotated[str, doc("Identifier of the environment that it is for.")]
    state: fields.SolutionState
    products: Annotated[list[SolutionProduct], doc("The products that it brings.")]
    applications: Annotated[int, doc("How many applications it brings.")]
    unknown_fields: Annotated[list[str], doc("Fields of the file that the format does not know.")]
    imported_by: Annotated[str, doc("Name of whoever imported it.")]
    created_at: Annotated[datetime, doc("When it was imported.")]
    version: Version
    plan: Annotated[dict[str, PlanState], doc("How far its plans are, by kind.")]


def solution(row: Solution, plan: dict[str, PlanTask]) -> SolutionOut:
    """A solution as the API shows it."""
    states = {
        kind: PlanState(t.state, t.total, t.open, t.confirmed_by or None, t.confirmed_at) for kind, t in plan.items()
    }
    return SolutionOut(
        row.id,
        row.name,
        row.release,
        row.environment_id,
        row.state,
        msgspec.convert(row.products, list[SolutionProduct]),
        row.applications,
        row.unknown,
        row.imported_by,
        row.created_at,
        row.version,
        states,
    )


class SolutionItem(Out):
    """A solution in a list."""

    id: Id
    name: Annotated[str, doc("Name of the solution.")]
    release: Annotated[str, doc("Version of the solution.")]
    environment_id: Annotated[str, doc("Identifier of the environment that it is for.")] = msgspec.field(
        name="environment"
    )
    state: fields.SolutionState
    applications: Annotated[int, doc("How many applications it brings.")]
    imported_by: Annotated[str, doc("Name of whoever imported it.")]
    created_at: Annotated[datetime, doc("When it was imported.")]
