"""What an attacker costs: memory of a mirror whose cluster inflates its answers, and pages beside 200 slow connections.

``python -m bench.hostile`` serves everything on loopback and prints two tables.
"""

from __future__ import annotations

import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.hostile import hostile, saying
from tests.live import LiveSite, free_port
from tests.serving import opened

INFLATED = 400 * 1024 * 1024
MOST_MIB, MOST_RATIO = 20, 1.5
SLOW, ROUNDS = 200, 60
SLOW_REQUESTS = (b"GET / HTTP/1.1\r\nX-A: b", b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx", b"")
# The mirror's own reading of lists, as it is told the cluster's address; prints how many KiB its peak grew.
READER = """
import resource, sys
from app.application import create_app
from app.errors import ConsoleError
from app.kube import kubeconfig
from app.kube.client import Kube
with create_app().app_context():
    document = kubeconfig.of_token("https://203.0.113.1", "", "t")
    document["clusters"][0]["cluster"]["server"] = sys.argv[1]
    kube = Kube("hostile", document)
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before, said = peak(), ""
    for _ in range(10):
        try:
            kube.get("/api/v1/pods", {"limit": 500}, timeout=30)
        except ConsoleError as error:
            said = error.code
    print(peak() - before, said)
"""


def main() -> None:
    """Measure and print."""
    inflating()
    slow()


def inflating() -> None:
    """Memory that ten lists cost which weigh 400 KB and stand for 400 MiB."""
    bomb = gzip.compress(b" " * INFLATED, 9)
    with hostile(saying("200 OK", bomb, Content_Encoding="gzip", Content_Type="application/json")) as cluster:
        environment = {
            **os.environ,
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_ALLOW_LOCAL_ADDRESSES": "1",
            "DATABASE_URL": "sqlite://",
        }
        command = [sys.executable, "-W", "ignore", "-c", READER, f"http://{cluster.place}"]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    grown = int(said[0]) / 1024
    print(
        f"{len(bomb) / 1024:.0f} KB of gzip from a cluster, ten times{'':9}{grown:8.1f} MiB   (at most {MOST_MIB}; "
        f"told as {said[1]})"
    )


def slow() -> None:
    """Times of a page without and with slow connections: bare, and behind nginx where there is one."""
    with tempfile.TemporaryDirectory(prefix="antstack-bench-") as folder:
        site = LiveSite(Path(folder) / "site", "--empty")
        try:
            compare("bare", site.port)
            if nginx := shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"):
                from tests.core.processes.test_nginx import fronted

                with fronted(nginx, Path(folder), site.port, free_port()) as port:
                    compare("behind nginx", port)
        finally:
            site.end()


def compare(name: str, port: int) -> None:
    """Print the medians of the sign-in page, and their ratio."""
    timed(port)
    without = timed(port)
    held = [one for at in range(SLOW) for one in opened(port, SLOW_REQUESTS[at % len(SLOW_REQUESTS)])]
    beside = timed(port)
    for one in held:
        one.close()
    print(
        f"{name:14} page without {without * 1000:7.1f} ms, beside {SLOW} slow connections {beside * 1000:7.1f} ms"
        f"   ratio {beside / without:.2f} (at most {MOST_RATIO})"
    )


def timed(port: int) -> float:
    """The median of some requests, each on a connection of its own."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        requests.get(f"http://127.0.0.1:{port}/signed-out", timeout=30)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
