"""Failures of pods and workloads, recognised at once and by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from plugins.yunyou.orders.rules.diagnosis import diagnose, diagnose_workload

pytestmark = pytest.mark.req("Y-32")

NOW = datetime(2026, 3, 14, 8, 0, 30, tzinfo=UTC)
EARLIER = "2026-03-14T08:00:00Z"
JUST_NOW = "2026-03-14T08:00:27Z"


def pod(container: dict[str, Any] | None = None, init: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"phase": "Pending", **status}
    if container is not None:
        made["containerStatuses"] = [
            {"name": "web", "image": "r.example/web:1", "restartCount": 0, "ready": False, **container}
        ]
    if init is not None:
        made["initContainerStatuses"] = [{"name": "chown-0", "image": "busybox", "restartCount": 0, **init}]
    return {"metadata": {"name": "web-0", "uid": "u1", "creationTimestamp": EARLIER}, "status": made}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def event(reason: str, message: str, count: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "reason": reason,
        "message": message,
        "count": count,
        "involvedObject": {"uid": "u1", "name": "web-0"},
        "lastTimestamp": JUST_NOW,
        **more,
    }


ENDED = {"terminated": {"exitCode": 3, "reason": "Error", "message": "no database"}}
WELL = {"terminated": {"exitCode": 0, "reason": "Completed"}}
UNSTARTED = {
    "terminated": {"exitCode": 128, "reason": "StartError", "message": 'exec: "/app": stat /app: no such file'}
}
KILLED = {"terminated": {"exitCode": 137, "reason": "Error"}}
OOM = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
RUNNING = {"state": {"running": {"startedAt": "2026-03-14T07:59:00Z"}}}

CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]], str, str]] = [
    ("first pull error", pod(waiting("ErrImagePull", "manifest unknown")), [], "IMAGE_PULL_FAILED", "manifest unknown"),
    (
        "back-off shows what the registry said",
        pod(waiting("ImagePullBackOff", 'Back-off pulling image "r.example/web:1"')),
        [event("Failed", 'Failed to pull image "r.example/web:1": 401 unauthorized')],
        "IMAGE_PULL_FAILED",
        "401 unauthorized",
    ),
    ("never pull", pod(waiting("ErrImageNeverPull")), [], "IMAGE_PULL_FAILED", "r.example/web:1"),
    ("bad name", pod(waiting("InvalidImageName")), [], "IMAGE_NAME_INVALID", "r.example/web:1"),
    ("init container", pod(init=waiting("ImagePullBackOff", "no such host")), [], "IMAGE_PULL_FAILED", "busybox"),
    (
        "config",
        pod(waiting("CreateContainerConfigError", 'secret "x" not found')),
        [],
        "CONTAINER_CREATE_FAILED",
        '"x"',
    ),
    ("run", pod(waiting("RunContainerError", "exec: not found")), [], "CONTAINER_CREATE_FAILED", "exec: not found"),
    (
        "crash loop",
        pod(waiting("CrashLoopBackOff", restartCount=1, lastState=ENDED)),
        [],
        "CRASH_LOOP",
        "exit code 3. no database",
    ),
    ("init crash", pod(init=waiting("CrashLoopBackOff", restartCount=2, lastState=ENDED)), [], "CRASH_LOOP", "chown-0"),
    (
        "crash that the status has not told yet",
        pod({"state": ENDED, "restartCount": 1}),
        [],
        "CRASH_LOOP",
        "exit code 3",
    ),
    ("a server that ends well", pod({"state": WELL, "restartCount": 1}), [], "CRASH_LOOP", "exit code 0"),
    (
        "start error behind the back-off",
        pod(waiting("CrashLoopBackOff", restartCount=1, lastState=UNSTARTED)),
        [],
        "CONTAINER_CREATE_FAILED",
        "stat /app",
    ),
    ("memory", pod(waiting("CrashLoopBackOff", restartCount=1, lastState=OOM)), [], "OUT_OF_MEMORY", "memory"),
    (
        "memory while running again",
        pod({**RUNNING, "restartCount": 1, "lastState": OOM}),
        [],
        "OUT_OF_MEMORY",
        "memory",
    ),
    (
        "killed by its liveness probe",
        pod(waiting("CrashLoopBackOff", restartCount=2, lastState=KILLED)),
        [event("Unhealthy", "Liveness probe failed: connection refused", 6)],
        "PROBE_FAILED",
        "connection refused",
    ),
    (
        "liveness, running again",
        pod({**RUNNING, "restartCount": 1}, phase="Running"),
        [event("Unhealthy", "Liveness probe failed: HTTP 500", 3)],
        "PROBE_FAILED",
        "liveness",
    ),
    (
        "readiness after the grace",
        pod(RUNNING, phase="Running"),
        [event("Unhealthy", "Readiness probe failed: HTTP 503", 9)],
        "PROBE_FAILED",
        "HTTP 503",
    ),
    (
        "unschedulable",
        pod(conditions=[{**UNSCHEDULED, "lastTransitionTime": EARLIER, "message": "0/3 nodes: Insufficient cpu"}]),
        [],
        "UNSCHEDULABLE",
        "Insufficient cpu",
    ),
    (
        "no claim",
        pod(conditions=[{**UNSCHEDULED, "message": "0/3 nodes: pod has unbound immediate PersistentVolumeClaims"}]),
        [],
        "MOUNT_FAILED",
        "unbound",
    ),
    (
        "mount",
        pod(waiting("ContainerCreating")),
        [event("FailedMount", 'MountVolume.SetUp failed: secret "web-tls" not found')],
        "MOUNT_FAILED",
        "web-tls",
    ),
    ("attach", pod(waiting("ContainerCreating")), [event("FailedAttachVolume", "in use", 2)], "MOUNT_FAILED", "in use"),
    ("evicted", pod(phase="Failed", reason="Evicted", message="disk pressure"), [], "POD_FAILED", "disk pressure"),
    ("a job's pod", pod({"state": ENDED}, phase="Failed"), [], "POD_FAILED", "exit code 3"),
]


@pytest.mark.parametrize(
    ("pod_", "events", "code", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_failure_is_named_with_reason_and_remedy(pod_: Any, events: Any, code: str, words: str):
    failure = diagnose(pod_, events, now=NOW)

    assert failure is not None
    assert failure.code == f"YUNYOU/{code}"
    assert words in failure.reason.in_("en")
    assert "web-0" in failure.reason.in_("zh")
    assert failure.remedy.in_("en")
    assert "{" not in failure.reason.in_("en") + failure.reason.in_("zh")


@pytest.mark.parametrize(
    ("pod_", "events"),
    [
        (pod(waiting("ContainerCreating")), []),
        (pod(waiting("PodInitializing")), [event("FailedAttachVolume", "still attached elsewhere")]),
        (pod(conditions=[{**UNSCHEDULED, "lastTransitionTime": JUST_NOW, "message": "0/3 nodes"}]), []),
        (pod({**RUNNING, "ready": True, "restartCount": 1, "lastState": OOM}), []),
        (
            pod(RUNNING),
            [event("Unhealthy", "Readiness probe failed", involvedObject={"uid": "other", "name": "web-0"})],
        ),
        (pod({"state": ENDED}), []),
        (pod(waiting("PodInitializing"), init={"state": WELL, "restartCount": 1, "lastState": ENDED}), []),
        ({}, []),
        (
            {**pod(waiting("ErrImagePull")), "metadata": {"name": "web-0", "deletionTimestamp": EARLIER}},
            [],
        ),
    ],
)
def test_a_pod_that_may_still_come_up_is_left_in_peace(pod_: Any, events: Any):
    assert diagnose(pod_, events, now=NOW) is None


@pytest.mark.parametrize(("started", "may_pass"), [(JUST_NOW, True), ("2026-03-14T07:00:00Z", False)])
def test_a_readiness_probe_that_fails_is_named_at_once_and_given_up_after_a_while(started: str, may_pass: bool):
    failing = pod({"state": {"running": {"startedAt": started}}})

    failure = diagnose(failing, [event("Unhealthy", "Readiness probe failed: refused", 2)], now=NOW)

    assert failure is not None
    assert (failure.code, failure.may_pass) == ("YUNYOU/PROBE_FAILED", may_pass)


QUOTA = 'pods "web-1" is forbidden: exceeded quota: small, requested: cpu=2, used: cpu=8, limited: cpu=8'


@pytest.mark.parametrize(
    ("workload", "events"),
    [
        ({"status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": QUOTA}]}}, []),
        ({}, [event("FailedCreate", f"create Pod web-1 in StatefulSet web failed error: {QUOTA}")]),
    ],
)
def test_a_quota_is_recognised_on_conditions_and_events_of_the_workload(workload: Any, events: Any):
    failure = diagnose_workload({"metadata": {"name": "web"}, **workload}, events)

    assert failure.code == "YUNYOU/QUOTA_EXCEEDED"
    assert "exceeded quota: small" in failure.reason.in_("en")


def test_a_refusal_by_the_cluster_is_told_and_an_old_one_is_not():
    refused = event("FailedCreate", 'admission webhook "policy" denied the request')

    assert diagnose_workload({"metadata": {"name": "web"}}, [refused]).code == "YUNYOU/POD_REFUSED"
    assert diagnose_workload({"metadata": {"name": "web"}}, [refused], since=NOW) is None
    assert diagnose_workload({"metadata": {"name": "web"}}) is None
