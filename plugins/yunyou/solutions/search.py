"""What the palette finds of solutions."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from app.contracts.declarations import Found
from app.db import rows, scoped
from app.web.listing import matching
from app.words import _
from plugins.yunyou.solutions.models import Solution


def search_solutions(text: str, limit: int) -> Sequence[Found]:
    """Solutions by name and version."""
    found = rows(
        scoped(Solution)
        .where(matching(text, (Solution.name, Solution.release)))
        .order_by(Solution.id.desc())
        .limit(limit)
    )
    kind = _("Solution")
    return [
        Found(kind, f"{s.name} {s.release}", url_for("yunyou_solutions.solution_show", solution_id=s.id), s.state)
        for s in found
    ]
