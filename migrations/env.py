"""Alembic's environment: one history for the core and every bundled plugin, enabled or not; one for each other plugin."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app.processes import database


def run(connection: Connection) -> None:
    """Run the migrations that the command asked for on one connection."""
    history = context.config.attributes["history"]
    context.configure(
        connection=connection,
        target_metadata=database.all_metadata(),
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="app.db.",
        version_table=history.version_table,
        **database.compared(history),
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
