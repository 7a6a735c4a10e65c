"""Memory of a whole site: idle, and after mixed use (Q-1). Proportional set sizes, so that what is shared counts
once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.faults.rescue import family
from tests.live import ROOT, LiveSite
from tests.readme import blocks

IDLE_SECONDS = 60
PAGES = (
    "/",
    "/iam/members",
    "/iam/groups",
    "/iam/grants",
    "/iam/roles",
    "/audit",
    "/jobs",
    "/yunyou/solutions",
    "/orders",
    "/yunyou/products",
    "/captain/clusters",
    "/dns/zones",
    "/api/v1/openapi.json",
    "/api/docs",
    "/search?q=a",
)
BOUND_MIB = 300
DELIVERED_EVERY = 120.0  # seconds


def held(site: LiveSite) -> tuple[float, float]:
    """MiB of all processes of the site, and the seconds of processor that they used so far."""
    mib = seconds = 0.0
    for pid in (site.process.pid, *family(site.process.pid)):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        mib += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / 100
    return mib, seconds


def deliver(site: LiveSite) -> None:
    """A solution imported, confirmed and released by the walk of the README."""
    walk = "\n".join(blocks("The same with curl", "sh")).replace("http://127.0.0.1:8080", site.url)
    subprocess.run(
        ["bash", "-ec", walk.replace("demo/site.json", str(site.folder / "site.json"))],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def run(minutes: float) -> None:
    """Print what the demo holds idle, what it uses of a core then, and what it holds after so many minutes of use."""
    with tempfile.TemporaryDirectory() as folder:
        site = LiveSite(Path(folder) / "site")
        try:
            time.sleep(IDLE_SECONDS)
            idle, before = held(site)
            time.sleep(IDLE_SECONDS)
            used = (held(site)[1] - before) / IDLE_SECONDS
            print(f"idle: {idle:.0f} MiB (bound {BOUND_MIB}), {used:.2%} of a core (bound 1 %)")
            session, asked, end = (
                site.login(requests.Session(), "yunyou-environment-administrator"),
                0,
                time.monotonic() + minutes * 60,
            )
            delivered = -DELIVERED_EVERY
            while time.monotonic() < end:
                if time.monotonic() - delivered > DELIVERED_EVERY:
                    delivered = time.monotonic()
                    deliver(site)
                for page in PAGES:
                    session.get(site.url + page, timeout=30)
                    asked += 1
            after, _ = held(site)
            print(
                f"after {minutes:g} min and {asked} requests: {after:.0f} MiB, {after / idle:.2f} of idle (bound 1.2)"
            )
        finally:
            site.end()


if __name__ == "__main__":
    run(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
