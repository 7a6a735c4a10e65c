"""*A site of your own* of README.md, block by block as it is printed, on a real PostgreSQL and Redis (C-4, C-6)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine, make_url, text

from app.processes.demo import redis_server
from tests.databases import SERVERS, Server
from tests.live import NEXT, TOKEN, free_port
from tests.readme import ROOT, blocks, section

pytestmark = [pytest.mark.req("C-4", "C-6"), pytest.mark.xdist_group("faults")]
TITLE = "A site of your own"
STATEMENTS = {"postgresql": 0, "mariadb": 1}
FOLDERS = ("/opt/antstack", "/etc/antstack.env", "/srv/antstack-audit")


@dataclass
class Reader:
    """Somebody who types the blocks one after the other into one shell; places are moved into a folder, ports to
    free ones.
    """

    folder: Path
    ports: dict[str, int]
    checkout: Path
    typed: list[str] = field(default_factory=list)

    def as_here(self, block: str) -> str:
        """A block with this machine's folders and ports."""
        for place in FOLDERS:
            block = block.replace(place, f"{self.folder}{place}")
        for port, here in self.ports.items():
            block = block.replace(f":{port}/", f":{here}/").replace(f"--port {port}", f"--port {here}")
        return block.replace("https://console.example.com", f"http://127.0.0.1:{self.ports['8080']}")

    def type(self, block: str) -> str:
        """What a block says, after the exports of those before it.

        :raises AssertionError: a command failed
        """
        said, ended = self.tried(block)
        assert ended == 0, said
        return said

    def tried(self, block: str) -> tuple[str, int]:
        """What a block says, and how it ended."""
        exports = [line for line in "\n".join(self.typed).splitlines() if line.startswith(("export ", "set -a"))]
        self.typed.append(self.as_here(block))
        script = "\n".join(["set -e", *exports, self.typed[-1]])
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=self.checkout,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return ran.stdout + ran.stderr, ran.returncode

    def environment(self) -> dict[str, str]:
        """A shell that knows nothing of the console. What a package index would bring is found where the tests have
        it.
        """
        packages = sysconfig.get_paths()["purelib"]
        index = {"PYTHONPATH": packages, "PIP_NO_BUILD_ISOLATION": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        python = Path(sys.executable).parent
        return {"PATH": f"{python}:{os.environ['PATH']}", "HOME": str(self.folder), "PYTHONWARNINGS": "ignore", **index}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Redis."""
    port = free_port()
    command = [
        redis_server(),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path_factory.mktemp("redis")),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield port
    process.terminate()
    process.wait(15)


@pytest.fixture(params=sorted(SERVERS))
def database(request: pytest.FixtureRequest) -> Iterator[tuple[str, Server]]:
    """A database server in which its administrator made what the README says."""
    with SERVERS[request.param]() as running:
        statements = blocks(TITLE, "sql")[STATEMENTS[request.param]]
        engine = create_engine(running.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as administrator:
            for statement in statements.split(";\n"):
                if statement.strip():
                    administrator.execute(text(statement))
        engine.dispose()
        yield request.param, running


def settings_of(kind: str, block: str) -> str:
    """The block that writes the settings, with the address that the README gives for this kind of database."""
    (other,) = re.findall(r"`(mysql\+pymysql://[^`]+)`", section(TITLE))
    if kind == "postgresql":
        return block
    return re.sub(r"(?m)^DATABASE_URL=.*$", f"DATABASE_URL='{other}'", block)


def test_whoever_types_the_blocks_has_a_site_and_signs_in(
    database: tuple[str, Server], redis: int, tmp_path: Path
) -> None:
    kind, server = database
    port = str(make_url(server.url).port)
    checkout = shutil.copytree(
        ROOT, tmp_path / "checkout", ignore=shutil.ignore_patterns(".*", "tests", "build", "*.egg-info", "__pycache__")
    )
    reader = Reader(tmp_path, {"8080": free_port(), "6379": redis, "5432": int(port), "3306": int(port)}, checkout)
    for place in FOLDERS:
        (tmp_path / place.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
    install, settings, tables, run, doctor = blocks(TITLE, "sh")

    reader.type(install if kind == "postgresql" else install.replace("postgresql", "mysql"))
    reader.type(settings_of(kind, settings))
    password = re.search(r"password (\S+)", reader.type(tables))
    assert password, "the first password is printed"
    without, ended = reader.tried(doctor)
    assert ended == 1
    assert re.findall(r"(?m)^FAIL (\w+): none runs; start antstack \1", without) == ["worker", "scheduler"]

    with running(reader, run):
        assert _in_the_end(reader, doctor).count("FAIL") == 0
        _signs_in(f"http://127.0.0.1:{reader.ports['8080']}", password[1])


@contextlib.contextmanager
def running(reader: Reader, block: str) -> Iterator[None]:
    """The processes that a block starts, in the background as it says."""
    assert block.endswith("&\n")
    exports = [line for line in "\n".join(reader.typed).splitlines() if line.startswith(("export ", "set -a"))]
    command = "\n".join([*exports, "exec " + reader.as_here(block).removesuffix("&\n")])
    with (reader.folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=reader.folder, env=reader.environment(), stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _in_the_end(reader: Reader, doctor: str) -> str:
    limit = time.monotonic() + 60
    while True:
        said, ended = reader.tried(doctor)
        if ended == 0:
            return said
        assert time.monotonic() < limit, said + (reader.folder / "log").read_text()[-3000:]


def _signs_in(url: str, password: str) -> None:
    session = requests.Session()
    page = session.get(f"{url}/login", timeout=30).text
    fields = {
        "login": "admin@example.com",
        "password": password,
        "csrf_token": TOKEN.search(page)[1],
        "next": NEXT.search(page)[1],
    }  # type: ignore[index]
    answer = session.post(f"{url}/iam/login", data=fields, timeout=30)
    assert answer.status_code == 200, answer.text[:2000]
    assert 'name="new"' in answer.text or "new password" in answer.text.lower(), answer.text[:3000]
    assert "<html" in answer.text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "postgresql+psycopg://a@b/c",
            "psycopg, which is not installed; install the console with its extra: pip install '.[postgresql]'",
        ),
        (
            "mysql+pymysql://a@b/c",
            "pymysql, which is not installed; install the console with its extra: pip install '.[mysql]'",
        ),
        ("nothing://a@b/c", "begin it with postgresql+psycopg://"),
    ],
)
def test_a_driver_that_is_not_installed_is_told_in_one_line(tmp_path: Path, address: str, words: str) -> None:
    missing = (
        "import sys; sys.modules.update(psycopg=None, pymysql=None); from app.cli import entry; sys.argv = "
        "['antstack', 'db', 'upgrade']; entry()"
    )
    environment = {
        "DATABASE_URL": address,
        "ANTSTACK_KEYS": f"k1:{'A' * 43}=",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }

    ran = subprocess.run(
        [sys.executable, "-c", missing],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith("antstack: DATABASE_URL")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_database_that_does_not_answer_is_told_in_one_line(tmp_path: Path) -> None:
    nobody = f"postgresql+psycopg://console:change-me@127.0.0.1:{free_port()}/console"
    environment = {
        "DATABASE_URL": nobody,
        "ANTSTACK_KEYS": f"k1:{'A' * 43}=",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }

    ran = subprocess.run(
        [sys.executable, "-m", "app.cli", "db", "upgrade"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith("antstack: DATABASE_URL: the database does not let this console in")
    assert len(ran.stderr.splitlines()) == 1
    assert "change-me" not in ran.stderr


def test_the_unit_of_systemd_is_of_the_places_that_the_readme_names() -> None:
    unit = (ROOT / "deploy" / "systemd" / "antstack.service").read_text()
    run = next(block for block in blocks(TITLE, "sh") if block.startswith("antstack run"))

    assert f"ExecStart=/opt/antstack/bin/{run.removesuffix(' &' + chr(10))}" in unit
    assert "EnvironmentFile=/etc/antstack.env" in unit
