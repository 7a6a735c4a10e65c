"""Logs and shells of containers that a real kubelet and containerd run (K-34)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from simple_websocket import Client, ConnectionClosed

from app.kube import paths
from app.kube.client import Kube, kube
from app.kube.models import Cluster
from plugins.captain import permissions
from plugins.captain.pods import terminal
from tests import factories
from tests.cluster.node import RealNode
from tests.kube import eventually, register
from tests.plugins.captain.test_pod_logs import cookie
from tests.plugins.captain.test_pod_shell import typed, until

pytestmark = [pytest.mark.req("K-34"), pytest.mark.real, pytest.mark.xdist_group("real-node")]
LOG = (permissions.POD_READ, permissions.POD_LOG)


class Node:
    """A namespace of the node: the console's cluster and its pods."""

    def __init__(self, node: RealNode, cluster: Cluster) -> None:
        self.host, self.cluster, self.namespace = node.registry.host, cluster, factories.unique("pods")
        self.kube: Kube = kube(cluster)
        self.kube.create(
            paths.collection("Namespace"),
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}},
        )
        eventually(lambda: self.kube.find(paths.one("ServiceAccount", self.namespace, "default")))

    def run(self, name: str, script: str = "", image: str = "app:1", policy: str = "Always") -> None:
        """A pod of one container, with one second to end."""
        container = {"name": "main", "image": f"{self.host}/{image}"} | (
            {"command": ["sh", "-c", script]} if script else {}
        )
        spec = {"restartPolicy": policy, "terminationGracePeriodSeconds": 1, "containers": [container]}
        self.kube.create(
            paths.collection("Pod", self.namespace),
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec},
        )

    def container(self, name: str) -> dict[str, Any]:
        """The status of a pod's container."""
        pod = self.kube.find(paths.one("Pod", self.namespace, name)) or {}
        return dict((pod.get("status", {}).get("containerStatuses") or [{"state": {}, "restartCount": 0}])[0])

    def started(self, name: str, times: int = 1) -> None:
        """Wait until its container runs, for the n-th time."""
        eventually(lambda: "running" in (c := self.container(name))["state"] and c["restartCount"] == times - 1)

    def url(self, name: str) -> str:
        """A pod's page."""
        return f"/captain/clusters/{self.cluster.id}/pods/{self.namespace}/{name}"

    def connect(self, server: str, person: Any, name: str) -> Client:
        """A shell in a pod."""
        headers = {"Cookie": cookie(person), "Origin": "http://127.0.0.1"}
        return Client(f"ws://{server}{self.url(name)}/shell/socket", headers=headers)


@pytest.fixture
def node(app_context: Flask, tenant: Any, real_node: RealNode) -> Iterator[Node]:
    """The real node in the console, with an image that has a shell and one that has none."""
    real_node.registry.push("app", "1")
    real_node.registry.push("bare", "1", entry=["/bin/sleep", "86400"], applets=["sleep"])
    made = Node(real_node, register(real_node, tenant.id, "node"))
    yield made
    made.kube.delete(paths.one("Namespace", "", made.namespace))


def log(api: Any, person: Any, node: Node, name: str, query: str = "") -> Any:
    """The log by the API."""
    return api(person).get(f"/api/v1{node.url(name)}/log?{query}")


def test_a_log_goes_on_through_a_crash_and_keeps_the_run_before(as_holder_of: Any, api: Any, node: Node):
    person = as_holder_of(*LOG)
    node.run("worker", "if [ -e /tmp/x ]; then echo second; else echo first; fi; echo no such table; sleep 1; exit 3")
    node.started("worker", 2)
    eventually(lambda: len(log(api, person, node, "worker").json["lines"]) == 2)

    now = log(api, person, node, "worker", "timestamps=1").json
    before = log(api, person, node, "worker", "previous=1").json

    assert [line.split(" ", 1)[1] for line in now["lines"]] == ["first", "no such table"]
    assert before["lines"] == ["first", "no such table"]
    assert before["ended"]
    last = log(api, person, node, "worker", "tail=1").json
    assert last["lines"] == ["no such table"]
    assert log(api, person, node, "worker", f"after={now['next']}").json["lines"] == []


