"""Q-4: delivering 200 applications with 1,000 pods, beside ``kubectl apply`` of the same manifests plus waiting, in one
run.

``python -m bench.delivery [applications]`` on the real control plane of the tests; prints a table with the ratio.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PODS = 5


def solution(applications: int) -> bytes:
    """A solution of so many StatefulSets of five pods, in ten products without dependencies."""
    products = []
    for number in range(10):
        mine = [
            {
                "name": f"app-{at}",
                "image": f"registry.example/bench/app:{at % 7}",
                "replicas": PODS,
                "ports": [{"port": 8080}],
                "parameters": [{"key": "MODE", "value": "bench"}],
            }
            for at in range(applications)
            if at % 10 == number
        ]
        if mine:
            products.append(
                {"code": f"P{number}", "name": f"Product {number}", "version": "1.0.0", "applications": mine}
            )
    return json.dumps(
        {"schema": "antstack.solution/v1", "name": "bench", "version": "1", "products": products}
    ).encode()


def main(applications: int = 200) -> None:
    """Measure both, one after the other, on one cluster."""
    from tests.cluster.control_plane import ControlPlane

    with tempfile.TemporaryDirectory(prefix="antstack-bench-") as folder:
        plane = ControlPlane(Path(folder) / "cluster").start(nodes=20)
        try:
            ours, cpu, objects = deliver(plane, applications, Path(folder))
            theirs = with_kubectl(plane, objects, applications, Path(folder))
        finally:
            plane.stop()
    print(f"{'':34}{'seconds':>10}")
    print(f"{'antstack, order to succeeded':34}{ours:>10.1f}   (worker CPU {cpu:.1f} s = {cpu / ours:.2f} of a core)")
    print(f"{'kubectl apply and wait':34}{theirs:>10.1f}")
    print(f"{'ratio (at most 1.2)':34}{ours / theirs:>10.2f}   {applications} applications, {applications * PODS} pods")


def deliver(plane: Any, applications: int, folder: Path) -> tuple[float, float, list[Any]]:
    """Seconds from the order to its end, the worker's CPU seconds, and the manifests that were sent."""
    os.environ.update(
        ANTSTACK_DEMO="1",
        ANTSTACK_PLUGINS="yunyou",
        DATABASE_URL=f"sqlite:///{folder}/bench.db",
        ANTSTACK_ALLOW_LOCAL_ADDRESSES="1",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    from app import caller
    from app.application import create_app
    from app.contracts.identity import Principal
    from app.db import db
    from app.kube import clusters
    from app.orders import engine
    from app.orders.models import Order
    from app.processes import database, mirror
    from plugins.yunyou.environments import service as environments
    from plugins.yunyou.environments.shapes import NewEnvironment
    from plugins.yunyou.orders import freezing
    from plugins.yunyou.orders import service as orders
    from plugins.yunyou.orders.requests import Grouping, OrderRequest
    from plugins.yunyou.planning import service as planning
    from plugins.yunyou.planning import solution_import as importing
    from plugins.yunyou.solutions import service as solutions

    app = create_app()
    who = caller.Caller(principal=Principal("system", "bench", "Bench", "bench", "bench"), trace_id="5" * 32)
    with app.test_request_context(), caller.acting_as(who):
        database.all_metadata().create_all(db.engine)
        cluster = clusters.register("bench", plane.kubeconfig.read_text())
        environment = environments.add_environment(NewEnvironment("bench", "bench-ours", cluster=cluster.id))
        db.session.commit()
        threading.Thread(target=mirror.mirror, args=(app,), daemon=True).start()
        made = importing.import_solution(environment, solution(applications))
        for kind in ("parameters", "load-balancers", "databases", "storage", "applications"):
            planning.confirm(made, kind)
        solutions.set_task(made, "images", total=1, left=0, confirmed=True)
        db.session.commit()
        time.sleep(3)
        began = time.monotonic()
        order = orders.create(OrderRequest(type="release", solution=made.id, grouping=Grouping("one")))
        db.session.commit()
        used = resource.getrusage(resource.RUSAGE_THREAD)
        while True:
            engine.tick(order.id)
            state = db.session.get(Order, order.id, populate_existing=True).state  # type: ignore[union-attr]
            if state not in ("queued", "running"):
                break
            time.sleep(0.2)
        took = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_THREAD)
        assert state == "succeeded", state
        objects = [item for plan in freezing.load_all(order.id) for item in plan.objects]
        db.session.remove()
    return took, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, objects


def with_kubectl(plane: Any, objects: list[Any], applications: int, folder: Path) -> float:
    """Seconds of ``kubectl apply`` of the same manifests in another namespace, plus waiting for readiness."""
    kubectl = [str(plane.kubectl), f"--kubeconfig={plane.kubeconfig}", "-n", "bench-theirs"]
    subprocess.run([*kubectl, "create", "namespace", "bench-theirs"], check=True, capture_output=True)
    for item in objects:
        item["metadata"]["namespace"] = "bench-theirs"
    file = folder / "all.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    began = time.monotonic()
    subprocess.run([*kubectl, "apply", "--server-side", "-f", str(file)], check=True, capture_output=True)
    names = [f"statefulset/app-{at}" for at in range(applications)]
    replicas = f"--for=jsonpath={{.status.readyReplicas}}={PODS}"
    subprocess.run([*kubectl, "wait", replicas, "--timeout=300s", *names], check=True, capture_output=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
