"""An interactive shell over WebSocket, and following a log, with the official client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.stream import stream

from sandbox.launch import Sandbox
from tests.contract.api import Api, ready, wait_for


@pytest.fixture
def core(api: Api, running: Sandbox) -> Iterator[client.CoreV1Api]:
    """A client of its own, as each terminal has, beside a pod ``a``."""
    env = [{"name": "COLOUR", "value": "blue"}]
    api.made(
        "v1/pods", {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "app:1", "env": env}]}}
    )
    wait_for(lambda: ready(api.get("v1/pods", "a").body))
    with config.new_client_from_config(str(running.kubeconfig)) as made:
        yield client.CoreV1Api(made)


def opened(core: client.CoreV1Api, api: Api, command: list[str], tty: bool = True) -> Any:
    """An open stream."""
    options = {"stdin": True, "stdout": True, "stderr": True, "tty": tty, "_preload_content": False}
    return stream(core.connect_get_namespaced_pod_exec, "a", api.namespace, command=command, **options)


def read_until(session: Any, word: str) -> str:
    """What the terminal shows up to a word."""
    shown, end = "", time.monotonic() + 10
    while word not in shown:
        assert time.monotonic() < end, shown
        session.update(timeout=0.2)
        shown += session.read_stdout(timeout=0.2) if session.peek_stdout() else ""
    return shown


def test_a_terminal_echoes_edits_and_remembers(core: client.CoreV1Api, api: Api) -> None:
    session = opened(core, api, ["/bin/sh"])
    read_until(session, "/ # ")

    session.write_stdin("echo $COLOURX\x7f\r")
    shown = read_until(session, "blue\r\n")
    session.write_stdin("\x1b[A\r")
    again = read_until(session, "blue\r\n")
    session.write_stdin("exit 4\r")
    wait_for(lambda: session.update(timeout=0.1) or not session.is_open())

    assert "echo $COLOUR" in shown
    assert "blue" in again
    assert session.returncode == 4


def test_a_terminal_knows_its_size(core: client.CoreV1Api, api: Api) -> None:
    session = opened(core, api, ["/bin/sh"])
    read_until(session, "# ")
    session.write_channel(4, '{"Width": 132, "Height": 43}')
    session.write_stdin("stty size\r")

    assert "43 132" in read_until(session, "43 132")
    session.close()


def test_control_c_stops_a_command(core: client.CoreV1Api, api: Api) -> None:
    session = opened(core, api, ["/bin/sh"])
    read_until(session, "# ")
    session.write_stdin("sleep 600\r")
    time.sleep(0.3)
    session.write_stdin("\x03")

    assert "^C" in read_until(session, "^C")
    session.write_stdin("echo alive\r")
    read_until(session, "alive\r\n")
    session.close()


def test_a_command_with_its_output_and_code(core: client.CoreV1Api, api: Api) -> None:
    session = opened(core, api, ["sh", "-c", "cat /etc/hostname; ls /nowhere; exit 2"], tty=False)
    session.run_forever(timeout=5)

    assert session.read_stdout() == "a\n"
    assert session.read_stderr() == "ls: /nowhere: No such file or directory\n"
    assert session.returncode == 2


def test_a_program_that_is_not_there(core: client.CoreV1Api, api: Api) -> None:
    session = opened(core, api, ["python3"], tty=False)
    session.run_forever(timeout=5)

    assert "executable file not found in $PATH" in str(session.read_channel(3))


def test_a_log_is_followed_to_its_end(core: client.CoreV1Api, api: Api) -> None:
    command = ["sh", "-c", "echo first; sleep 30"]
    spec = {"restartPolicy": "Never", "containers": [{"name": "b", "image": "app:1", "command": command}]}
    api.made("v1/pods", {"metadata": {"name": "b"}, "spec": spec})
    wait_for(lambda: api.get("v1/pods", "b").body["status"].get("phase") == "Running")

    lines = list(core.read_namespaced_pod_log("b", api.namespace, follow=True, _preload_content=False).stream())

    assert b"".join(lines).decode().splitlines()[0] == "first"
    assert wait_for(lambda: api.get("v1/pods", "b").body["status"]["phase"] == "Succeeded")


def test_resources_change_without_a_restart(core: client.CoreV1Api, api: Api) -> None:
    amounts = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
    api.made(
        "v1/pods",
        {"metadata": {"name": "r"}, "spec": {"containers": [{"name": "r", "image": "app:1", "resources": amounts}]}},
    )
    wait_for(lambda: ready(api.get("v1/pods", "r").body))
    wanted = {"requests": {"cpu": "150m"}, "limits": {"cpu": "300m"}}

    patch = {"spec": {"containers": [{"name": "r", "resources": wanted}]}}
    answer = api.patch("v1/pods", "r/resize", patch, "application/strategic-merge-patch+json")

    assert answer.status == 200, answer.body
    status = wait_for(
        lambda: (s := api.get("v1/pods", "r").body["status"]["containerStatuses"][0])["resources"] == wanted and s
    )
    assert status["restartCount"] == 0


def test_usage_is_reported(core: client.CoreV1Api, api: Api) -> None:
    pods = api.call("GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/{api.namespace}/pods").body["items"]
    nodes = api.call("GET", "/apis/metrics.k8s.io/v1beta1/nodes").body["items"]

    assert pods[0]["containers"][0]["usage"]["cpu"].endswith("n")
    assert len(nodes) == 6
