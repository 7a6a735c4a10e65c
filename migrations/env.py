"""Alembic's environment: one history for the core and every plugin, enabled or not."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app.processes import database


def run(connection: Connection) -> None:
    """Run the migrations that the command asked for on one connection."""
    context.configure(
        connection=connection,
        target_metadata=database.all_metadata(),
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="app.db.",
        **database.compared(),
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
