"""What the palette finds of environments."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from app.contracts.declarations import Found
from app.db import rows, scoped
from app.web.listing import matching
from app.words import _
from plugins.yunyou.environments.models import Environment


def search_environments(text: str, limit: int) -> Sequence[Found]:
    """Environments by name and namespace."""
    found = rows(scoped(Environment).where(matching(text, (Environment.name, Environment.namespace))).limit(limit))
    kind = _("Environment")
    return [
        Found(kind, e.name, url_for("yunyou_environments.environment_show", environment_id=e.id), e.namespace)
        for e in found
    ]
