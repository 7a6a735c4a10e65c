"""A site that things happen to: its processes by name, signals to them, and a program that delivers to it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.live import LiveSite

Json = dict[str, Any]
PLANS = ("parameters", "images", "load-balancers", "databases", "storage", "applications")
WORDS = {
    "redis": "valkey-server",
    "sandbox": "antstack sandbox",
    "web": "antstack web",
    "worker": "antstack worker",
    "scheduler": "antstack scheduler",
    "mirror": "scheduler mirror",
    "dns": "antstack dns",
}
ENDED = ("succeeded", "failed", "cancelled")


def children(pid: int) -> dict[int, str]:
    """The processes that *pid* started, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def family(pid: int) -> set[int]:
    """Every process below *pid*."""
    mine = set(children(pid))
    return mine.union(*(family(child) for child in mine))


def is_alive(pid: int) -> bool:
    """Whether the process runs (and is not a zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(true: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until *true* gives something."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := true():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


class Process:
    """One of the processes of a running demo, as a fault meets it."""

    def __init__(self, site: LiveSite, name: str) -> None:
        self.site, self.name = site, name

    def pid(self) -> int:
        """Its number now; 0 while it does not run."""
        words = WORDS[self.name]
        return next((pid for pid, line in children(self.site.process.pid).items() if words in line), 0)

    @contextlib.contextmanager
    def killed(self) -> Iterator[None]:
        """SIGKILL; at the end the family has started it again."""
        before = eventually(self.pid, 10, f"{self.name} runs")
        os.kill(before, signal.SIGKILL)
        yield
        eventually(lambda: self.pid() not in (0, before), 15, f"{self.name} runs again")

    def kill(self) -> None:
        """SIGKILL, and the family starts it again."""
        with self.killed():
            pass

    def pause(self, seconds: float) -> None:
        """SIGSTOP for so long."""
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(pid, signal.SIGCONT)


class Program:
    """Delivers through ``/api/v1`` with an AccessKey, and tries again where nobody answers."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self.environment: Json = site.site["environments"][0]
        key = site.site["accessKeys"][0]
        self.key = (key["id"], key["secret"])
        self.session = requests.Session()
        grant = self._again(
            lambda: self.session.post(
                f"{site.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=self.key, timeout=20
            )
        )
        self.session.headers["Authorization"] = f"Bearer {grant['access_token']}"

    def _again(self, call: Callable[[], requests.Response]) -> Any:
        limit = time.monotonic() + 40
        while True:
            try:
                answer = call()
                if answer.status_code < 500 or time.monotonic() > limit:
                    break
            except requests.RequestException:
                if time.monotonic() > limit:
                    raise
            time.sleep(0.3)
        assert answer.status_code < 300, (
            f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:1500]}"
        )
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call."""
        return self._again(lambda: self.session.request(method, f"{self.site.url}/api/v1{path}", json=body, timeout=20))

    def ready(self, document: Json) -> Json:
        """Import a solution and confirm its plan."""
        made: Json = self.ask("POST", f"/yunyou/solutions?environment={self.environment['id']}", document)
        path = f"/yunyou/solutions/{made['id']}/plan"
        self.ask("PATCH", f"{path}/parameters", {"resolve": "new"})
        for kind in PLANS:
            body: Json = {"all": True}
            if kind == "images":
                body["accept"] = [item["image"] for item in self.ask("GET", f"{path}/images")["items"]]
            self.ask("POST", f"{path}/{kind}/confirm", body)
        return made

    def release(self, solution: Json, strategy: str, **wishes: Json) -> Json:
        """Order its release, with a grouping of its own for each application ``NAME`` of the first product that is
        named.
        """
        code = solution["products"][0]["code"]
        order: Json = self.ask(
            "POST",
            "/yunyou/orders",
            {
                "type": "release",
                "solution": solution["id"],
                "grouping": {"strategy": strategy},
                "applications": {f"{code}/{name}": {"grouping": wish} for name, wish in wishes.items()},
            },
        )
        return order

    def show(self, order: Json) -> Json:
        """The order as it is now."""
        found: Json = self.ask("GET", f"/yunyou/orders/{order['id']}")
        return found

    def ended(self, order: Json, seconds: float) -> Json:
        """The order once it ended."""

        def look() -> Json | None:
            found = self.show(order)
            assert found["state"] != "failed", json.dumps(found)[:3000]
            return found if found["state"] in ENDED else None

        found: Json = eventually(look, seconds, f"order {order['id']} ends")
        return found

    def goes_on(self, order: Json, seconds: float) -> Json:
        """The order once it ended, which moves again within so many seconds."""
        before = self.progress(order)
        eventually(lambda: before == 1 or self.progress(order) > before, seconds, "the order goes on")
        return self.ended(order, 2 * seconds)

    def progress(self, order: Json) -> float:
        """Which part of the order's leaves is done."""
        nodes = self.show(order)["nodes"]
        parents = {node["parent"] for node in nodes}
        leaves = [node for node in nodes if node["id"] not in parents]
        return sum(node["state"] == "succeeded" for node in leaves) / len(leaves)


