"""What a newer solution does not have any more leaves the cluster: objects, cells, applications, another kind of
workload.
"""

from __future__ import annotations

from typing import Any

import pytest

from app.kube import paths
from tests.plugins.yunyou.delivery import Delivery, app, document, eventually

BALANCER = {"name": "web-lb", "application": "web", "listeners": [{"port": 80, "targetPort": 8080}]}


def first() -> dict[str, Any]:
    """A product with something of everything that can go."""
    secret = {"key": "PW", "type": "secret", "value": "x"}
    return document(
        app("web", ports=[{"port": 8080}], parameters=[secret]),
        app("kind", workload="StatefulSet", replicas=2, ports=[{"port": 1}]),
        app("once", ports=[{"port": 2}]),
        app("gone", ports=[{"port": 3}], parameters=[secret], dependsOn=["web"]),
        app("last", dependsOn=["gone"]),
        loadBalancers=[BALANCER, {**BALANCER, "name": "gone-lb", "application": "gone"}],
    )


def second() -> dict[str, Any]:
    """The next version, without them."""
    return document(
        app("web", parameters=[{"key": "PW", "value": "x"}]),
        app("kind", workload="DaemonSet", ports=[{"port": 1}]),
        app("once", role="task", workload="Job"),
        app("last"),
        version="2.0.0",
    )


def are_there(site: Delivery, wanted: set[str]) -> None:
    """These objects, and no others but Jobs that ran, are in the namespace."""
    eventually(lambda: {key for key in site.objects() if "Job" not in key} == wanted)


@pytest.mark.req("Y-20", "Y-21", "Y-30", "Y-39", "Y-50")
def test_everything_that_a_newer_version_has_no_more_goes_and_returns(delivery: Delivery) -> None:
    site = delivery
    site.release(first())
    before = set(site.objects())
    solution = site.ready(second())
    shown = {
        (o["kind"], o["name"])
        for a in site.preview(solution=solution["id"])["applications"]
        for o in a["objects"]
        if o["action"] == "delete"
    }
    assert shown == {
        ("Service", "web"),
        ("Secret", "web-parameters"),
        ("Service", "web-lb"),
        ("StatefulSet", "kind"),
        ("Service", "kind-headless"),
        ("Deployment", "once"),
        ("Service", "once"),
    }
    done = site.succeed(site.order(solution=solution["id"]))
    assert [(t["kind"], t["application"], t["order"]) for t in site.tasks(solution)] == [
        ("removal", "gone", "operation")
    ]
    removed = site.succeed(site.order(type="operation", solution=solution["id"]))
    assert site.tasks(solution) == []
    are_there(site, {"Deployment/web", "DaemonSet/kind", "Service/kind", "Deployment/last"})
    assert site.ask("GET", f"/resources/load-balancers?environment={site.environment['id']}")["items"] == []
    exported = site.ask("GET", f"/baseline?environment={site.environment['id']}")
    assert site.tasks(site.import_(exported)) == [], "the baseline refers to what is gone"

    site.succeed(site.tell(removed, "rollback", status=202))
    site.succeed(site.tell(done, "rollback", status=202))
    are_there(site, before)


@pytest.mark.req("Y-20", "Y-30")
def test_cells_that_a_newer_version_has_no_more_go_with_its_release(delivery: Delivery) -> None:
    site = delivery

    def version(number: str, *cells: str) -> dict[str, Any]:
        groups = [{"name": "g", "applications": ["api"], "cells": [{"name": name} for name in cells]}] if cells else []
        return document(app("api", number, ports=[{"port": 80}]), version=number, scalingGroups=groups)

    for number, cells in (("1", ()), ("2", ("east", "west")), ("3", ("west",)), ("4", ())):
        solution = site.release(version(number, *cells))
        assert site.tasks(solution) == []
        names = {"api", *(f"api-{cell}" for cell in cells)}
        workloads = {f"Deployment/{name}" for name in names} - ({"Deployment/api"} if cells else set())
        are_there(site, workloads | {f"Service/{name}" for name in names})


@pytest.mark.req("Y-4", "Y-20")
def test_an_address_that_came_during_the_release_is_no_drift(delivery: Delivery) -> None:
    site = delivery
    parameters = [{"key": "AT", "value": "http://${lb.web-lb.address}"}]
    solution = site.ready(document(app("web", ports=[{"port": 8080}], parameters=parameters), loadBalancers=[BALANCER]))
    order = site.order(solution=solution["id"])
    site.tick(order)
    eventually(lambda: site.tick(order) or site.find("Service", "web-lb"))
    if site.kind == "real":  # nobody there gives addresses
        path = paths.one("Service", site.namespace, "web-lb", "status")
        ingress = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}
        site.kube.request("PATCH", path, {}, ingress, content_type="application/merge-patch+json")
    site.succeed(order)
    address = site.read("Service", "web-lb")["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert site.pods("web")[0]["spec"]["containers"][0]["env"] == [{"name": "AT", "value": f"http://{address}"}]
    assert site.tasks(solution) == []


@pytest.mark.req("Y-21")
def test_a_task_with_a_long_name_is_sent_as_previewed(sandboxed: Delivery) -> None:
    site = sandboxed
    solution = site.ready(document(app("migrate" * 9, role="task", workload="Job")))
    site.succeed(site.order(solution=solution["id"], preview=site.preview(solution=solution["id"])["preview"]))
