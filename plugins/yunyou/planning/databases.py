"""Databases, caches and buckets that exist already: a person names them, and values may refer to them (Y-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app import audit
from app.contracts.json import Json
from app.db import db, new_id, touch
from app.errors import ErrorCode, FieldError, invalid
from app.words import _
from plugins.yunyou.documents.variables import Output, planned_outputs
from plugins.yunyou.resources.models import ResourceOutput
from plugins.yunyou.resources.outputs import known_outputs
from plugins.yunyou.solutions.models import Solution
from plugins.yunyou.solutions.service import document_of, need_open, set_task

PREFIXES = {"database": "db", "cache": "cache", "bucket": "bucket"}
NOT_NAMED = ErrorCode(
    "YUNYOU/RESOURCES_NOT_NAMED",
    409,
    _("These values of databases, caches or buckets are not known: {names}"),
    _("Enter where they are; this version uses existing ones and creates none."),
)
ERRORS = (NOT_NAMED,)
MASK = "••••••"


def wanted(solution: Solution) -> dict[str, Output]:
    """Outputs that only a person can give, by name."""
    found: dict[str, Output] = {}
    for product in document_of(solution).products:
        outputs = planned_outputs(product).items()
        found |= {name: o for name, o in outputs if not name.startswith("lb.") and o.value is None}
    return found


def listed(solution: Solution) -> list[Json]:
    """Each resource with what is known of it; secrets masked."""
    known = known_outputs(solution.environment_id)
    found = []
    for product in document_of(solution).products:
        groups: Json = {"database": product.databases, "cache": product.caches, "bucket": product.buckets}
        for kind, items in groups.items():
            for item in items:
                start = f"{PREFIXES[kind]}.{item.name}."
                values = {}
                for name, output in planned_outputs(product).items():
                    if name.startswith(start):
                        value = known.get(name, output).value
                        values[name.removeprefix(start)] = MASK if value and output.secret else value
                found.append({"product": product.code, "kind": kind, "name": item.name, "values": values})
    return found


def enter(solution: Solution, items: Sequence[Mapping[str, Any]]) -> None:
    """Enter where resources are: ``{"kind", "name", "host", "port", …}``.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, CORE/INVALID_INPUT with each wrong field
    """
    need_open(solution)
    asked = wanted(solution)
    problems: list[FieldError] = []
    values: dict[str, str] = {}
    for at, item in enumerate(items):
        prefix = PREFIXES.get(str(item.get("kind")), "?")
        for field, value in item.items():
            if field in ("kind", "name"):
                continue
            name = f"{prefix}.{item.get('name')}.{field}"
            if name not in asked:
                problems.append(FieldError(f"/items/{at}/{field}", _("The solution has no {name}.").format(name=name)))
            elif value not in (None, "", MASK):
                values[name] = str(value)
    if problems:
        raise invalid(problems)
    for name, value in values.items():
        _keep(solution, name, value, asked[name].secret)
    db.session.flush()
    left = [name for name in asked if name not in known_outputs(solution.environment_id)]
    set_task(solution, "databases", total=len(asked), left=len(left), confirmed=False)
    touch(solution)
    audit.note("solution", solution.id, solution.name, resources=sorted(values))


def _keep(solution: Solution, name: str, value: str, secret: bool) -> None:
    row = db.session.scalar(
        select(ResourceOutput).where(
            ResourceOutput.environment_id == solution.environment_id, ResourceOutput.name == name
        )
    )
    if row is None:
        row = ResourceOutput(
            id=new_id(), tenant_id=solution.tenant_id, environment_id=solution.environment_id, name=name
        )
        db.session.add(row)
    row.value, row.secret = value, secret


def need_named(solution: Solution) -> None:
    """Refuse to confirm before everything is known.

    :raises ConsoleError: YUNYOU/RESOURCES_NOT_NAMED
    """
    known = known_outputs(solution.environment_id)
    missing = [name for name in wanted(solution) if name not in known]
    if missing:
        raise NOT_NAMED(names=", ".join(missing[:12]) + (" …" if len(missing) > 12 else ""), extra={"names": missing})
