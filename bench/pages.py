"""Q-1 and Q-8: import, start and memory of a web process; weight and server time of ordinary pages with 50 users at once.

``python -m bench.pages`` starts a demo site on a free port and prints a table.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import requests

from tests.live import LiveSite

PAGES = ("/yunyou/solutions", "/yunyou/orders", "/yunyou/products", "/captain/clusters", "/audit", "/dns/zones")
USERS, EACH, THINKS = 50, 6, 2.0


def main() -> None:
    """Measure and print."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", "import app.application"], check=True)
    whole = time.perf_counter() - began
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    print(f"{'import of the application':44}{whole - (time.perf_counter() - began):8.2f} s   (under 0.6)")
    with tempfile.TemporaryDirectory(prefix="antstack-bench-") as folder:
        site = LiveSite(Path(folder) / "site")
        try:
            measure(site)
        finally:
            site.end()


def measure(site: Any) -> None:
    """Weights, times and memory of a running site."""
    session = requests.Session()
    site.login(session, "yunyou-environment-administrator")
    first = weight(session, site.url)
    again = len(session.get(site.url + PAGES[0], headers={"Accept-Encoding": "gzip"}, stream=True).raw.read())
    print(f"{'first visit, compressed':44}{first / 1024:8.1f} KB  (under 120)")
    print(f"{'a page after that, compressed':44}{again / 1024:8.1f} KB  (under 20)")
    for page in PAGES:
        session.get(site.url + page)
    alone = [timed(session, site.url + page) for page in PAGES for _ in range(5)]
    together = crowd(site, session)
    print(f"{'one user, median':44}{statistics.median(alone) * 1000:8.1f} ms")
    print(f"{f'{USERS} users at once, 95th percentile':44}{statistics.quantiles(together, n=20)[-1] * 1000:8.1f} ms")
    print(f"{'processes, resident memory':44}{json.dumps(memory())}")


def weight(session: requests.Session, url: str) -> int:
    """Bytes on the wire of a page with all its assets."""
    page = session.get(url + PAGES[0], headers={"Accept-Encoding": "gzip"})
    paths = {part.split('"')[0].split("#")[0] for part in page.text.split('"')[1::2] if part.startswith("/static/")}
    raw = session.get(url + PAGES[0], headers={"Accept-Encoding": "gzip"}, stream=True).raw.read()
    return len(raw) + sum(
        len(session.get(url + p, headers={"Accept-Encoding": "gzip"}, stream=True).raw.read()) for p in paths
    )


def timed(session: requests.Session, url: str) -> float:
    """Seconds of one request."""
    began = time.perf_counter()
    assert session.get(url).status_code == 200, url
    return time.perf_counter() - began


def crowd(site: Any, session: requests.Session) -> list[float]:
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


def memory() -> dict[str, str]:
    """Resident memory of the site's processes, MB."""
    found: dict[str, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"app.cli" in words:
                pages = int((entry / "statm").read_text().split()[1])
                name = words[words.index(b"app.cli") + 1].decode()
                found[name] = f"{max(pages * 4096 / 1e6, float(found.get(name, '0').split()[0])):.0f} MB"
        except (OSError, IndexError):
            continue
    return found


if __name__ == "__main__":
    main()
