"""The voting sample from its file to the cluster, and back as a baseline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.yunyou.delivery import Delivery, labels

FILE = Path(__file__).parents[4] / "plugins" / "yunyou" / "samples" / "voting-app.json"
REPLICAS = {"result": 2, "vote": 2}  # so that two groups exist and an order can wait between them
APPLICATIONS = {"redis": "STATE", "db": "STATE", "result": "VOTE", "vote": "VOTE", "worker": "VOTE"}


def voting() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


@pytest.mark.req("Y-1", "Y-3", "Y-20", "Y-21", "Y-30", "Y-50")
def test_from_the_file_to_the_cluster_and_back_as_a_baseline(mirrored: Delivery) -> None:
    site = mirrored
    solution = site.import_(voting())
    assert [p["code"] for p in solution["products"]] == ["STATE", "VOTE"]
    assert solution["applications"] == 5
    assert {kind for kind, task in solution["plan"].items() if task["state"] != "done"} >= {
        "images",
        "load-balancers",
        "applications",
    }
    site.confirm_all(solution)
    assert {(t["kind"], t["product"], t["order"]) for t in site.tasks(solution)} == {
        ("new", "STATE", "release"),
        ("new", "VOTE", "release"),
    }

    seen = site.objects()
    preview = site.preview(solution=solution["id"])
    assert site.objects() == seen, "a preview changed the cluster"
    shown = {(o["kind"], o["name"]): o for a in preview["applications"] for o in a["objects"]}
    services = {("Service", name) for name in (*APPLICATIONS, "result-lb", "vote-lb") if name != "worker"}
    assert set(shown) == {("Deployment", name) for name in APPLICATIONS} | services
    assert any("LoadBalancer" in line["text"] for line in shown["Service", "vote-lb"]["diff"])
    assert {o["action"] for o in shown.values()} == {"create"}
    assert not preview["errors"]
    text = [line["text"].strip() for line in shown["Deployment", "db"]["diff"] if line["kind"] == "add"]
    assert "- name: POSTGRES_USER" in text
    assert any(line.startswith("- image:") or line.startswith("image:") for line in text)
    assert next(p["after"] for p in preview["products"] if p["product"] == "VOTE") == ["STATE"]

    order = site.succeed(site.order(solution=solution["id"], preview=preview["preview"]))
    assert {n["name"] for n in order["nodes"] if n["kind"] == "application"} == set(APPLICATIONS)
    _is_as_promised(site, order)

    assert site.tasks(solution) == []
    again = site.preview(status=409, solution=solution["id"])
    assert again["code"] == "YUNYOU/NOTHING_TO_DO"
    _returns(site)


def _is_as_promised(site: Delivery, order: dict[str, Any]) -> None:
    for name, product in APPLICATIONS.items():
        workload = site.read("Deployment", name)
        for thing in [workload, *site.pods(name)]:
            assert labels(thing)["app.kubernetes.io/name"] == name
            assert labels(thing)["app.kubernetes.io/part-of"] == product
            assert labels(thing)["app.kubernetes.io/version"] == "1.0.0"
            assert labels(thing)["app.kubernetes.io/managed-by"] == "antstack"
            assert labels(thing)["antstack.io/environment"] == site.environment["id"]
        notes = workload["metadata"]["annotations"]
        assert notes["antstack.io/order"] == order["id"]
        assert len(notes["antstack.io/plan"]) >= 16
        wanted = REPLICAS.get(name, 1)
        assert workload["spec"]["replicas"] == wanted
        assert workload["status"]["readyReplicas"] == wanted
        assert [pod["metadata"]["labels"]["antstack.io/online"] for pod in site.pods(name)] == ["true"] * wanted
        applied = {m["manager"] for m in workload["metadata"]["managedFields"] if m["operation"] == "Apply"}
        assert applied == {"antstack"}
        service = site.find("Service", name)
        assert (service is None) == (name == "worker")
        if service:
            assert service["spec"]["type"] == "ClusterIP"
            assert service["spec"]["selector"]["antstack.io/online"] == "true"
            assert service["spec"]["selector"]["app.kubernetes.io/name"] == name
    for name in ("result", "vote"):
        assert site.read("Service", f"{name}-lb")["spec"]["type"] == "LoadBalancer"


def _returns(site: Delivery) -> None:
    baseline = site.ask("GET", f"/baseline?environment={site.environment['id']}")
    assert baseline["schema"] == "antstack.baseline/v1"
    assert {a["name"] for p in baseline["products"] for a in p["applications"]} == set(APPLICATIONS)
    returned = {k: v for k, v in baseline.items() if k not in ("environment", "exportedAt")}
    solution = site.import_({**returned, "schema": "antstack.solution/v1", "name": "returned"})
    found = site.ask("GET", f"/solutions/{solution['id']}/tasks")
    assert found["empty"], found
