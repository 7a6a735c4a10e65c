"""Q-2: the first page of pods and a search in it, beside ``kubectl get pods -A`` in the same run.

    python -m bench.lists                       the tests' real control plane with 1,000 nodes and 10,000 pods
    python -m bench.lists --sandbox             the sandbox with as many
    python -m bench.lists --kubeconfig FILE     a cluster that has its nodes and pods already

The console reads the cluster into its mirror first (timed too); then its pages are
asked for through Flask's test client, so the figures are the server's time alone.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

NODES, PODS, ROUNDS = 1_000, 10_000, 15
APPLICATIONS = 20


def main() -> int:
    """Measure and print.

    :returns: 0 when both figures are within Q-2's bounds
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--sandbox", action="store_true")
    parser.add_argument("--kubectl", default=shutil.which("kubectl") or "")
    parser.add_argument("--database", default="", help="a database URL (default: SQLite in a temporary folder)")
    parser.add_argument("--pods", type=int, default=PODS)
    found = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="antstack-bench-") as folder:
        if found.kubeconfig:
            return measure(found.kubeconfig, found, Path(folder))
        if found.sandbox:
            from sandbox.launch import start

            with start(Path(folder) / "sandbox", nodes=NODES, speed=100, timeout=120) as running:
                populate(running.url, running.token, running.ca, found.pods)
                return measure(running.kubeconfig, found, Path(folder))
        from tests.cluster.control_plane import ControlPlane

        plane = ControlPlane(Path(folder) / "cluster")
        try:
            plane.start(nodes=NODES)
            populate(plane.url, plane.token, plane.ca, found.pods)
            return measure(plane.kubeconfig, found, Path(folder), str(plane.kubectl))
        finally:
            plane.stop()


def populate(url: str, token: str, ca: Path, pods: int) -> None:
    """Deployments that make so many pods, and the wait until they run."""

    def ask(method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(url + path, method=method, data=json.dumps(body).encode() if body else None)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(ca)), timeout=60) as answer:
            return json.loads(answer.read())

    for number in range(APPLICATIONS):
        name = f"app-{number:02}"
        ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        container = {
            "name": "main",
            "image": f"registry.example/{name}:1.0",
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        }
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        spec = {"replicas": pods // APPLICATIONS, "selector": {"matchLabels": {"app": name}}, "template": template}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
        ask("POST", f"/apis/apps/v1/namespaces/{name}/deployments", body)
    end = time.monotonic() + 600
    while time.monotonic() < end:
        items = ask("GET", "/apis/apps/v1/deployments")["items"]
        ready = sum(item.get("status", {}).get("readyReplicas", 0) for item in items)
        print(f"\r  {ready} pods run", end="", flush=True)
        if ready >= pods // APPLICATIONS * APPLICATIONS:
            break
        time.sleep(1)
    print()


def measure(kubeconfig: Path, wanted: argparse.Namespace, folder: Path, kubectl: str = "") -> int:
    """All figures of one cluster."""
    from app.application import create_app
    from app.config import load_settings
    from app.db import db
    from app.kube import kubeconfig as reading
    from app.kube.models import Cluster
    from plugins.captain import permissions
    from tests import factories, kube
    from tests.people import Person

    settings = load_settings(
        {
            "ANTSTACK_DEMO": "1",
            "ANTSTACK_PLUGINS": "iam,captain",
            "ANTSTACK_ALLOW_LOCAL_ADDRESSES": "1",
            "DATABASE_URL": wanted.database or f"sqlite:///{folder}/bench.db",
        }
    )
    app = create_app(settings)
    with app.app_context():
        db.create_all()
        tenant = factories.make_tenant()
        member = factories.make_member(tenant)
        factories.make_grant(tenant, member, factories.make_role(tenant, permissions.ALL))
        cluster = _registered(Cluster, reading.checked(kubeconfig.read_text()), tenant.id, db)
        person = Person(app, app.response_class).sign_in(*factories.make_session(member, tenant, False))
        before = _memory()
        with kube.mirroring(app, cluster):
            started = time.monotonic()
            pods = _synced(cluster.id)
            synced = time.monotonic() - started
            memory = _memory() - before
            return report(
                person, f"/captain/clusters/{cluster.id}", pods, synced, memory, kubeconfig, kubectl or wanted.kubectl
            )


def _registered(model: Any, document: dict[str, Any], tenant_id: str, db: Any) -> Any:
    import yaml

    from app.db import new_id
    from app.kube.kubeconfig import server_of

    row = model(
        id=new_id(), tenant_id=tenant_id, name="bench", server=server_of(document), kubeconfig=yaml.safe_dump(document)
    )
    db.session.add(row)
    db.session.commit()
    return row


def _synced(cluster_id: str) -> int:
    from app.db import db
    from app.kube import mirrored
    from app.kube.models import MirrorState

    while mirrored.freshness(cluster_id) is None:
        db.session.rollback()
        time.sleep(0.05)
    return db.session.get_one(MirrorState, (cluster_id, "pods")).objects


def report(person: Any, root: str, pods: int, synced: float, memory: float, kubeconfig: Path, kubectl: str) -> int:
    """Ask, compare, print."""
    some = next(iter(person.get(f"{root}/pods?sort=-name").text.split('data-id="')[1:]), "")
    word = "app-07" if some else "pod"
    pages = {
        "first page of pods": (f"{root}/pods?sort=name", {}, 0.1),
        "its rows alone (HTMX)": (f"{root}/pods?sort=name", {"HX-Request": "true"}, 0.1),
        f"search for '{word}'": (f"{root}/pods?q={word}", {}, 0.2),
        "last page, by node": (f"{root}/pods?sort=-node&page={max(1, pods // 50)}", {}, 0.0),
        "nodes": (f"{root}/nodes", {}, 0.0),
        "overview": (root, {}, 0.0),
    }
    whole = timed(lambda: _kubectl(kubectl, kubeconfig), 3) if kubectl else 0.0
    print(f"  {pods} pods; first read of everything {synced:.1f} s; mirror's memory {memory:.0f} MiB\n")
    print(f"  {'':28} {'median':>9} {'of kubectl':>11} {'bound':>7}")
    well = True
    for name, (url, headers, bound) in pages.items():
        seconds = timed(lambda url=url, headers=headers: _ok(person.get(url, headers=headers)), ROUNDS)
        ratio = seconds / whole if whole else 0.0
        well &= not (bound and whole) or ratio <= bound
        print(f"  {name:28} {seconds * 1000:6.1f} ms {f'{ratio:.3f}' if whole else '–':>11} {bound or '':>7}")
    if whole:
        print(f"  {'kubectl get pods -A':28} {whole * 1000:6.0f} ms")
    return 0 if well else 1


def timed(act: Callable[[], Any], rounds: int) -> float:
    """The median time of *act*, after one that warms up."""
    act()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _ok(answer: Any) -> None:
    assert answer.status_code == 200, answer.text[:500]


def _kubectl(kubectl: str, kubeconfig: Path) -> None:
    subprocess.run(
        [kubectl, "--kubeconfig", str(kubeconfig), "get", "pods", "-A"], stdout=subprocess.DEVNULL, check=True
    )


def _memory() -> float:
    """This process's peak memory in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
