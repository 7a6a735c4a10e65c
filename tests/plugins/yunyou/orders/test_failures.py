"""Pods that do not come up end an order within seconds, with the reason; a correction of the plan goes on from
there.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from app.db import db
from app.kube import paths
from app.kube.models import Cluster
from tests import factories
from tests.plugins.yunyou.delivery import IMAGE, Delivery, app, codes, document, eventually, node, point, told


def fails(site: Delivery, order: dict[str, Any], code: str, seconds: float = 15) -> dict[str, Any]:
    """The order fails with *code*, in time, in words."""
    began = time.monotonic()
    found = site.run(order, "failed", seconds=seconds)
    assert time.monotonic() - began < seconds
    assert code in codes(found), told(found)
    error = next(n["error"] for n in found["nodes"] if n.get("error"))
    assert error["code"] == code
    assert all(error[part][language] for part in ("reason", "remedy") for language in ("en", "zh"))
    return found


@pytest.mark.req("Y-30", "Y-31", "Y-32")
@pytest.mark.parametrize("plan", ["applications", "images"])
@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet"])
def test_an_image_that_is_missing_is_corrected_and_retried(sandboxed: Delivery, plan: str, workload: str) -> None:
    site = sandboxed
    solution = site.ready(document(app("web", "missing", replicas=3, workload=workload)))
    order = site.order(solution=solution["id"])
    failed = fails(site, order, "YUNYOU/IMAGE_PULL_FAILED", seconds=8)
    error = node(failed, "application", "web")["error"]
    assert IMAGE.format("web", "missing") in error["reason"]["en"]
    assert error["extra"]["events"]
    right = IMAGE.format("web", "1.0.0")
    body = {"SHOP/web": {"image": right}} if plan == "applications" else {"SHOP/web": right}
    site.ask("PATCH", f"/solutions/{solution['id']}/plan/{plan}", body)
    site.tell(order, "retry")
    site.succeed(order)
    eventually(lambda: site.images("web") == [right] * 3)
    assert site.tasks(solution) == []


@pytest.mark.req("Y-32")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"parameters": [{"key": "FAULT", "value": "crash-loop"}]}, "YUNYOU/CRASH_LOOP"),
        ({"parameters": [{"key": "FAULT", "value": "oom"}]}, "YUNYOU/OUT_OF_MEMORY"),
        ({"resources": {"cpu": "9000", "memory": "1Gi"}}, "YUNYOU/UNSCHEDULABLE"),
    ],
)
def test_what_keeps_pods_from_starting_is_named(sandboxed: Delivery, fields: dict[str, Any], code: str) -> None:
    site = sandboxed
    solution = site.ready(document(app("web", replicas=2, **fields)))
    failed = fails(site, site.order(solution=solution["id"]), code)
    assert node(failed, "application", "web")["error"]["extra"]["pod"].startswith("web-")
    assert node(failed, "product", "Shop")["state"] == "failed"


@pytest.mark.req("Y-32")
@pytest.mark.real
@pytest.mark.xdist_group("yunyou-real")
def test_a_quota_that_is_used_up_is_named(real: Delivery) -> None:
    site = real
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"pods": "1"}},
    }
    site.kube.create(f"/api/v1/namespaces/{site.namespace}/resourcequotas", quota)
    time.sleep(0.5)
    solution = site.ready(document(app("web", replicas=3)))
    fails(site, site.order(solution=solution["id"], grouping={"strategy": "one"}), "YUNYOU/QUOTA_EXCEEDED")
    once = site.ready(document(app("once", workload="Job", role="task"), code="TASKS"))
    fails(site, site.order(solution=once["id"]), "YUNYOU/QUOTA_EXCEEDED")


@pytest.mark.req("Y-7", "Y-32")
@pytest.mark.real
@pytest.mark.xdist_group("yunyou-real")
def test_a_volume_that_cannot_grow_says_what_to_do(real: Delivery) -> None:
    site, name = real, real.namespace
    kinds = {"StorageClass": "storage.k8s.io/v1", "PersistentVolume": "v1"}
    specs: dict[str, dict[str, Any]] = {
        "StorageClass": {"provisioner": "kubernetes.io/no-provisioner"},
        "PersistentVolume": {
            "spec": {
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": name,
                "hostPath": {"path": "/x"},
            }
        },
    }
    for kind, rest in specs.items():
        site.kube.create(
            paths.collection(kind), {"apiVersion": kinds[kind], "kind": kind, "metadata": {"name": name}, **rest}
        )

    def version(number: str, size: str) -> dict[str, Any]:
        storage = [{"name": "data", "mountPath": "/data", "size": size, "storageClass": name}]
        return document(app("web", number, workload="StatefulSet", storage=storage), version=number)

    site.release(version("1.0.0", "1Gi"))
    order = site.order(solution=site.ready(version("2.0.0", "2Gi"))["id"])
    failed = fails(site, order, "YUNYOU/VOLUME_CANNOT_GROW")
    assert "allowVolumeExpansion" in failed["error"]["remedy"]["en"]
    site.kube.patch(paths.one("StorageClass", "", name), {"allowVolumeExpansion": True})
    eventually(lambda: site.tell(order, "retry") and site.run(order)["state"] == "succeeded")


@pytest.mark.req("Y-30", "Y-36")
def test_a_retry_while_the_cluster_is_away_says_so_and_can_be_repeated(sandboxed: Delivery) -> None:
    site = sandboxed
    solution = site.ready(document(app("web", "missing", replicas=2)))
    order = site.order(solution=solution["id"])
    fails(site, order, "YUNYOU/IMAGE_PULL_FAILED")
    site.ask(
        "PATCH", f"/solutions/{solution['id']}/plan/applications", {"SHOP/web": {"image": IMAGE.format("web", "1.0.0")}}
    )
    cluster = db.session.get(Cluster, site.environment["cluster"])
    assert cluster is not None
    right = cluster.kubeconfig
    point(cluster, right, "https://127.0.0.1:9")
    site.tell(order, "retry")
    site.tick(order)
    assert codes(site.show(order)) == {"KUBE/CLUSTER_UNREACHABLE"}
    point(cluster, right)
    site.tell(order, "retry")
    site.succeed(order)
    eventually(lambda: site.images("web") == [IMAGE.format("web", "1.0.0")] * 2)


@pytest.mark.req("Y-32")
@pytest.mark.parametrize("workload", ["Deployment", "StatefulSet", "DaemonSet"])
def test_the_mirror_tells_what_goes_wrong_as_well(mirrored_sandbox: Delivery, workload: str) -> None:
    site = mirrored_sandbox
    solution = site.ready(document(app("web", "missing", replicas=2, workload=workload)))
    order = site.order(solution=solution["id"])
    failed = fails(site, order, "YUNYOU/IMAGE_PULL_FAILED")
    assert node(failed, "application", "web")["error"]["extra"]["pod"].startswith("web-")
    site.ask("PATCH", f"/solutions/{solution['id']}/plan/images", {"SHOP/web": IMAGE.format("web", "1.0.0")})
    site.tell(order, "retry")
    site.succeed(order)


@pytest.mark.req("Y-30", "Y-32")
def test_the_mirror_tells_of_a_failed_task_as_well(mirrored_sandbox: Delivery) -> None:
    site = mirrored_sandbox
    task = app(
        "migrate",
        role="task",
        workload="Job",
        command=["sh", "-c", "echo no such table; exit 3"],
        task={"runOn": "every-release"},
    )
    solution = site.ready(document(task))
    failed = fails(site, site.order(solution=solution["id"]), "YUNYOU/TASK_FAILED")
    assert any("no such table" in line for line in node(failed, "application", "migrate")["error"]["extra"]["log"])


@pytest.mark.req("Y-31")
def test_a_failed_application_is_skipped_and_the_rest_goes_on(sandboxed: Delivery) -> None:
    site = sandboxed
    solution = site.ready(document(app("bad", "missing"), app("good")))
    order = site.order(solution=solution["id"])
    failed = fails(site, order, "YUNYOU/IMAGE_PULL_FAILED")
    broken = next(n for n in failed["nodes"] if n["kind"] == "step" and n["state"] == "failed")
    site.tell(order, "skip", {"reason": "not needed"}, node=broken["id"])
    done = site.succeed(order)
    assert done["skipped"] == 1
    assert site.images("good") == [IMAGE.format("good", "1.0.0")]


@pytest.mark.req("Y-33")
def test_a_pod_of_an_order_shows_its_state_and_log(sandboxed: Delivery, as_member: Any) -> None:
    site = sandboxed
    solution = site.ready(document(app("web", parameters=[{"key": "MODE", "value": "blue"}])))
    order = site.succeed(site.order(solution=solution["id"]))
    person = factories.make_member(site.tenant)
    factories.make_grant(site.tenant, person, "yunyou-environment-administrator")
    browser = as_member(person, site.tenant)
    pod = f"/yunyou/orders/{order['id']}/pods/{site.pods('web')[0]['metadata']['name']}"

    page = browser.get(pod).text
    assert all(words in page for words in ("ContainersReady", "PodScheduled", "MODE", "blue", f"{pod}/log/stream"))
    stream = browser.get(f"{pod}/log/stream", buffered=False)
    assert stream.mimetype == "text/event-stream"
    assert "data: " in "".join(itertools.islice((piece.decode() for piece in stream.response), 3))
    stream.close()
    file = browser.get(f"{pod}/log/download")
    assert "attachment" in file.headers["Content-Disposition"]
    assert file.data
    before = browser.get(f"{pod}/log?previous=1").text
    assert "KUBE/LOG_NOT_THERE" in before
    assert "/log/stream" not in before, "what ended is not followed"
    assert browser.get(f"{pod}/log?tail=many").status_code == 422
    assert browser.get(f"/yunyou/orders/{order['id']}/pods/%2E%2E").status_code == 404, "the address above is no pod"
