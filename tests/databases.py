"""Real database servers for tests: each on a loopback port and in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import components
from tests.cluster.control_plane import free_port

READY_SECONDS = 60


@contextlib.contextmanager
def running_postgresql() -> Iterator[str]:
    """A real PostgreSQL: the URL of an empty database."""
    known = (shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    found = [path for path in known if path]
    if not found:
        components.missing("postgresql", "install the package postgresql")
    binaries = Path(os.path.realpath(found[-1])).parent
    folder = Path(tempfile.mkdtemp(prefix="antstack-pg-"))
    as_other = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(folder, "nobody")
    port, data = free_port(), f"{folder}/data"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    made = [str(binaries / "initdb"), "-D", data, "-U", "antstack", "-A", "trust", "--no-sync"]
    subprocess.run([*as_other, *made], check=True, capture_output=True, env=environment)
    server = [str(binaries / "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
    with _serving([*as_other, *server], folder, lambda: _postgresql_answers(port), environment):
        yield f"postgresql+psycopg://antstack@127.0.0.1:{port}/postgres"


def _postgresql_answers(port: int) -> None:
    import psycopg

    psycopg.connect(f"host=127.0.0.1 port={port} user=antstack dbname=postgres").close()


@contextlib.contextmanager
def running_mariadb() -> Iterator[str]:
    """A real MariaDB: the URL of an empty database."""
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not server:
        components.missing("mariadb", "install the package mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="antstack-mariadb-"))
    port, data = free_port(), folder / "data"
    user = [f"--user={pwd.getpwuid(os.geteuid()).pw_name}"]
    made = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *user]
    subprocess.run(made, check=True, capture_output=True)
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--pid-file={folder}/pid"]
    command = [server, "--no-defaults", f"--datadir={data}", *options, *user, "--innodb-flush-log-at-trx-commit=0"]
    with _serving(command, folder, lambda: _make_mariadb_database(port)):
        yield f"mysql+pymysql://root@127.0.0.1:{port}/antstack?charset=utf8mb4"


def _make_mariadb_database(port: int) -> None:
    import pymysql

    with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
        connection.cursor().execute("CREATE DATABASE antstack CHARACTER SET utf8mb4")


@contextlib.contextmanager
def _serving(
    command: list[str], folder: Path, answers: Callable[[], None], environment: dict[str, str] | None = None
) -> Iterator[None]:
    """A server that answers, until the block ends; then its folder goes too."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        _wait(answers)
        yield
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(answers: Callable[[], None]) -> None:
    limit = time.monotonic() + READY_SECONDS
    while True:
        try:
            answers()
            return
        except Exception:
            if time.monotonic() > limit:
                raise
            time.sleep(0.1)


SERVERS = {"postgresql": running_postgresql, "mariadb": running_mariadb}
