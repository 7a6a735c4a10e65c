"""``deploy/nginx/antstack.conf``, tried with a real nginx: the slow stay in it, streams and terminals pass (Q-20,
Q-30).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.components import missing
from tests.live import free_port
from tests.serving import ROOT, THREADS, answers, opened, serving

pytestmark = [pytest.mark.req("Q-20", "Q-30"), pytest.mark.real]
WRITTEN = ROOT / "deploy" / "nginx" / "antstack.conf"
AROUND = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {folder}/antstack.conf;
}}
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """nginx with the configuration as it is written, but for its port and certificate, before a site of few threads."""
    program = (
        shutil.which("nginx")
        or shutil.which("nginx", path="/usr/sbin")
        or missing("nginx", "install the package nginx-light")
    )
    folder = tmp_path_factory.mktemp("nginx")
    with serving(ANTSTACK_TRUSTED_PROXIES="1") as behind, fronted(program, folder, behind, free_port()) as made:
        yield made


@contextlib.contextmanager
def fronted(program: str, folder: Path, behind: int, port: int) -> Iterator[int]:
    """The port of an nginx with the configuration as it is written, but for ports and certificate."""
    told = (
        WRITTEN.read_text()
        .replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
        .replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    )
    kept = [line for line in told.splitlines() if not line.strip().startswith("ssl_certificate")]
    (folder / "antstack.conf").write_text("\n".join(kept))
    user = "user root;" if os.geteuid() == 0 else ""  # it could not write into this folder as another
    (folder / "nginx.conf").write_text(user + AROUND.format(folder=folder))
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    try:
        end = time.monotonic() + 20
        while not answers(port, "/healthz"):
            assert time.monotonic() < end, (folder / "error.log").read_text()
            assert process.poll() is None, (folder / "error.log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(20)


def test_the_file_names_the_same_bounds_as_the_console() -> None:
    from app.config import Settings

    assert f"limit_conn antstack_address {Settings().connections_per_address};" in WRITTEN.read_text()


@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HTTP/1.1\r\nX-A: b", b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx"],
    ids=["idle", "half a header", "half a body"],
)
def test_slow_clients_stay_in_the_proxy(port: int, said: bytes) -> None:
    slow = opened(port, said, 200)

    assert answers(port)
    assert answers(port, "/healthz")
    for one in slow:
        one.close()


def test_health_is_told_while_every_thread_hangs() -> None:
    """As on a bare site, with the connections that a proxy keeps."""
    with serving(ANTSTACK_TRUSTED_PROXIES="1") as behind:
        hanging = opened(behind, b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n", THREADS * 2)

        assert answers(behind, "/healthz")
        assert answers(behind, "/readyz")
        for one in hanging:
            one.close()


def test_the_console_is_told_who_asks_and_a_client_cannot_choose_it(port: int) -> None:
    lies = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example"}
    found = requests.get(f"http://127.0.0.1:{port}/asked", headers=lies, timeout=10).json()

    assert found["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
    assert found["HTTP_X_FORWARDED_PROTO"] == "http"
    assert found["HTTP_X_FORWARDED_HOST"] == found["HTTP_HOST"] == f"127.0.0.1:{port}"


def test_terminals_may_switch_protocols(port: int) -> None:
    asked = requests.get(
        f"http://127.0.0.1:{port}/asked", headers={"Connection": "Upgrade", "Upgrade": "websocket"}, timeout=10
    )

    assert asked.json()["HTTP_UPGRADE"] == "websocket"
    assert asked.json()["HTTP_CONNECTION"].lower() == "upgrade"


def test_a_stream_is_not_held_back(port: int) -> None:
    with requests.get(f"http://127.0.0.1:{port}/stream", stream=True, timeout=10) as answer:
        assert next(answer.iter_content(None)) == b"data: first\n\n"


def test_large_solutions_pass(port: int) -> None:
    body = b"x" * 45_000_000

    assert requests.post(f"http://127.0.0.1:{port}/length", data=body, timeout=60).text == "45000000"
    assert requests.post(f"http://127.0.0.1:{port}/length", data=b"x" * 56_000_000, timeout=60).status_code == 413


def test_numbers_are_for_this_machine_alone() -> None:
    told = WRITTEN.read_text()

    assert "deny all;" in told[told.index("location = /metrics") :]
