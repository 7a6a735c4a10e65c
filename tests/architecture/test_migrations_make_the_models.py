"""One history of migrations; what it makes is what the models say, on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app import schema
from app.application import create_app
from app.audit import search
from app.config import load_settings
from app.db import db
from app.processes import database
from tests.databases import empty


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    with empty(request.param, tmp_path) as address:
        yield address


@pytest.mark.req("C-71", "C-6")
def test_migrations_go_up_match_the_models_and_come_down(url: str) -> None:
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": url}))
    with app.app_context():
        metadata = database.all_metadata()
        database.upgrade()
        assert schema.is_current()
        with db.engine.connect() as connection:
            types = connection.dialect.name != "mysql"  # which has kinds of text that SQLAlchemy does not tell apart
            context = MigrationContext.configure(connection, opts={"compare_type": types, **database.compared()})
            differences = compare_metadata(context, metadata)
        assert search.is_installed()  # the one index that each kind of database makes its own way
        assert differences == []

        database.downgrade("base")
        with db.engine.connect() as connection:
            assert not set(db.inspect(connection).get_table_names()) - {"alembic_version"}
        db.engine.dispose()


def test_the_code_needs_the_newest_migration() -> None:
    assert database.heads() == schema.CORE.heads
