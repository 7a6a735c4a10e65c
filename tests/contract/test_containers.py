"""What a kubelet tells of containers: a real one with containerd, and the sandbox in the same words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.stream import stream

from tests.contract.api import Api, ready, wait_for

Json = dict[str, Any]
EXECUTION = re.compile(r"[0-9a-f]{64}")


def run(api: Api, name: str, image: str = "app:1", script: str = "", policy: str = "Always", **container: Any) -> Json:
    """A pod of one container."""
    made: Json = {"name": "main", "image": f"{api.registry}/{image}", **container}
    if script:
        made["command"] = ["sh", "-c", script]
    spec = {"restartPolicy": policy, "terminationGracePeriodSeconds": 1, "containers": [made]}
    return api.made("v1/pods", {"metadata": {"name": name}, "spec": spec})


def state(api: Api, name: str) -> Json:
    """What the kubelet says of the pod's container."""
    found = api.get("v1/pods", name).body["status"].get("containerStatuses") or [{"state": {}, "restartCount": 0}]
    return dict(found[0])


def waiting(api: Api, name: str, reason: str) -> Json:
    """The container's status once it waits for this reason."""
    return wait_for(lambda: (s := state(api, name))["state"].get("waiting", {}).get("reason") == reason and s)


def told(api: Api, name: str, reason: str) -> set[str]:
    """The messages of a pod's events."""
    events = api.get("v1/events", fieldSelector=f"involvedObject.name={name},reason={reason}").body["items"]
    return {event["message"] for event in events}


def log(api: Api, name: str, **options: Any) -> Any:
    """The answer to a request for the log."""
    return api.get("v1/pods", f"{name}/log", **options)


def execute(api: Api, name: str, command: list[str], *, tty: bool = False) -> Any:
    """A command in a container over a WebSocket."""
    core = client.CoreV1Api(config.new_client_from_config(str(api.kubeconfig)))
    return stream(
        core.connect_get_namespaced_pod_exec,
        name,
        api.namespace,
        command=command,
        stdin=True,
        stdout=True,
        stderr=True,
        tty=tty,
        _preload_content=False,
    )


def said(session: Any) -> Json:
    """The status at the end of a command."""
    session.run_forever(timeout=10)
    return dict(json.loads(session.read_channel(3)))


def test_an_image_that_is_not_there(on_a_node: Api) -> None:
    api, whole = on_a_node, f"{on_a_node.registry}/app:missing"
    why = (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{whole}": failed to resolve image: '
        f"{whole}: not found"
    )
    run(api, "a", "app:missing")

    if api.kind == "node":  # the sandbox, which runs faster than life, is past it in the blink of an eye
        assert waiting(api, "a", "ErrImagePull")["state"]["waiting"]["message"] == why
        assert log(api, "a").message == 'container "main" in pod "a" is waiting to start: image can\'t be pulled'
    events = wait_for(lambda: (found := told(api, "a", "Failed")) >= {"Error: ImagePullBackOff"} and found)
    later = waiting(api, "a", "ImagePullBackOff")

    assert events == {f'Failed to pull image "{whole}": {why}', "Error: ErrImagePull", "Error: ImagePullBackOff"}
    assert told(api, "a", "BackOff") == {f'Back-off pulling image "{whole}"'}
    assert later["state"]["waiting"]["message"] == f'Back-off pulling image "{whole}": ErrImagePull: {why}'
    assert log(api, "a").message == 'container "main" in pod "a" is waiting to start: trying and failing to pull image'


def test_a_container_that_crashes_is_started_again_once_and_then_later(on_a_node: Api) -> None:
    api = on_a_node
    uid = run(api, "a", script="echo no such table; exit 3")["metadata"]["uid"]

    held = wait_for(lambda: (s := state(api, "a"))["restartCount"] == 1 and "running" not in s["state"] and s)

    assert told(api, "a", "BackOff") == {f"Back-off restarting failed container main in pod a_{api.namespace}({uid})"}
    assert (held["ready"], held["started"]) == (False, False)
    assert held["lastState"]["terminated"]["exitCode"] == 3
    assert held["lastState"]["terminated"]["reason"] == "Error"
    if "terminated" in held["state"]:  # a real kubelet may tell of the back-off only when it looks again
        assert held["state"]["terminated"]["exitCode"] == 3
    assert log(api, "a").message == "no such table\n"
    removed = re.compile(r"unable to retrieve container logs for containerd://[0-9a-f]{64}")
    wait_for(lambda: removed.fullmatch(log(api, "a", previous="true").message), every=0.01)


def test_a_probe_that_fails(on_a_node: Api) -> None:
    api = on_a_node
    pod = {"path": "/", "port": 81}
    if api.kind == "sandbox":
        run(api, "a", env=[{"name": "FAULT", "value": "unready"}], readinessProbe={"httpGet": pod})
    else:
        run(
            api,
            "a",
            script="httpd -f -p 81 -h /etc",
            readinessProbe={"httpGet": {**pod, "path": "/no"}, "periodSeconds": 1},
        )

    wait_for(lambda: any("statuscode" in message for message in told(api, "a", "Unhealthy")))
    wait_for(lambda: api.get("v1/pods", "a").body["status"]["phase"] == "Running")  # it is told after the event

    assert state(api, "a")["ready"] is False
    assert all(m.startswith("Readiness probe failed: ") for m in told(api, "a", "Unhealthy"))
    assert any(re.search("HTTP probe failed with statuscode: (404|503)$", m) for m in told(api, "a", "Unhealthy"))


