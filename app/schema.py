"""Which migration this code needs. Asked at every readiness probe, so without Alembic, which would cost 10 MiB a process."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import inspect, text

from app.db import db

VERSIONS = Path(__file__).parent.parent / "migrations" / "versions"
REVISION = re.compile(r"^revision\b[^=]*= *['\"]([\w-]+)['\"]", re.M)


def _newest() -> str:
    """The revision of the last file: their names begin with their number, and there is one line of them."""
    found = REVISION.search(max(VERSIONS.glob("[0-9]*.py")).read_text("utf-8"))
    assert found is not None
    return found[1]


NEEDED = _newest()


def is_current() -> bool:
    """Whether the database has every migration of the code."""
    if not inspect(db.session.connection()).has_table("alembic_version"):
        return False
    return set(db.session.scalars(text("SELECT version_num FROM alembic_version"))) == {NEEDED}
