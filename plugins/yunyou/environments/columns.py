"""The column and the filter by environment that lists of what is in one have."""

from __future__ import annotations

from typing import Any

from msgspec import Meta
from sqlalchemy import Select

from app.db import scoped
from app.web.listing import Column, Filter
from app.web.paging import Expression
from app.words import _, plain
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import list_environments

ENVIRONMENT = Column("environment", _("Environment"), lambda row: row[1] or "–")


def with_environment(model: Any) -> Select[Any]:
    """Rows of *model*, each with the name of its environment."""
    return scoped(model).outerjoin(Environment, Environment.id == model.environment_id).add_columns(Environment.name)


def by_environment(column: Expression, doc: Meta) -> Filter:
    """The filter by environment: *column* is the ``environment_id`` of the list's model."""
    title = _("Environment")
    return Filter("environment", title, column, lambda: [(e.id, plain(e.name)) for e in list_environments()], doc)