@pytest.mark.parametrize(("code", "phase", "why"), [(0, "Succeeded", "PodCompleted"), (4, "Failed", "PodFailed")])
def test_a_pod_that_ends(on_a_node: Api, code: int, phase: str, why: str) -> None:
    api = on_a_node
    run(api, "a", script=f"echo bye; exit {code}", policy="Never")

    wait_for(lambda: api.get("v1/pods", "a").body["status"].get("phase") == phase)

    def conditions() -> dict[str, tuple[str, ...]]:
        rows = api.get("v1/pods", "a").body["status"]["conditions"]
        return {c["type"]: (c["status"], c.get("reason", ""), c.get("message", "")) for c in rows}

    assert conditions()["Ready"] == ("False", why, "")
    assert conditions()["ContainersReady"] == ("False", why, "")
    gone = ("False", "PodSandboxNotReady", "pod sandbox is not ready")
    wait_for(lambda: conditions()["PodReadyToStartContainers"] == gone)
    ended = state(api, "a")["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, "Error" if code else "Completed")
    assert log(api, "a").message == "bye\n"
    with pytest.raises(client.ApiException) as refused:
        execute(api, "a", ["true"])
    assert refused.value.__context__.status_code == 500
    assert refused.value.__context__.resp_body == b'container not found ("main")'


def test_parts_of_a_log(on_a_node: Api) -> None:
    api = on_a_node
    run(api, "a", script="echo one; echo two; echo three; sleep 99999")
    wait_for(lambda: ready(api.get("v1/pods", "a").body))
    wait_for(lambda: "three" in log(api, "a").message)

    assert log(api, "a", tailLines=1).message == "three\n"
    assert log(api, "a", limitBytes=5).message == "one\nt"
    assert log(api, "a", sinceTime="2001-01-01T00:00:00Z").message == "one\ntwo\nthree\n"
    assert log(api, "a", sinceTime="2999-01-01T00:00:00Z").message == ""
    assert re.fullmatch(
        r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}\.\d{1,9}Z three\n", log(api, "a", tailLines=1, timestamps="true").message
    )
    assert log(api, "a", previous="true").message == 'previous terminated container "main" in pod "a" not found'
    assert log(api, "a", container="other").message == "container other is not valid for pod a"
    assert {log(api, "a", previous="true").status, log(api, "a", container="other").status} == {400}


def test_commands_and_their_ends(on_a_node: Api) -> None:
    api = on_a_node
    run(api, "a")
    wait_for(lambda: ready(api.get("v1/pods", "a").body))

    session = execute(api, "a", ["sh", "-c", "echo $HOSTNAME; exit 3"])
    ended = said(session)
    missing = said(execute(api, "a", ["python3"]))

    assert session.read_stdout() == "a\n"
    assert ended["status"] == "Failure"
    assert (ended["reason"], ended["details"]["causes"]) == (
        "NonZeroExitCode",
        [{"reason": "ExitCode", "message": "3"}],
    )
    assert EXECUTION.sub("…", missing["message"]) == (
        "Internal error occurred: Internal error occurred: error executing command in container: "
        "failed to exec in container: failed to start exec "
        '"…": OCI runtime exec failed: exec failed: unable to start container process: '
        'exec: "python3": executable file not found in $PATH'
    )


def test_a_terminal_knows_its_size(on_a_node: Api) -> None:
    api = on_a_node
    run(api, "a")
    wait_for(lambda: ready(api.get("v1/pods", "a").body))
    session = execute(api, "a", ["sh"], tty=True)

    session.write_channel(4, '{"Width": 132, "Height": 43}')
    seen = ""
    while "43 132" not in seen:  # the size may reach the node after what is typed
        session.write_stdin("stty size\r")
        session.update(timeout=2)
        assert session.is_open(), seen
        seen += session.read_stdout(timeout=0.1)
    session.write_stdin("exit 7\r")
    assert said(session)["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]


def test_kubectl_pipes_into_a_container(on_a_node: Api) -> None:
    api = on_a_node
    run(api, "a")
    wait_for(lambda: ready(api.get("v1/pods", "a").body))

    wait_for(lambda: api.kubectl("exec", "-i", "a", "--", "cat", given="given\n") == "given\n")
    assert api.kubectl("exec", "a", "--", "sh", "-c", "exit 3", check=False) == "command terminated with exit code 3\n"


def test_resources_change_without_a_restart(on_a_node: Api) -> None:
    api = on_a_node
    run(api, "a", resources={"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}})
    wait_for(lambda: ready(api.get("v1/pods", "a").body))
    wanted = {"requests": {"cpu": "150m"}, "limits": {"cpu": "300m"}}

    patch = {"spec": {"containers": [{"name": "main", "resources": wanted}]}}
    answer = api.patch("v1/pods", "a/resize", patch, "application/strategic-merge-patch+json")

    assert answer.status == 200, answer.body
    found = wait_for(lambda: (s := state(api, "a"))["resources"] == wanted and s)
    assert found["restartCount"] == 0
    assert found["allocatedResources"] == wanted["requests"]
    assert not {c["type"] for c in api.get("v1/pods", "a").body["status"]["conditions"]} & {
        "PodResizePending",
        "PodResizeInProgress",
    }