def test_a_run_that_the_node_has_removed_is_told_in_words(as_holder_of: Any, api: Any, node: Node):
    person = as_holder_of(*LOG)
    node.run("worker", "echo no such table; exit 3")

    def gone() -> bool:
        answer = log(api, person, node, "worker", "previous=1").json
        assert not any("unable to retrieve" in line for line in answer.get("lines", ()))
        return "no longer keeps" in answer.get("detail", "") and answer["code"] == "KUBE/LOG_NOT_THERE"

    eventually(gone, 25)
    assert log(api, person, node, "worker").json["lines"] == ["no such table"]


def test_what_is_written_meanwhile_is_followed_to_the_containers_end(as_holder_of: Any, node: Node, server: str):
    node.run("talker", "for at in 1 2 3; do echo $at; sleep 0.4; done", policy="Never")
    node.started("talker")
    headers = {"Cookie": cookie(as_holder_of(*LOG))}

    with urlopen(Request(f"http://{server}{node.url('talker')}/log/stream", headers=headers), timeout=20) as stream:
        text = stream.read().decode()

    assert [line for line in text.splitlines() if line.startswith("data: ")] == [
        "data: 1",
        "data: 2",
        "data: 3",
        "data: ",
    ]
    assert text.endswith("event: end\ndata: \n\n")


def test_a_container_without_an_image_has_no_log_and_the_reason_is_told(as_holder_of: Any, api: Any, node: Node):
    person = as_holder_of(*LOG)
    node.run("wrong", image="app:missing")

    answer = eventually(lambda: "pull" in (a := log(api, person, node, "wrong")).text and a)

    assert answer.status_code == 409
    assert answer.json["code"] == "KUBE/LOG_NOT_THERE"
    assert 'container "main" in pod "wrong" is waiting to start: image can\'t be pulled' in answer.text.replace(
        "\\", ""
    )


def test_a_shell_runs_what_is_typed_knows_its_size_and_ends_with_its_program(
    as_holder_of: Any, node: Node, server: str, audit_log: Any
):
    node.run("web")
    node.started("web")
    socket = node.connect(server, as_holder_of(permissions.POD_SHELL), "web")
    until(socket, "# ")
    typed(socket, "stty size; hostname\r")
    until(socket, "24 80\r\nweb\r\n")
    socket.send(json.dumps({"type": "resize", "cols": 101, "rows": 33}))
    typed(socket, "stty size\r")
    until(socket, "33 101")
    typed(socket, "echo go; sleep 60\r")
    until(socket, "\r\ngo")
    time.sleep(1)  # the shell starts the next command
    typed(socket, "\x03")
    until(socket, "# ")
    typed(socket, "echo al''ive\r")
    until(socket, "alive")
    typed(socket, "exit 7\r")
    with pytest.raises(ConnectionClosed) as closed:
        until(socket, "never")

    assert closed.value.message in (terminal.ENDED["exited"].in_("en"), terminal.ENDED["exited"].in_("zh"))
    eventually(
        lambda: (
            [r.detail["why"] for r in audit_log(rows=True) if r.operation == "captain.pod.shell_closed"] == ["exited"]
        )
    )


def test_a_container_without_a_shell_says_so(as_holder_of: Any, node: Node, server: str):
    node.run("bare", image="bare:1")
    node.started("bare")

    with pytest.raises(ConnectionClosed) as closed:
        until(node.connect(server, as_holder_of(permissions.POD_SHELL), "bare"), "never")

    assert closed.value.message in (terminal.ENDED["no-shell"].in_("en"), terminal.ENDED["no-shell"].in_("zh"))


def test_a_shell_in_a_container_that_ended_is_refused_in_words(as_holder_of: Any, node: Node, server: str):
    node.run("done", "true", policy="Never")
    eventually(lambda: "terminated" in node.container("done")["state"])

    with pytest.raises(ConnectionClosed) as closed:
        until(node.connect(server, as_holder_of(permissions.POD_SHELL), "done"), "never")

    assert closed.value.message.endswith(': container not found ("main")')
