"""``antstack doctor`` and the command line (C-4)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer

from app import leases, schema
from app.cli import main
from app.jobs.queue import connection
from app.processes import doctor
from app.site import CATALOGUE
from tests.live import free_port

ROOT = Path(__file__).parents[3]
COMMANDS = (
    "run",
    "web",
    "worker",
    "scheduler",
    "mirror",
    "db",
    "init",
    "demo",
    "doctor",
    "audit",
    "permissions",
    "dns",
)


@pytest.mark.req("C-4")
def test_what_works_is_ok_and_what_fails_says_what_to_do(
    app_context: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor.examine(app_context)
    well = capsys.readouterr().out
    with app_context.app_context():
        monkeypatch.setitem(app_context.extensions, "antstack.redis", Redis(port=1, socket_connect_timeout=0.2))

    assert doctor.examine(app_context) == 1
    ill = capsys.readouterr().out

    assert "ok   database" in well
    assert "ok   redis" in well
    assert "ok   keys" in well
    assert "FAIL redis" in ill
    assert "REDIS_URL" in ill


@pytest.mark.req("C-4")
def test_a_process_that_does_not_run_is_named_until_it_does(
    app_context: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "is_current", lambda: True)  # the tests make tables without migrations
    doctor.examine(app_context)
    without = capsys.readouterr().out

    with app_context.test_request_context():
        leases.take("scheduler", 30)
    worker = Worker(["default"], connection=connection(), serializer=JSONSerializer)
    worker.register_birth()
    doctor.examine(app_context)
    with_them = capsys.readouterr().out
    worker.register_death()

    for process in ("worker", "scheduler"):
        assert f"FAIL {process}: none runs; start antstack {process}" in without
        assert f"ok   {process}" in with_them


@pytest.mark.req("C-4")
def test_every_command_has_help_with_an_example(site: Flask) -> None:
    found = {**main.commands, **{c.click.name: c.click for c in site.extensions[CATALOGUE].commands}}

    assert set(COMMANDS) <= set(found)
    assert [name for name, command in found.items() if "Example: antstack" not in (command.help or "")] == []


@pytest.mark.req("C-70", "C-4")
def test_a_start_without_keys_says_so_in_one_line() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "app.cli", "doctor"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "ignore"},
        timeout=60,
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith("antstack: ANTSTACK_KEYS is not set")
    assert "Traceback" not in ran.stderr


@pytest.mark.req("C-4", "C-5")
def test_a_demo_without_its_identity_provider_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("{}")
    nobody = {
        "OIDC_ISSUER": "http://127.0.0.1:9",
        "OIDC_CLIENT_ID": "x",
        "OIDC_CLIENT_SECRET": "y",
        "ANTSTACK_PLUGINS": "captain",
    }
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "demo",
        "--empty",
        "--port",
        str(free_port()),
        "--dir",
        str(tmp_path / "site"),
    ]
    ran = subprocess.run(
        [*command, "--kubeconfig", str(tmp_path / "kubeconfig")],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "ignore", **nobody},
    )

    assert ran.returncode == 6
    assert "antstack: The identity provider http://127.0.0.1:9 does not answer." in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.req("C-4")
def test_without_settings_a_command_of_a_plugin_names_the_setting_and_the_help_is_there(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert "ANTSTACK_KEYS is not set" in run("init").stderr
    assert "doctor" in run("--help").stdout
