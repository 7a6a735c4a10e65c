"""Real database servers for tests: each on a loopback port and in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import components
from tests.cluster.control_plane import free_port

READY_SECONDS = 60


@dataclass
class Server:
    """A database server: the ``url`` of an empty database on it, and its process; ``ending`` is the signal that ends
    it.
    """

    url: str
    command: list[str]
    answers: Callable[[], None]
    environment: Mapping[str, str]
    user: str | None = None
    ending: int = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(self.environment),
            user=self.user,
            cwd="/",
        )
        _wait(self.answers)

    def end(self, how: int = 0) -> None:
        """End it; with SIGQUIT at once, as in a crash."""
        if self.process is not None:
            self.process.send_signal(how or self.ending)
            self.process.wait(20)


@contextlib.contextmanager
def running_postgresql() -> Iterator[Server]:
    """A real PostgreSQL."""
    known = (shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    found = [path for path in known if path]
    if not found:
        components.missing("postgresql", "install the package postgresql")
    binaries = Path(os.path.realpath(found[-1])).parent
    folder = Path(tempfile.mkdtemp(prefix="antstack-pg-"))
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL does not run as root
    if user:
        shutil.chown(folder, user)
    port, data = free_port(), f"{folder}/data"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    made = [str(binaries / "initdb"), "-D", data, "-U", "antstack", "-A", "trust", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, env=environment, user=user, cwd="/")
    server = [str(binaries / "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
    url = f"postgresql+psycopg://antstack@127.0.0.1:{port}/postgres"
    # PostgreSQL waits for its clients to leave at SIGTERM, but not at SIGINT.
    with _serving(
        Server(url, server, lambda: _postgresql_answers(port), environment, user, signal.SIGINT), folder
    ) as running:
        yield running


def _postgresql_answers(port: int) -> None:
    import psycopg

    psycopg.connect(f"host=127.0.0.1 port={port} user=antstack dbname=postgres").close()


@contextlib.contextmanager
def running_mariadb() -> Iterator[Server]:
    """A real MariaDB."""
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not server:
        components.missing("mariadb", "install the package mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="antstack-mariadb-"))
    port, data = free_port(), folder / "data"
    user = [f"--user={pwd.getpwuid(os.geteuid()).pw_name}"]
    _install_mariadb(data, user)
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--pid-file={folder}/pid"]
    command = [server, "--no-defaults", f"--datadir={data}", *options, *user, "--innodb-flush-log-at-trx-commit=0"]
    url = f"mysql+pymysql://root@127.0.0.1:{port}/antstack?charset=utf8mb4"
    with _serving(Server(url, command, lambda: _make_mariadb_database(port), os.environ), folder) as running:
        yield running


def _install_mariadb(data: Path, user: list[str]) -> None:
    """Its system tables. The script was once seen to fail half way on a busy machine, and what it leaves
    is of no use: it begins again, once.
    """
    options = ["--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    command = ["mariadb-install-db", *options, f"--tmpdir={data.parent}", *user]
    for last in (False, True):
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode == 0:
            return
        if last:
            raise RuntimeError(f"mariadb-install-db: {made.stdout[-2000:]} {made.stderr[-2000:]}")
        shutil.rmtree(data, ignore_errors=True)


def _make_mariadb_database(port: int) -> None:
    import pymysql

    with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
        connection.cursor().execute("CREATE DATABASE IF NOT EXISTS antstack CHARACTER SET utf8mb4")


@contextlib.contextmanager
def _serving(server: Server, folder: Path) -> Iterator[Server]:
    """A server that answers, until the block ends; then its folder goes too."""
    try:
        server.start()
        yield server
    finally:
        server.end()
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


@contextlib.contextmanager
def empty(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database: ``sqlite``, in the folder, or one of :data:`SERVERS`, for as long as the
    block lasts.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder}/m.db"
        return
    with SERVERS[kind]() as server:
        yield server.url
