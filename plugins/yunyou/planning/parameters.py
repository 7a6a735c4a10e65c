"""The parameters of a plan: which values the environment has, what was decided of them, and what is confirmed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import select

from app import audit
from app.contracts.json import Json
from app.db import rows, touch
from app.errors import invalid
from app.words import _
from plugins.yunyou.documents import parameters as rules
from plugins.yunyou.documents.parameters import Entries, Entry
from plugins.yunyou.documents.variables import setting_of
from plugins.yunyou.products.models import GlobalParameter
from plugins.yunyou.resources.outputs import known_outputs
from plugins.yunyou.solutions.models import Solution
from plugins.yunyou.solutions.service import document_of, need_open, set_task


def current_values(environment_id: str) -> Json:
    """Parameter values that the environment holds now, as written."""
    found = rows(select(GlobalParameter).where(GlobalParameter.environment_id == environment_id))
    return {row.name: json.loads(row.value) for row in found}


def entries_for(solution: Solution) -> Entries:
    """The parameters of a solution with everything that was decided, rendered."""
    document = document_of(solution)
    decisions: dict[str, Json] = json.loads(solution.parameters)
    entries = []
    for entry in rules.entries_of(document, current_values(solution.environment_id)):
        decided = decisions.get(entry.name, {})
        entries.append(replace(entry, choice=decided.get("choice"), edited=decided.get("edited")))
    rendered = rules.render(tuple(entries), setting_of(document, known_outputs(solution.environment_id)))
    return tuple(
        replace(e, confirmed=decisions.get(e.name, {}).get("confirmed") == _mark(e) and e.state == "rendered")
        for e in rendered
    )


def _mark(entry: Entry) -> str:
    """What of an entry was confirmed: another rendered value needs another confirmation."""
    pieces = [str(piece) for piece in entry.rendering.pieces] if entry.rendering else []
    return hashlib.sha256(json.dumps(pieces).encode()).hexdigest()


def keep(solution: Solution, entries: Entries) -> None:
    """Keep what was decided of the parameters, and how far their task is."""
    decisions: dict[str, Json] = {}
    for entry in entries:
        decided = {
            "choice": entry.choice,
            "edited": entry.edited,
            "confirmed": _mark(entry) if entry.confirmed else None,
        }
        if any(value is not None for value in decided.values()):
            decisions[entry.name] = {k: v for k, v in decided.items() if v is not None}
    solution.parameters = json.dumps(decisions)
    left = sum(1 for entry in entries if entry.state != "confirmed")
    set_task(solution, "parameters", total=len(entries), left=left, confirmed=left == 0)


def edit_parameters(solution: Solution, changes: Sequence[Mapping[str, Any]]) -> Entries:
    """Decide conflicts and enter values: ``{"name", "value"}``, ``{"name", "choice": "current"|"new"}``, ``{"resolve":
    "new"}``.

    :raises ConsoleError: YUNYOU/SOLUTION_CLOSED, YUNYOU/PARAMETER_UNKNOWN, YUNYOU/PARAMETER_VALUE_REFUSED
    """
    need_open(solution)
    entries = entries_for(solution)
    for change in changes:
        entries = _changed(entries, change)
    entries = rules.render(entries, setting_of(document_of(solution), known_outputs(solution.environment_id)))
    keep(solution, entries)
    touch(solution)
    audit.note("solution", solution.id, solution.name, parameters=[change.get("name", "*") for change in changes])
    return entries


def _changed(entries: Entries, change: Mapping[str, Any]) -> Entries:
    side = change.get("choice") or change.get("resolve")
    if side is not None and side not in ("current", "new"):
        raise invalid({"choice": _("current or new.")})
    if "name" not in change:
        return rules.resolve_all(entries, side or "new")
    name = str(change["name"])
    if side is not None:
        return rules.resolve(entries, name, side)
    if change.get("confirmed"):
        return rules.confirm(entries, name)
    return rules.edit(entries, name, change.get("value"))
