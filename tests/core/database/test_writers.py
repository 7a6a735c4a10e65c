"""SQLite is shared by several processes: whoever is to write waits, instead of being refused at once (C-5, C-6)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from app.application import create_app
from app.config import load_settings
from app.db import db
from app.leases import LeaseRow


@pytest.mark.req("C-5")
def test_what_begins_with_a_savepoint_writes_though_another_process_wrote(tmp_path: Path) -> None:
    file = tmp_path / "site.db"
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": f"sqlite:///{file}"}))
    with app.app_context():
        LeaseRow.__table__.create(db.engine)
        insert = "INSERT INTO core_lease (name, owner, until, token) VALUES ('{}', 'a', '2026-01-01', 1)"
        other = sqlite3.connect(file, timeout=0)
        with db.session.begin_nested():
            assert db.session.scalar(text("SELECT count(*) FROM core_lease")) == 0
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute(insert.format("theirs"))
            db.session.execute(text(insert.format("ours")))
        db.session.commit()
        other.execute(insert.format("theirs"))
        other.commit()
        assert db.session.scalar(text("SELECT count(*) FROM core_lease")) == 2
        other.close()
        db.engine.dispose()
