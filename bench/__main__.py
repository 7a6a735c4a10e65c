"""``python -m bench``: every measurement, one after the other, each printing its table."""

from __future__ import annotations

import subprocess
import sys

for name in ("planning", "pages", "lists", "delivery", "hostile"):
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-W", "ignore", "-m", f"bench.{name}"], check=False)
