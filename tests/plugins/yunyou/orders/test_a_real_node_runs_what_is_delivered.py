"""Delivery to a real node with a real registry: containers come up, and what keeps them from it is named in their
node's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.db import now
from app.kube import paths
from plugins.yunyou.orders.rules import diagnosis
from plugins.yunyou.orders.steps import groups
from plugins.yunyou.orders.steps.groups import MIN_READY
from plugins.yunyou.planning import registry as images
from tests.cluster.images import ARCHITECTURE, Registry
from tests.cluster.node import RealNode
from tests.plugins.yunyou.conftest import mirror_of
from tests.plugins.yunyou.delivery import Delivery, app, document, eventually, node
from tests.plugins.yunyou.orders.test_failures import fails

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real-node")]
OTHER = "s390x"
ASKED = {"readiness": {"type": "tcp", "port": 8080, "periodSeconds": 1, "failureThreshold": 1}}
SERVE = ["sh", "-c", "echo listening; exec httpd -f -p 8080 -h /etc"]


@pytest.fixture(scope="session")
def shop(registry: Registry) -> dict[str, str]:
    """Images of two applications in the registry: their digests."""
    digests = {name: registry.push("shop/web", name, says=name) for name in (ARCHITECTURE, OTHER)}
    return {"web": registry.push_index("shop/web", "1.0.0", digests), "db": registry.push("shop/db", "1.0.0")}


@pytest.fixture
def on_node(
    new_delivery: Callable[..., Delivery], real_node: RealNode, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Delivery]:
    """Delivery to the node, whose mirror is at work; what was delivered is deleted at the end."""
    monkeypatch.setattr(groups, "MIN_READY", MIN_READY)
    made = new_delivery("node", real_node.kubeconfig.read_text(), real_node.registry.host)
    with mirror_of(made):
        yield made
    made.kube.delete(paths.one("Namespace", "", made.namespace))


def web(**fields: Any) -> dict[str, Any]:
    """An application that serves on a port, and is asked whether it does."""
    return app(
        "web", **{"image": "shop/web:1.0.0", "command": SERVE, "ports": [{"port": 8080}], "probes": ASKED, **fields}
    )


@pytest.mark.req("Y-3")
def test_images_are_looked_up_in_the_registry(sandboxed: Delivery, registry: Registry, shop: dict[str, str]) -> None:
    site = sandboxed
    site.ask("PATCH", f"/environments/{site.environment['id']}", {"registry": registry.host})
    names = {
        "index": "shop/web:1.0.0",
        "one": "shop/db:1.0.0",
        "by-digest": f"shop/web@{shop['web']}",
        "no-tag": "shop/web:2.0.0",
        "no-repository": "shop/nothing:1.0.0",
        "no-digest": f"shop/web@sha256:{'0' * 64}",
        "away": "127.0.0.1:1/shop/web:1.0.0",
    }
    solution = site.import_(document(*(app(name, image=image) for name, image in names.items())))

    counts = images.check_solution(solution["id"])

    found = {item["image"]: item for item in site.plan(solution, "images")}
    by_name = {name: found[image] for name, image in names.items()}
    assert counts == {"found": 3, "missing": 3, "unreachable": 1}
    assert {by_name[name]["digest"] for name in ("index", "by-digest")} == {shop["web"]}
    assert by_name["index"]["platforms"] == sorted([f"linux/{ARCHITECTURE}", f"linux/{OTHER}"])
    assert (by_name["one"]["digest"], by_name["one"]["platforms"]) == (shop["db"], [f"linux/{ARCHITECTURE}"])
    for name in ("no-tag", "no-repository", "no-digest"):
        assert by_name[name]["error"]["code"] == "YUNYOU/IMAGE_NOT_IN_REGISTRY"
        assert f"{registry.host}/{names[name]}" in by_name[name]["error"]["reason"]["en"]
    assert by_name["away"]["error"]["code"] == "YUNYOU/REGISTRY_UNREACHABLE"
    assert "nothing listens there" in by_name["away"]["error"]["reason"]["en"]


@pytest.mark.req("Y-30", "Y-32")
def test_workloads_become_ready_and_a_task_runs_to_its_end(on_node: Delivery) -> None:
    site = on_node
    migrate = app(
        "migrate",
        image="shop/db:1.0.0",
        role="task",
        workload="Job",
        command=["sh", "-c", "echo migrated"],
        task={"runOn": "every-release"},
    )
    database = app("db", image="shop/db:1.0.0", workload="StatefulSet", replicas=2)
    slow = web(replicas=2, command=["sh", "-c", "sleep 1; exec httpd -f -p 8080 -h /etc"])

    order = site.succeed(site.order(solution=site.ready(document(database, slow, migrate))["id"]))

    assert node(order, "application", "migrate")["state"] == "succeeded"
    job = site.list("Job")[0]
    assert job["status"]["succeeded"] == 1
    pods = [*site.pods("db"), *site.pods("web")]
    assert sorted(pod["metadata"]["name"] for pod in site.pods("db")) == ["db-0", "db-1"]
    assert [pod["status"]["containerStatuses"][0]["ready"] for pod in pods] == [True] * 4
    assert {pod["spec"]["nodeName"] for pod in pods} == {"real-0"}
    assert {pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods} == {0}


@pytest.mark.req("Y-30", "Y-32")
def test_an_image_that_is_not_there_is_named_corrected_and_retried(on_node: Delivery, real_node: RealNode) -> None:
    site = on_node
    solution = site.ready(document(web(image="shop/web:missing")))
    order = site.order(solution=solution["id"])

    failed = fails(site, order, "YUNYOU/IMAGE_PULL_FAILED", seconds=10)

    error = node(failed, "application", "web")["error"]
    whole = f"{real_node.registry.host}/shop/web:missing"
    assert f"failed to resolve image: {whole}: not found" in error["reason"]["en"]
    assert any(line.startswith(f'Failed: Failed to pull image "{whole}"') for line in error["extra"]["events"])
    site.ask("PATCH", f"/solutions/{solution['id']}/plan/images", {"SHOP/web": "shop/web:1.0.0"})
    site.tell(order, "retry")
    site.succeed(order)
    eventually(lambda: site.images("web") == [f"{real_node.registry.host}/shop/web:1.0.0"])


GROWS = ["sh", "-c", "echo filling; x=aaaaaaaa; while true; do x=$x$x; done"]
LIVES = {"liveness": {"type": "tcp", "port": 81, "periodSeconds": 1, "failureThreshold": 1}}


@pytest.mark.req("Y-32")
@pytest.mark.parametrize(
    ("fields", "code", "words", "log"),
    [
        ({"command": ["sh", "-c", "echo no such table; exit 3"]}, "CRASH_LOOP", "exit code 3", ["no such table"]),
        (
            {"command": ["sh", "-c", "sleep 0.3; echo no such table; exit 3"], "probes": {}},
            "CRASH_LOOP",
            "exit code 3",
            ["no such table"],
        ),
        ({"command": GROWS, "resources": {"cpu": "1", "memory": "16Mi"}}, "OUT_OF_MEMORY", "memory", ["filling"]),
        (
            {"probes": {**ASKED, **LIVES}, "command": ["sh", "-c", "echo up; trap exit TERM; sleep 99 & wait"]},
            "PROBE_FAILED",
            "refused",
            ["up"],
        ),
        ({"command": ["/nowhere"]}, "CONTAINER_CREATE_FAILED", "stat /nowhere: no such file or directory", None),
    ],
)
def test_what_keeps_a_container_from_staying_up_is_named(
    on_node: Delivery, fields: dict[str, Any], code: str, words: str, log: list[str] | None
) -> None:
    site = on_node
    order = site.order(solution=site.ready(document(web(**fields)))["id"])

    failed = fails(site, order, f"YUNYOU/{code}", seconds=15)

    error = node(failed, "application", "web")["error"]
    assert words in error["reason"]["en"]
    assert error["extra"]["pod"].startswith("web-")
    assert error["extra"].get("log") == log


@pytest.mark.req("Y-32")
def test_a_readiness_probe_that_fails_is_named_at_once_and_fails_once_the_container_had_its_time(
    on_node: Delivery,
) -> None:
    site = on_node
    order = site.order(solution=site.ready(document(web(command=["sh", "-c", "sleep 99"])))["id"])

    def named() -> Any:
        site.tick(order)
        return next((n for n in site.show(order)["nodes"] if n["error"]), None)

    found = eventually(named, 20)
    assert (found["state"], found["error"]["code"]) == ("running", "YUNYOU/PROBE_FAILED")
    assert found["error"]["extra"]["events"]

    failure = diagnosis.diagnose(
        site.pods("web")[0], site.list("Event"), now=now() + timedelta(seconds=diagnosis.PROBE_GRACE)
    )
    assert failure is not None
    assert (failure.code, failure.may_pass) == ("YUNYOU/PROBE_FAILED", False)
    assert "connection refused" in failure.reason.in_("en")
