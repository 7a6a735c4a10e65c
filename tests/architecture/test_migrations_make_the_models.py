"""One history of migrations; what it makes is what the models say, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app import create_app
from app.config import load_settings
from app.db import db
from app.processes import database
from tests import components
from tests.cluster.control_plane import free_port


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A real PostgreSQL on a loopback port: the URL of an empty database."""
    found = [
        path for path in (shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))) if path
    ]
    if not found:
        components.missing("postgresql", "install the package postgresql")
    binaries = Path(os.path.realpath(found[-1])).parent
    folder = Path(tempfile.mkdtemp(prefix="antstack-pg-"))
    as_other = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(folder, "nobody")
    port = free_port()
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run([*as_other, str(binaries / "initdb"), "-D", f"{folder}/data", "-U", "antstack", "-A", "trust", "--no-sync"], check=True,
                   capture_output=True, env=environment)  # fmt: skip
    command = [
        *as_other,
        str(binaries / "postgres"),
        "-D",
        f"{folder}/data",
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "-k",
        str(folder),
        "-F",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        _wait_for(port)
        yield f"postgresql+psycopg://antstack@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    import psycopg

    limit = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=antstack dbname=postgres").close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    return f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.mark.req("C-71", "C-6")
def test_migrations_go_up_match_the_models_and_come_down(url: str) -> None:
    app = create_app(load_settings({"ANTSTACK_DEMO": "1", "DATABASE_URL": url}))
    with app.app_context():
        metadata = database.all_metadata()
        database.upgrade()
        assert database.is_current()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": False})
            differences = compare_metadata(context, metadata)
        assert [d for d in differences if d[0] != "remove_table"] == []

        database.downgrade("base")
        with db.engine.connect() as connection:
            assert not set(db.inspect(connection).get_table_names()) - {"alembic_version"}
        db.engine.dispose()


def test_there_is_one_head() -> None:
    assert len(database.heads()) == 1
