"""A third-party plugin, installed with pip, adds to the console without touching it; a broken one stops the start (C-2)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "example_plugin"
ROOT = EXAMPLE.parents[1]
PROBE = """
    from dataclasses import replace
    from app import caller, site
    from app.application import create_app
    from app.db import db
    from app.jobs import run
    from app.jobs.models import JobRun
    from app.processes import database
    from plugins.iam import seeding

    app = create_app()
    with app.app_context():
        database.all_metadata().create_all(db.engine)
        import tests.factories as make
        seeding.first("Test")
        tenant = make.make_tenant()
        member = make.make_member(tenant)
        found = app.extensions[site.CATALOGUE]
        make.make_grant(tenant, member, make.make_role(tenant, [found.permissions["greeter.greeting.send"]]))
        token = make.make_token(tenant.id, member)
        headers = {"Authorization": f"Bearer {token}"}
        client = app.test_client()
        answer = client.post("/api/v1/greeter/greetings", json={"name": "Ada"}, headers=headers)
        assert answer.status_code == 202, answer.json
        run.perform(answer.json["id"])
        db.session.expire_all()
        assert db.session.get(JobRun, answer.json["id"]).result == {"said": "good day Ada"}
        assert client.get("/api/v1/search?q=hello", headers=headers).json["items"][0]["title"] == "hello"
        assert "/api/v1/greeter/greetings" in client.get("/api/v1/openapi.json").json["paths"]
        assert [item.endpoint for item in found.nav if item.section == "greeter"] == ["greeter.greeting_list"]
        from app.audit.models import AuditEvent
        assert db.session.query(AuditEvent).filter_by(operation="greeter.greeting.sent", result="success").count() == 1
    print("all there")
"""


@pytest.mark.req("C-2")
def test_it_adds_page_navigation_permission_job_api_and_hook(tmp_path: Path) -> None:
    where = tmp_path / "site-packages"
    source = shutil.copytree(EXAMPLE, tmp_path / "source")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(where), str(source)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True, timeout=180)
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join([str(where), str(ROOT)]), "ANTSTACK_DEMO": "1", "ANTSTACK_PLUGINS": "iam,greeter",
        "ANTSTACK_GREETER_WORD": "good day",
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "REDIS_URL": "redis://127.0.0.1:1/0", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip

    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROBE)], capture_output=True, text=True, env=environment, timeout=120
    )

    assert "all there" in ran.stdout, ran.stderr[-3000:]


@pytest.mark.req("C-2")
def test_a_plugin_that_cannot_be_loaded_stops_the_start_with_its_name_and_cause(tmp_path: Path) -> None:
    package = tmp_path / "broken"
    (package / "broken-1.0.dist-info").mkdir(parents=True)
    (package / "broken-1.0.dist-info" / "METADATA").write_text("Name: broken\nVersion: 1.0\n")
    (package / "broken-1.0.dist-info" / "entry_points.txt").write_text("[antstack.plugins]\nbroken = broken_plugin\n")
    (package / "broken_plugin.py").write_text("raise ValueError('not today')\n")
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)]), "ANTSTACK_DEMO": "1", "ANTSTACK_PLUGINS": "broken",
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
    }  # fmt: skip

    ran = subprocess.run(
        [sys.executable, "-c", "from app.application import create_app; create_app()"],
        capture_output=True,
        text=True,
        env=environment,
    )

    assert ran.returncode != 0
    assert "plugin 'broken' cannot be loaded: ValueError: not today" in ran.stderr
