"""Two groups with a person in between, for every kind of workload; one-off tasks as Jobs."""

from __future__ import annotations

from typing import Any

import pytest

from app.kube import paths
from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, codes, document, node

OLD, NEW = IMAGE.format("web", "1.0.0"), IMAGE.format("web", "2.0.0")


def held_back(workload: dict[str, Any]) -> dict[str, Any]:
    """What of a workload may be used to hold its pods back."""
    spec = workload["spec"]
    kept = {
        key: spec.get(key)
        for key in ("replicas", "strategy", "updateStrategy", "paused", "minReadySeconds", "podManagementPolicy")
    }
    return {key: value for key, value in kept.items() if value not in (None, False)}


def confirm(site: Delivery, order: dict[str, Any]) -> None:
    """Confirm the group that waits."""
    waiting = next(n for n in site.show(order)["nodes"] if n["name"] == "confirm" and n["state"] == "waiting")
    site.tell(order, "confirm", {"reason": "looks good"}, node=waiting["id"])


@pytest.mark.req("Y-23", "Y-25", "Y-30", "Y-32")
@pytest.mark.parametrize(("workload", "count"), [("StatefulSet", 5), ("Deployment", 5), ("DaemonSet", 0)])
def test_the_second_group_waits_for_a_person(delivery: Delivery, workload: str, count: int) -> None:
    two_groups(delivery, workload, count)


def two_groups(site: Delivery, workload: str, count: int) -> None:
    """Release and update in two groups with a person in between."""
    file = document(app("web", workload=workload, replicas=count or 1, ports=[{"port": 8080}]))
    solution = site.ready(file)
    order = site.order(solution=solution["id"], beta=True, grouping={"strategy": "two"})
    if workload != "DaemonSet":
        found = site.run(order, "waiting")
        assert len(site.pods("web")) == count // 2
        confirm(site, order)
    found = site.run(order, ("succeeded", "waiting"))
    if found["state"] == "waiting":  # the pods of a new DaemonSet come at once
        confirm(site, order)
        site.succeed(order)
    every = len(site.pods("web"))
    assert every == (count or every) >= 4
    before = held_back(site.read(workload, "web"))

    changed = document(
        app("web", "2.0.0", workload=workload, replicas=count or 1, ports=[{"port": 8080}]), version="2.0.0"
    )
    solution = site.ready(changed)
    order = site.order(solution=solution["id"], beta=True, grouping={"strategy": "two"})
    site.run(order, "waiting")
    images = site.images("web")
    assert images == [OLD] * (every - every // 2) + [NEW] * (every // 2)
    for _ in range(3):
        site.tick(order)
    assert site.images("web") == images, "the second group did not wait"
    confirm(site, order)
    done = site.succeed(order)
    assert site.images("web") == [NEW] * every
    assert held_back(site.read(workload, "web")) == before
    confirmation = next(n for n in done["nodes"] if n["name"] == "confirm")
    assert confirmation["result"]["confirmedBy"]
    assert site.tasks(solution) == []


@pytest.mark.req("Y-23", "Y-32")
@pytest.mark.parametrize("workload", ["StatefulSet", "Deployment"])
def test_an_order_follows_the_mirror_as_well(mirrored: Delivery, workload: str) -> None:
    two_groups(mirrored, workload, 4)


@pytest.mark.req("Y-23", "Y-25")
def test_host_by_host(delivery: Delivery) -> None:
    site = delivery
    site.release(document(app("web", workload="StatefulSet", replicas=8)))
    hosts = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in site.pods("web")}
    solution = site.ready(document(app("web", "2.0.0", workload="StatefulSet", replicas=8), version="2.0.0"))
    order = site.order(solution=solution["id"], grouping={"strategy": "per-host"}, beta=True)
    groups = next(iter(order["plan"]["applications"].values()))["groups"]
    assert [{hosts[name] for name in group["pods"]} for group in groups] == [
        {host} for host in sorted(set(hosts.values()))
    ]
    site.run(order, "waiting")
    new = {pod["metadata"]["name"] for pod in site.pods("web") if pod["spec"]["containers"][0]["image"] == NEW}
    assert new == set(groups[0]["pods"])
    for _ in groups[1:-1]:
        confirm(site, order)
        site.run(order, "waiting")
    confirm(site, order)
    site.succeed(order)
    assert site.images("web") == [NEW] * 8
    assert site.read("StatefulSet", "web")["spec"]["updateStrategy"].get("type", "RollingUpdate") == "RollingUpdate"


@pytest.mark.req("Y-23", "Y-36")
def test_a_node_that_takes_no_pod_any_more_is_not_waited_for(delivery: Delivery) -> None:
    site = delivery
    nodes = [item["metadata"]["name"] for item in site.kube.get(paths.collection("Node"))["items"]][:3]

    def mark(node: str, value: str | None) -> None:
        site.kube.patch(paths.one("Node", "", node), {"metadata": {"labels": {site.namespace: value}}})

    def version(number: str) -> dict[str, Any]:
        here = [{"key": site.namespace, "operator": "In", "values": ["yes"]}]
        return document(app("agent", number, workload="DaemonSet", nodeAffinity=here), version=number)

    for name in nodes:
        mark(name, "yes")
    site.release(version("1.0.0"))
    order = site.order(solution=site.ready(version("2.0.0"))["id"], grouping={"strategy": "per-host"}, beta=True)
    site.run(order, "waiting")
    mark(sorted(nodes)[-1], None)

    confirm(site, order)
    site.run(order, "waiting")
    confirm(site, order)
    site.succeed(order)
    assert site.images("agent") == [IMAGE.format("agent", "2.0.0")] * 2


