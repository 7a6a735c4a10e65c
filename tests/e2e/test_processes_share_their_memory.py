"""The processes of a site on one machine share what they consist of, and are named (Q-1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.rescue import children, family
from tests.live import LiveSite


def kilobytes(pid: int) -> dict[str, int]:
    """What a process holds: ``Rss`` with all that it shares, ``Pss`` with its part of that."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


@pytest.mark.req("Q-1")
def test_most_of_each_process_is_shared(live_site: LiveSite) -> None:
    every = [kilobytes(pid) for pid in family(live_site.process.pid)]

    held, shown = sum(one["Pss"] for one in every), sum(one["Rss"] for one in every)

    assert len(every) >= 6
    assert held < 0.5 * shown


@pytest.mark.req("C-4")
def test_each_process_says_what_it_is(live_site: LiveSite) -> None:
    titles = " ".join(children(live_site.process.pid).values())

    for name in ("web", "worker-1", "scheduler mirror", "dns", "sandbox"):
        assert f"antstack {name}" in titles
