"""``antstack doctor`` and the command line (C-4)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from app.cli import main
from app.processes import doctor
from app.site import CATALOGUE

ROOT = Path(__file__).parents[2]
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


@pytest.mark.req("C-4")
def test_without_settings_a_command_of_a_plugin_names_the_setting_and_the_help_is_there(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *words], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )

    assert "ANTSTACK_KEYS is not set" in run("init").stderr
    assert "doctor" in run("--help").stdout
