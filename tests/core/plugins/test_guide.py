"""The plugin of docs/adding-a-plugin.md, made file by file and command by command, is a whole one (C-3)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COPIED = ("app", "docs", "migrations", "plugins", "sandbox", "templates", "tests", "pyproject.toml")
FILE = re.compile(r"^`([\w/.]+)`\n```\w+\n(.*?)```$", re.M | re.S)
COMMANDS = re.compile(r"^```sh\n(.*?)```$", re.M | re.S)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this repository with what the guide says done to it."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    guide = (ROOT / "docs" / "adding-a-plugin.md").read_text("utf-8")
    for path, text in FILE.findall(guide):
        made = tmp_path / path
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(text, "utf-8")
    commands = "\n".join(COMMANDS.findall(guide)).replace("/tmp/notices.db", str(tmp_path / "notices.db"))
    run(tmp_path, "bash", "-ec", f'antstack() {{ "{sys.executable}" -m app.cli "$@"; }}\n{commands}')
    return tmp_path


def run(where: Path, *command: str) -> str:
    """What a command says that is run in the copy, which must end well."""
    environment = {**os.environ, "PYTHONPATH": str(where), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.req("C-3")
def test_it_holds_what_the_tests_of_the_guide_and_of_the_architecture_ask(checkout: Path) -> None:
    walks = (
        "test_every_route_says_who_may_call_it.py",
        "test_tenants_are_apart.py",
        "test_migrations_make_the_models.py",
        "test_two_people_at_once.py",
        "test_lists_cost_the_same.py",
        "test_the_api_describes_itself.py",
    )
    asked = [f"tests/architecture/{name}" for name in walks]

    said = run(
        checkout,
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n0",
        "tests/plugins/notices",
        *asked,
        "-k",
        "not postgresql and not mariadb",
    )
    run(checkout, sys.executable, "-m", "ruff", "check", "plugins/notices", "tests/plugins/notices")

    assert "passed" in said
