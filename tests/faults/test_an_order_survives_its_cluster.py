"""The API server of a real cluster is killed in the middle of an order of every kind of workload (Y-36, Q-20)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests import components
from tests.cluster.build import is_built
from tests.cluster.control_plane import ControlPlane
from tests.cluster.fixtures import HOW
from tests.faults.rescue import Pods, Program, eventually
from tests.live import LiveSite

pytestmark = [pytest.mark.req("Y-36", "Q-20"), pytest.mark.real, pytest.mark.xdist_group("faults")]
AWAY_SECONDS = 6
# Controllers ask a server that was away again later and later; with a node that KWOK plays, so does what ends pods.
REMEDY_SECONDS = 150
NODES, PODS = 2, 4
WORKLOADS = {"hosts": "StatefulSet", "halves": "Deployment", "everywhere": "DaemonSet", "once": "Job"}
Json = dict[str, Any]


def kinds(version: str) -> Json:
    """A product with an application of each kind of workload, a one-off task among them."""
    applications: list[Json] = [
        {"name": name, "image": f"registry.example/kinds/{name}:{version}", "workload": kind, "replicas": PODS}
        for name, kind in WORKLOADS.items()
    ]
    applications[-1] |= {"role": "task", "task": {"when": "after", "runOn": "every-release"}}
    product = {"code": "KINDS", "name": "Kinds", "version": version, "applications": applications}
    return {"schema": "antstack.solution/v1", "name": "kinds", "version": version, "products": [product]}


@pytest.fixture
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of this test's own."""
    if not is_built():
        components.missing("kubernetes", HOW)
    running = ControlPlane(tmp_path_factory.mktemp("plane"))
    try:
        yield running.start(NODES)
    finally:
        running.stop()


def test_a_release_goes_on_once_the_api_server_is_back(
    plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = LiveSite(tmp_path_factory.mktemp("away") / "site", "--empty", "--kubeconfig", str(plane.kubeconfig))
    try:
        program, pods = Program(site), Pods(site)
        first = program.release(program.ready(kinds("1.0.0")), "one")
        assert program.ended(first, 60)["state"] == "succeeded"

        order = program.release(program.ready(kinds("2.0.0")), "two", hosts={"strategy": "per-host"})
        eventually(lambda: any(image.endswith(":2.0.0") for _, image in pods.seen), 30, "the order began")
        plane.stop_process("kube-apiserver")
        time.sleep(AWAY_SECONDS)
        assert program.show(order)["state"] == "running"
        plane.start_api_server()

        done = program.ended(order, REMEDY_SECONDS)
    finally:
        site.end()
    assert done["state"] == "succeeded"
    pods.over = True
    # Names and not UIDs: KWOK deletes by name, twice now and then, and so the pod that a StatefulSet made anew
    # meanwhile.
    made = Counter(image.partition("/kinds/")[2] for _, image in pods.seen)
    counts = {"hosts": PODS, "halves": PODS, "everywhere": NODES, "once": 1}
    assert made == {f"{name}:{version}.0.0": counts[name] for name in WORKLOADS for version in (1, 2)}
