"""Q-1 and Q-8: import, start and memory of a web process; weight and server time of ordinary pages with 50 users at
once.

``python -m bench.pages`` starts a demo site on a free port and prints a table.
"""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urljoin

import requests

from bench.memory import held
from tests.live import LiveSite, free_port

PAGES = ("/yunyou/solutions", "/orders", "/yunyou/products", "/captain/clusters", "/audit", "/dns/zones")
MODULE = re.compile(r'^import (?:.* from )?"(\./[\w.-]+)"', re.MULTILINE)
USERS, EACH, THINKS = 50, 6, 2.0


def main() -> None:
    """Measure and print."""
    print(f"{'import of the application':44}{imported('app.application'):8.2f} s   (under 0.6)")
    extensions = imported("flask, flask_sqlalchemy, flask_login, flask_htmx, flask_babel, pluggy")
    print(f"{'of that Flask, SQLAlchemy and extensions':44}{extensions:8.2f} s")
    with tempfile.TemporaryDirectory(prefix="antstack-bench-") as folder:
        site = LiveSite(Path(folder) / "site")
        try:
            print(
                f"{'web, from its start to /readyz':44}{least(lambda: begin_web(environment_of(site))):8.2f} s   "
                f"(under 2)"
            )
            measure(site)
        finally:
            site.end()


def least(action: Callable[[], object]) -> float:
    """Seconds of the fastest of five: what the machine does besides can only add."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


def imported(modules: str) -> float:
    """Seconds that importing takes in a new Python; the fastest of five."""
    source = f"import time; began = time.perf_counter(); import {modules}; print(time.perf_counter() - began)"
    command = [sys.executable, "-W", "ignore", "-c", source]
    return min(float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(5))


def begin_web(environment: Mapping[str, str]) -> None:
    """Start one more web process of the site, wait until it is ready, and end it."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "web", "--port", str(port)], env={**environment})
    try:
        while True:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok:
                    return
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()


def environment_of(site: LiveSite) -> dict[str, str]:
    """The environment of one more process of the site."""
    places = {"DATABASE_URL": site.site["database"], "REDIS_URL": site.site["redis"], "ANTSTACK_URL": site.url}
    return {**os.environ, **places, "ANTSTACK_DEMO": "1", "ANTSTACK_AUDIT_FOLDER": f"{site.folder}/audit"}


def measure(site: LiveSite) -> None:
    """Weights, times and memory of a running site."""
    session = requests.Session()
    site.login(session, "yunyou-environment-administrator")
    first = weight(session, site.url)
    again = transferred(session, site.url + PAGES[0])
    print(f"{'first visit, compressed':44}{first / 1024:8.1f} KB  (under 120)")
    print(f"{'a page after that, compressed':44}{again / 1024:8.1f} KB  (under 20)")
    for page in PAGES:
        session.get(site.url + page)
    alone = [timed(session, site.url + page) for page in PAGES for _ in range(5)]
    together = crowd(site, session)
    print(f"{'one user, median':44}{statistics.median(alone) * 1000:8.1f} ms")
    print(f"{f'{USERS} users at once, 95th percentile':44}{statistics.quantiles(together, n=20)[-1] * 1000:8.1f} ms")
    print(f"{'all processes, proportional set sizes':44}{held(site)[0]:8.0f} MiB (under 300 where idle)")


def weight(session: requests.Session, url: str) -> int:
    """Bytes on the wire of a page with all its assets, and the modules that its scripts import."""
    page = session.get(url + PAGES[0])
    waiting = {part.split('"')[0].split("#")[0] for part in page.text.split('"')[1::2] if part.startswith("/static/")}
    seen: set[str] = set()
    total = transferred(session, url + PAGES[0])
    while waiting:
        path = waiting.pop()
        seen.add(path)
        total += transferred(session, url + path)
        if path.endswith(".js"):
            modules = {urljoin(path, name) for name in MODULE.findall(session.get(url + path).text)}
            waiting |= modules - seen
    return total


def transferred(session: requests.Session, url: str) -> int:
    """Bytes of a body as it is sent, compressed."""
    return len(session.get(url, headers={"Accept-Encoding": "gzip"}, stream=True).raw.read())


def timed(session: requests.Session, url: str) -> float:
    """Seconds of one request."""
    began = time.perf_counter()
    assert session.get(url).status_code == 200, url
    return time.perf_counter() - began


def crowd(site: LiveSite, session: requests.Session) -> list[float]:
    """Seconds of every request of many users at once, each of whom reads a page for two seconds."""
    times: list[float] = []
    cookies = session.cookies

    def user(number: int) -> None:
        mine = requests.Session()
        mine.cookies.update(cookies)
        time.sleep(number * THINKS / USERS)
        for step in range(EACH):
            times.append(timed(mine, site.url + PAGES[(number + step) % len(PAGES)]))
            time.sleep(THINKS)

    threads = [threading.Thread(target=user, args=(number,)) for number in range(USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


if __name__ == "__main__":
    main()
