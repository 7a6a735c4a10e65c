"""The column and the filter by environment that lists of what is in one have."""

from __future__ import annotations

from app.web.listing import Column, Expression, Filter
from app.words import _, plain
from plugins.yunyou.environments import service as environments


def by_environment(column: Expression) -> tuple[Column, Filter]:
    """A list's column that names the environment of a row, and the filter by it.

    *column* is the ``environment_id`` of the list's model.
    """
    title = _("Environment")
    names = {environment.id: environment.name for environment in environments.list_environments()}
    shown = Column("environment", title, lambda row: names.get(row.environment_id, "–"))
    return shown, Filter("environment", title, column, [(id, plain(name)) for id, name in names.items()])