class Pods:
    """What the cluster says of a namespace's pods: every pod that ever was, by name and image."""

    def __init__(self, site: LiveSite) -> None:
        kubeconfig = yaml.safe_load(Path(site.site["clusters"][0]["kubeconfig"]).read_text())
        self.server = kubeconfig["clusters"][0]["cluster"]["server"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {kubeconfig['users'][0]['user']['token']}"
        self.session.trust_env = False
        authority = site.folder.parent / "cluster-ca.pem"
        authority.write_bytes(base64.b64decode(kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]))
        self.session.verify = str(authority)
        self.namespace = site.site["environments"][0]["namespace"]
        self.seen: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.over = False
        threading.Thread(target=self._follow, daemon=True).start()

    def get(self, path: str) -> Json:
        """One object or list."""
        found: Json = self.session.get(f"{self.server}{path}", timeout=30).json()
        return found

    def workloads(self) -> list[Json]:
        """The StatefulSets."""
        found: list[Json] = self.get(f"/apis/apps/v1/namespaces/{self.namespace}/statefulsets")["items"]
        return found

    def _take(self, pod: Json) -> None:
        self.seen[pod["metadata"]["name"], pod["spec"]["containers"][0]["image"]].add(pod["metadata"]["uid"])

    def _follow(self) -> None:
        while not self.over:
            with contextlib.suppress(requests.RequestException, ValueError, KeyError):
                path = f"/api/v1/namespaces/{self.namespace}/pods"
                now = self.get(path)
                for pod in now["items"]:
                    self._take(pod)
                version = now["metadata"]["resourceVersion"]
                url = f"{self.server}{path}?watch=1&resourceVersion={version}"
                with self.session.get(url, stream=True, timeout=60) as answer:
                    for line in answer.iter_lines():
                        self._take(json.loads(line)["object"])
            time.sleep(0.2)


def redis_cli(site: LiveSite, command: str) -> None:
    """Tell the embedded Redis something."""
    from redis import Redis
    from redis.exceptions import RedisError

    redis = Redis.from_url(site.site["redis"], socket_timeout=5)

    def told() -> bool:
        with contextlib.suppress(RedisError):
            redis.execute_command(command)  # type: ignore[no-untyped-call]
            return True
        return False

    eventually(told, 15, "Redis answers")


def start_again(site: LiveSite, *arguments: str) -> LiveSite:
    """A demo on the folder of one that ended, at another port."""
    return LiveSite(site.folder, "--empty", *arguments)


def run_second(site: LiveSite) -> subprocess.CompletedProcess[str]:
    """Try to start a demo on a folder in use."""
    import sys

    from tests.live import ROOT, free_port

    command = [
        sys.executable,
        "-m",
        "app.cli",
        "demo",
        "--empty",
        "--port",
        str(free_port()),
        "--dir",
        str(site.folder),
    ]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANTSTACK_", "DATABASE_URL", "REDIS_URL"))}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
