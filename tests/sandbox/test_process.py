"""The process: start, restart on the same folder, end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sandbox.launch import start
from tests.contract.api import Api, config_map, wait_for, workload


def api_of(kubeconfig: Path, folder: Path) -> Api:
    """A client of the namespace ``default``."""
    return Api(kubeconfig, "default", "sandbox", folder)


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    with start(tmp_path / "box", speed=20, nodes=2) as first:
        api = api_of(first.kubeconfig, tmp_path)
        wait_for(lambda: api.get("v1/serviceaccounts", "default").status == 200)
        api.made("apps/v1/deployments", workload("Deployment", "web", 2))
        wait_for(lambda: len([p for p in api.pods(app="web") if p["status"].get("phase") == "Running"]) == 2)
        before = {p["metadata"]["uid"] for p in api.pods(app="web")}
        version = int(api.get("v1/pods").body["metadata"]["resourceVersion"])

    with start(tmp_path / "box", speed=20, nodes=2) as second:
        assert second.token == first.token
        api = api_of(second.kubeconfig, tmp_path)
        assert {p["metadata"]["uid"] for p in api.pods(app="web")} == before
        assert int(api.get("v1/pods").body["metadata"]["resourceVersion"]) > version
        gone = next(api.watch("v1/pods", 2, resourceVersion=str(version - 1)))
        assert gone["object"]["code"] == 410
        api.patch("apps/v1/deployments", "web", {"spec": {"replicas": 3}})
        wait_for(lambda: len([p for p in api.pods(app="web") if p["status"].get("phase") == "Running"]) == 3)


def test_a_pod_that_starts_slowly_gets_ready_after_a_restart(tmp_path: Path) -> None:
    slow = workload("Deployment", "slow", 1)
    slow["spec"]["template"]["metadata"]["annotations"] = {"sandbox.antstack.io/fault": "slow-start=3"}

    def is_ready(api: Api) -> bool:
        conditions = [c for pod in api.pods(app="slow") for c in pod["status"].get("conditions", ())]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    with start(tmp_path / "box", nodes=1) as first:
        api = api_of(first.kubeconfig, tmp_path)
        wait_for(lambda: api.get("v1/serviceaccounts", "default").status == 200)
        api.made("apps/v1/deployments", slow)
        wait_for(lambda: [p for p in api.pods(app="slow") if p["status"].get("phase") == "Running"])
        assert not is_ready(api)

    with start(tmp_path / "box", nodes=1) as second:
        wait_for(lambda: is_ready(api_of(second.kubeconfig, tmp_path)), 20)


def test_it_ends_soon_when_asked_even_with_a_watch_open(tmp_path: Path) -> None:
    sandbox = start(tmp_path / "box", nodes=1)
    api = api_of(sandbox.kubeconfig, tmp_path)
    events = api.watch("v1/namespaces".replace("namespaces", "configmaps"), 30)
    wait_for(lambda: next(events, True))
    begin = time.monotonic()

    sandbox.process.send_signal(signal.SIGTERM)
    code = sandbox.process.wait(5)
    sandbox.stop()

    assert code == 0
    assert time.monotonic() - begin < 2


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        f"from sandbox.launch import start; import os; s = start({str(tmp_path / 'box')!r}, nodes=1); "
        "print(s.process.pid, flush=True); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, cwd=Path(__file__).parents[2]
    )
    pid = int(done.stdout.strip())

    def ended() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"

    wait_for(ended, 10)


def test_the_kubeconfig_is_private(tmp_path: Path) -> None:
    with start(tmp_path / "box", nodes=1, kubeconfig=tmp_path / "config") as sandbox:
        assert (tmp_path / "config").stat().st_mode & 0o777 == 0o600
        assert sandbox.kubeconfig == tmp_path / "config"


def test_a_seed_is_planted_at_the_first_start(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {x: y}}\n"
    )
    with start(tmp_path / "box", nodes=1, seed=seed) as sandbox:
        api = Api(sandbox.kubeconfig, "shop", "sandbox", tmp_path)
        assert api.get("v1/configmaps", "a").body["data"] == {"x": "y"}
        api.delete("v1/configmaps", "a")
        api.made("v1/configmaps", config_map("b"))
    with start(tmp_path / "box", nodes=1, seed=seed) as sandbox:
        api = Api(sandbox.kubeconfig, "shop", "sandbox", tmp_path)
        assert api.gone("v1/configmaps", "a")
        assert api.get("v1/configmaps", "b").status == 200
