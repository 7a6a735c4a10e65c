"""A scaling group's applications are delivered once per cell, each with its own size and values (guide 2.8.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, document

pytestmark = pytest.mark.req("Y-20", "Y-30")


def cells(version: str, **sizes: int) -> dict[str, Any]:
    """A product of one application in a cell of each name and size, and one outside of the group."""
    api = app("api", version, replicas=9, ports=[{"port": 8080}], parameters=[{"key": "CELL", "value": "${cell.name}"}])
    group = {
        "name": "g",
        "applications": ["api"],
        "cells": [{"name": n, "replicas": {"api": s}} for n, s in sizes.items()],
    }
    return document(api, app("web", version, dependsOn=["api"]), version=version, scalingGroups=[group])


def running(site: Delivery) -> dict[str, tuple[str, int]]:
    """Image version and replicas of every workload."""
    found = {item["metadata"]["name"]: item["spec"] for item in site.list("Deployment")}
    return {
        name: (spec["template"]["spec"]["containers"][0]["image"].rpartition(":")[2], spec["replicas"])
        for name, spec in found.items()
    }


def test_cells_come_change_and_return(delivery: Delivery) -> None:
    site = delivery
    solution = site.ready(cells("1.0.0", east=2, west=1))
    assert [(t["kind"], t["application"], t["cell"]) for t in site.tasks(solution)] == [
        ("new", "api", "east"),
        ("new", "api", "west"),
        ("new", "web", None),
    ]
    site.succeed(site.order(solution=solution["id"], grouping={"strategy": "two"}))

    assert running(site) == {"api-east": ("1.0.0", 2), "api-west": ("1.0.0", 1), "web": ("1.0.0", 1)}
    pods = {pod["metadata"]["labels"].get("antstack.io/cell"): pod for pod in site.pods("api")}
    env = {cell: pod["spec"]["containers"][0]["env"] for cell, pod in pods.items()}
    assert env == {cell: [{"name": "CELL", "value": cell}] for cell in ("east", "west")}
    assert site.tasks(solution) == [], "what was just sent counts as different or drifted"
    assert site.ask("GET", "/applications/SHOP/api")["desired"] == 3

    second = site.ready(cells("2.0.0", east=3, west=1, north=1))
    done = site.succeed(site.order(solution=second["id"], grouping={"strategy": "two"}))
    assert running(site) == {
        "api-east": ("2.0.0", 3),
        "api-west": ("2.0.0", 1),
        "api-north": ("2.0.0", 1),
        "web": ("2.0.0", 1),
    }
    assert site.images("api") == [IMAGE.format("api", "2.0.0")] * 5
    assert site.tasks(second) == []

    site.succeed(site.tell(done, "rollback", status=202))
    assert running(site) == {"api-east": ("1.0.0", 2), "api-west": ("1.0.0", 1), "web": ("1.0.0", 1)}


def test_the_name_of_a_cell_is_held_like_every_other(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(cells("1.0.0", east=1))

    refused = site.import_(document(app("api-east"), code="OTHER"), 422)

    assert "SHOP" in refused["errors"][0]["message"]
    assert "imported" not in refused["detail"]


def test_a_size_that_cells_decide_is_not_changed_beside_them(sandboxed: Delivery) -> None:
    site = sandboxed
    site.release(cells("1.0.0", east=1))

    refused = site.order(
        409, type="operation", operation="scale", application="SHOP/api", replicas=4, environment=site.environment["id"]
    )

    assert refused["code"] == "YUNYOU/SIZED_BY_ITS_CELLS"
