"""Which migration this code needs. Asked at every readiness probe, so without Alembic, which would cost 10 MiB a process."""

from __future__ import annotations

from sqlalchemy import inspect, text

from app.db import db

NEEDED = "0001_core"


def is_current() -> bool:
    """Whether the database has every migration of the code."""
    if not inspect(db.session.connection()).has_table("alembic_version"):
        return False
    return set(db.session.scalars(text("SELECT version_num FROM alembic_version"))) == {NEEDED}