@pytest.mark.req("Y-24", "Y-25")
def test_custom_groups_of_one_application(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(document(app("web", workload="StatefulSet", replicas=5)))
    solution = site.ready(document(app("web", "2.0.0", workload="StatefulSet", replicas=5), version="2.0.0"))
    wish = {"SHOP/web": {"grouping": {"strategy": "custom", "shares": [20, 30, 50]}}}
    order = site.order(solution=solution["id"], applications=wish)
    site.run(order, "waiting")
    assert site.images("web").count(NEW) == 1, "an edited custom grouping's first group is a beta group"
    confirm(site, order)
    done = site.succeed(order)
    assert [n["name"] for n in done["nodes"] if n["kind"] == "group"] == ["group-1", "group-2", "group-3"]
    assert site.images("web") == [NEW] * 5


@pytest.mark.req("Y-8", "Y-23")
def test_an_order_that_leaves_it_to_the_system_follows_the_application_itself(sandboxed: Delivery) -> None:
    site = sandboxed
    own = {"workload": "StatefulSet", "replicas": 3, "strategy": {"first": "Serial", "upgrade": "one"}}

    solution = site.ready(document(app("web", **own)))
    first = site.preview(solution=solution["id"])
    site.succeed(site.order(solution=solution["id"]))
    solution = site.ready(document(app("web", "2.0.0", **own), version="2.0.0"))
    second = site.preview(solution=solution["id"])
    asked = site.preview(solution=solution["id"], grouping={"strategy": "two"})

    sizes = [[group["size"] for group in found["applications"][0]["groups"]] for found in (first, second, asked)]
    assert sizes == [[1, 1, 1], [3], [1, 2]]


@pytest.mark.req("Y-30", "Y-32")
def test_a_one_off_task_runs_before_and_a_failed_one_shows_its_log(sandboxed: Delivery) -> None:
    site = sandboxed
    broken = ["sh", "-c", "echo no such table; exit 3"]
    task = app("migrate", role="task", workload="Job", command=broken, task={"runOn": "every-release"})
    solution = site.ready(document(task, app("web", replicas=1, dependsOn=["migrate"])))
    order = site.order(solution=solution["id"])
    failed = site.run(order)
    assert failed["state"] == "failed"
    error = node(failed, "application", "migrate")["error"]
    assert error["code"] == "YUNYOU/TASK_FAILED"
    assert "migrate" in error["reason"]["en"]
    assert any("no such table" in line for line in error["extra"]["log"])
    assert error["remedy"]["en"]
    assert site.find("Deployment", "web") is None, "it went on after a failed task"

    site.ask(
        "PATCH",
        f"/solutions/{solution['id']}/plan/applications",
        {"SHOP/migrate": {"command": ["sh", "-c", "echo done"]}},
    )
    site.tell(order, "retry")
    site.succeed(order)
    jobs = site.list("Job")
    assert len(jobs) == 2, "a retried task runs as a new Job"
    assert sum(bool(job["status"].get("succeeded")) for job in jobs) == 1
    assert len(site.pods("web")) == 1
    assert not codes(site.show(order))


@pytest.mark.req("Y-21", "Y-30")
def test_claims_of_a_stateful_set_grow_and_come_though_its_templates_cannot_change(mirrored_sandbox: Delivery) -> None:
    site = mirrored_sandbox

    def version(number: str, **sizes: str) -> dict[str, Any]:
        storage = [
            {"name": name, "mountPath": f"/{name}", "size": size, "storageClass": "immediate"}
            for name, size in sizes.items()
        ]
        return document(app("web", number, workload="StatefulSet", replicas=4, storage=storage), version=number)

    for number, sizes, groups in (
        ("1.0.0", {"a": "1Gi"}, 2),
        ("2.0.0", {"a": "2Gi"}, 2),
        ("3.0.0", {"a": "2Gi", "b": "1Gi"}, 1),
    ):
        solution = site.ready(version(number, **sizes))
        preview = site.preview(solution=solution["id"], grouping={"strategy": "two"})
        assert preview["errors"] == 0
        assert len(preview["applications"][0]["groups"]) == groups
        site.succeed(site.order(solution=solution["id"], preview=preview["preview"], grouping={"strategy": "two"}))
        claims = {c["metadata"]["name"]: c for c in site.list("PersistentVolumeClaim")}
        assert {name: c["spec"]["resources"]["requests"]["storage"] for name, c in claims.items()} == {
            f"{name}-web-{at}": size for name, size in sizes.items() for at in range(4)
        }
        assert {c["metadata"]["labels"]["app.kubernetes.io/version"] for c in claims.values()} == {number}
        assert site.images("web") == [IMAGE.format("web", number)] * 4
        assert site.tasks(solution) == []
