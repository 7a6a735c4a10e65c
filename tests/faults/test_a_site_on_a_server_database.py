"""A whole site on PostgreSQL or MariaDB with two workers delivers as one on SQLite does (C-6, Q-22)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.databases import SERVERS, Server
from tests.faults.rescue import Pods, Process, Program, eventually
from tests.live import ROOT, LiveSite

pytestmark = [pytest.mark.req("C-6", "Q-22"), pytest.mark.xdist_group("faults")]
IMAGE = "registry.example/pair/app:{}"


def pair(version: str) -> dict[str, Any]:
    """Two products of two StatefulSets."""
    products = [
        {
            "code": code,
            "name": code,
            "version": version,
            "applications": [
                {
                    "name": f"{code.lower()}-{at}",
                    "image": IMAGE.format(version),
                    "workload": "StatefulSet",
                    "replicas": 2,
                    "ports": [{"port": 8080}],
                }
                for at in range(2)
            ],
        }
        for code in ("LEFT", "RIGHT")
    ]
    return {"schema": "antstack.solution/v1", "name": "pair", "version": version, "products": products}


def second_worker(site: LiveSite) -> subprocess.Popen[bytes]:
    """Another worker of the same site."""
    first = Process(site, "worker").pid()
    pairs = (item.partition("=") for item in Path(f"/proc/{first}/environ").read_text().split("\0") if item)
    environment = {name: value for name, _, value in pairs}
    return subprocess.Popen([sys.executable, "-m", "app.cli", "worker"], cwd=ROOT, env=environment)


@pytest.fixture(params=sorted(SERVERS))
def database(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A database server."""
    with SERVERS[request.param]() as running:
        yield running


@pytest.fixture
def site(database: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A site on a database server with two workers."""
    made = LiveSite(tmp_path_factory.mktemp("server") / "site", "--empty", database=database.url)
    helper = second_worker(made)
    try:
        yield made
    finally:
        os.kill(helper.pid, signal.SIGTERM)
        made.end()
        helper.wait(15)


def database_is_away(site: LiveSite, program: Program, order: dict[str, Any]) -> bool:
    """Whether the site answers that its database does not."""
    answer = requests.get(f"{site.url}/api/v1/yunyou/orders/{order['id']}", headers=program.session.headers, timeout=20)
    return (
        answer.status_code == 503
        and answer.json()["code"] == "CORE/DATABASE_UNREACHABLE"
        and bool(answer.json()["remedy"])
    )


@pytest.mark.req("Y-36", "Q-20")
def test_two_workers_release_on_a_database_server_that_crashes_meanwhile(site: LiveSite, database: Server) -> None:
    assert site.site["database"].startswith(("postgresql", "mysql"))
    program, pods = Program(site), Pods(site)
    first = program.release(program.ready(pair("1.0.0")), "one")
    assert program.ended(first, 90)["state"] == "succeeded"

    order = program.release(program.ready(pair("2.0.0")), "two")
    eventually(lambda: any(image == IMAGE.format("2.0.0") for _, image in pods.seen), 30, "the order began")
    database.end(signal.SIGQUIT)
    eventually(lambda: database_is_away(site, program, order), 10, "the site says that its database is away")
    time.sleep(3)
    database.start()

    assert program.ended(order, 90)["state"] == "succeeded"
    pods.over = True
    names = {f"{code}-{at}-{pod}" for code in ("left", "right") for at in range(2) for pod in range(2)}
    found = {name: len(uids) for (name, image), uids in pods.seen.items() if image == IMAGE.format("2.0.0")}
    assert found == dict.fromkeys(names, 1)
    baseline = program.ask("GET", f"/yunyou/baseline?environment={program.environment['id']}")
    assert {p["code"]: p["version"] for p in baseline["products"]} == {"LEFT": "2.0.0", "RIGHT": "2.0.0"}
