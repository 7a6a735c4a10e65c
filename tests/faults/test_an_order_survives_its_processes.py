"""Every process of a site is killed while it delivers: nothing is lost, and nothing is done twice (C-41, Y-36,
Q-20).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.faults.rescue import Pods, Process, Program, eventually, family, is_alive, redis_cli, run_second, start_again
from tests.live import LiveSite

pytestmark = [pytest.mark.req("C-41", "Y-36", "Q-20"), pytest.mark.xdist_group("faults")]
APPLICATIONS, PODS = 12, 4
REMEDY_SECONDS = 60
IMAGE = "registry.example/fleet/app:{}"
Json = dict[str, Any]


def fleet(version: str, start_seconds: float) -> Json:
    """Three products, each after the one before, of four StatefulSets of four pods."""

    def application(number: int) -> Json:
        return {
            "name": f"app-{number}",
            "image": IMAGE.format(version),
            "workload": "StatefulSet",
            "replicas": PODS,
            "ports": [{"port": 8080}],
            "parameters": [{"key": "FAULT", "value": f"slow-start={start_seconds}"}],
        }

    products = []
    for number in range(3):
        mine = [application(at) for at in range(APPLICATIONS) if at % 3 == number]
        product: Json = {"code": f"P{number}", "name": f"Product {number}", "version": version, "applications": mine}
        if number:
            product["dependencies"] = [{"product": f"P{number - 1}"}]
        products.append(product)
    return {"schema": "antstack.solution/v1", "name": "fleet", "version": version, "products": products}


class World:
    """The site of this module, as it is restarted."""

    def __init__(self, site: LiveSite) -> None:
        self.site, self.program, self.pods = site, Program(site), Pods(site)

    def follow(self, site: LiveSite) -> None:
        """Go on with a site that was started again; its cluster is the same."""
        self.site, self.program = site, Program(site)

    def process(self, name: str) -> Process:
        """One of its processes."""
        return Process(self.site, name)

    def images(self) -> set[str]:
        """The images that its StatefulSets ask for."""
        return {item["spec"]["template"]["spec"]["containers"][0]["image"] for item in self.pods.workloads()}

    def created(self, version: str) -> dict[str, int]:
        """How often each pod of a version was created."""
        return {name: len(uids) for (name, image), uids in self.pods.seen.items() if image == IMAGE.format(version)}

    def verified(self) -> None:
        """The audit chain is whole."""
        with requests.Session() as session:
            self.site.login(session, "platform-administrator")
            answer = session.post(f"{self.site.url}/api/v1/audit/verify", timeout=30)
            assert answer.status_code == 202, answer.text
        eventually(lambda: self.job(answer.json()["id"]) == "succeeded", 60, "the audit is verified")
        ended = self.program.ask("GET", f"/jobs/{answer.json()['id']}")
        assert ended["result"]["holds"], ended

    def job(self, job_id: str) -> str:
        """The state of a job."""
        return str(self.program.ask("GET", f"/jobs/{job_id}")["state"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A site of its own with the fleet's first version on it."""
    made = World(LiveSite(tmp_path_factory.mktemp("faults") / "site", "--empty"))
    try:
        first = made.program.release(made.program.ready(fleet("1.0.0", 0.1)), "one")
        assert made.program.ended(first, 90)["state"] == "succeeded"
        yield made
    finally:
        made.pods.over = True
        made.site.end()


def test_a_release_goes_on_while_every_process_is_killed(world: World) -> None:
    solution = world.program.ready(fleet("2.0.0", 0.2))
    order = world.program.release(solution, "two")
    eventually(lambda: IMAGE.format("2.0.0") in world.images(), 30, "the order began")

    with world.process("worker").killed():
        job = world.program.ask("POST", f"/yunyou/solutions/{solution['id']}/plan/images/check")
        redis_cli(world.site, "FLUSHALL")
    world.process("redis").kill()
    world.process("scheduler").kill()
    world.process("mirror").kill()
    assert world.program.show(order)["state"] == "running"
    world.process("sandbox").pause(5)
    world.process("web").kill()

    assert world.program.goes_on(order, REMEDY_SECONDS)["state"] == "succeeded"
    assert world.created("2.0.0") == {f"app-{at}-{pod}": 1 for at in range(APPLICATIONS) for pod in range(PODS)}
    assert set(world.created("1.0.0").values()) == {1}
    workloads = world.pods.workloads()
    assert len({item["metadata"]["generation"] for item in workloads}) == 1
    assert {item["status"]["readyReplicas"] for item in workloads} == {PODS}
    baseline = world.program.ask("GET", f"/yunyou/baseline?environment={world.program.environment['id']}")
    assert {p["code"]: p["version"] for p in baseline["products"]} == {f"P{number}": "2.0.0" for number in range(3)}
    assert sum(len(p["applications"]) for p in baseline["products"]) == APPLICATIONS
    eventually(lambda: world.job(job["id"]) in ("succeeded", "failed"), REMEDY_SECONDS, "the job that Redis lost ends")
    assert world.job(job["id"]) == "succeeded"
    world.verified()


def test_a_cancelled_order_stays_cancelled_though_its_worker_dies(world: World) -> None:
    order = world.program.release(world.program.ready(fleet("3.0.0", 0.2)), "two")
    eventually(lambda: IMAGE.format("3.0.0") in world.images(), 30, "the order began")
    world.program.ask("POST", f"/yunyou/orders/{order['id']}/cancel", {})
    world.process("worker").kill()

    assert world.program.ended(order, REMEDY_SECONDS)["state"] == "cancelled"
    generations = {item["metadata"]["name"]: item["metadata"]["generation"] for item in world.pods.workloads()}
    time.sleep(3)
    assert world.program.show(order)["state"] == "cancelled"
    assert {item["metadata"]["name"]: item["metadata"]["generation"] for item in world.pods.workloads()} == generations
    assert not world.created("3.0.0") or set(world.created("3.0.0").values()) == {1}
    world.verified()


@pytest.mark.req("C-5")
def test_the_whole_site_ends_at_once_and_goes_on_where_it_was(world: World) -> None:
    order = world.program.release(world.program.ready(fleet("4.0.0", 0.2)), "two")
    eventually(lambda: IMAGE.format("4.0.0") in world.images(), 30, "the order began")

    second = run_second(world.site)
    assert second.returncode != 0
    assert "another demo runs on" in second.stderr
    everyone = family(world.site.process.pid)
    assert len(everyone) >= 7
    assert world.program.show(order)["state"] == "running"

    began = time.monotonic()
    world.site.process.terminate()
    assert world.site.process.wait(15) == 0
    assert time.monotonic() - began < 10
    assert [pid for pid in everyone if is_alive(pid)] == []

    world.follow(start_again(world.site))
    assert world.program.goes_on(order, REMEDY_SECONDS)["state"] == "succeeded"
    workloads = world.pods.workloads()
    assert {item["status"]["readyReplicas"] for item in workloads} == {PODS}
    assert world.images() == {IMAGE.format("4.0.0")}
    assert set(world.created("4.0.0").values()) == {1}
    world.verified()
