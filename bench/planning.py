"""Cost of importing a solution and of computing its difference, for 10, 100 and 1,000 applications."""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.parameters import entries_of
from plugins.yunyou.documents.solution import Solution
from plugins.yunyou.documents.variables import render_names, setting_of
from plugins.yunyou.manifests.labels import Place
from plugins.yunyou.manifests.objects import render, workload_of
from plugins.yunyou.manifests.pod_template import env_of
from plugins.yunyou.planning.rules.difference import Running, difference
from tests.plugins.yunyou.samples import large

SIZES = (10, 100, 1000)
ROUNDS = 5


def best(work: Callable[[], object]) -> float:
    """The shortest of some rounds, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def manifests(parsed: Solution) -> dict[str, dict[str, object]]:
    """The workload of every application."""
    values = render_names(entries_of(parsed), setting_of(parsed))
    place = Place(namespace="bench", environment="bench")
    return {
        app.name: workload_of(render(product, app, place, env_of(product.code, app, values)))
        for product, app in parsed.applications()
    }


def measure(applications: int) -> dict[str, float]:
    """Every figure for one size."""
    document = large(applications)
    raw = json.dumps(document).encode()
    before = parsing.parse(raw)
    changed = copy.deepcopy(document)
    for product in changed["products"]:
        for app in product["applications"][::4]:
            app["image"] += "-next"
            app["replicas"] += 1
    after = parsing.of(changed)
    live = manifests(before)
    return {
        "import: read, check, type": best(lambda: parsing.parse(raw)),
        "difference, nothing changed": best(lambda: difference(before, Running(before))),
        "difference, a quarter changed": best(lambda: difference(after, Running(before))),
        "difference with the cluster": best(lambda: difference(after, Running(before, live, live))),
        "manifests of all": best(lambda: manifests(before)),
    }


def main() -> None:
    """Print the table."""
    figures = {size: measure(size) for size in SIZES}
    print(f"{'milliseconds, best of ' + str(ROUNDS):34}" + "".join(f"{size:>9,}" for size in SIZES) + "   100→1,000")
    for name in figures[SIZES[0]]:
        row = [figures[size][name] for size in SIZES]
        print(f"{name:34}" + "".join(f"{value:9.1f}" for value in row) + f"{row[2] / row[1]:11.1f}×")


if __name__ == "__main__":
    main()
