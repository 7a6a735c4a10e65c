"""Containers that run: readiness, ends, crashes and restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import fnv32a
from sandbox.kubelet import status
from sandbox.kubelet.behaviour import run_of

if TYPE_CHECKING:
    from sandbox.kubelet.kubelet import Kubelet, State

Obj = dict[str, Any]

BACKOFF_FIRST, BACKOFF_MOST = 10.0, 300.0


def started(kubelet: Kubelet, pod: Obj, container: Obj, init: bool = False, fresh: bool = False) -> None:
    """Record that a container was started."""
    message = f'Container image "{container["image"]}" already present on machine and can be accessed by the pod'
    if fresh:
        took = f"{300 + fnv32a(pod['metadata']['uid'].encode()) % 700}ms"
        message = f'Successfully pulled image "{container["image"]}" in {took} ({took} including waiting). '
        message += "Image size: 3145728 bytes."
    kubelet.say(pod, "Normal", "Pulled", message, container, init)
    kubelet.say(pod, "Normal", "Created", "Container created", container, init)
    kubelet.say(pod, "Normal", "Started", "Container started", container, init)


def backoff(tries: int) -> float:
    """Seconds before the next try, more every time."""
    return min(BACKOFF_FIRST * float(2 ** max(tries - 1, 0)), BACKOFF_MOST)


def start(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """The containers start."""
    address = kubelet.ips.give(state.uid, pod, kubelet.cluster)
    for container in pod["spec"]["containers"]:
        started(kubelet, pod, container, fresh=container["name"] in state.fresh)
    state.fresh.clear()
    probes = any("readinessProbe" in c or "startupProbe" in c for c in pod["spec"]["containers"])
    held = bool(state.fault.kind)
    immediately = not probes and not held
    status.running(pod, address, immediately)
    kubelet.write(pod)
    state.step = "running" if immediately else "ready"
    if state.fault.kind in ("crash-loop", "oom"):
        state.step = "crash"
        return kubelet.cluster.delay(0.5, 1.0)
    if not immediately:
        return until_ready(kubelet, pod, state)
    return until_end(kubelet, pod, state)


def until_ready(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """How long until the readiness probes succeed; never with the fault ``unready``."""
    if state.fault.kind == "unready":
        container = pod["spec"]["containers"][0]
        kubelet.say(
            pod, "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", container
        )
        return 10.0 / kubelet.cluster.options.speed
    if state.fault.kind == "slow-start":
        return max(state.fault.seconds, 0.1) / kubelet.cluster.options.speed
    first = 0.0
    for container in pod["spec"]["containers"]:
        for probe in ("startupProbe", "readinessProbe"):
            first = max(first, (container.get(probe) or {}).get("initialDelaySeconds", 0))
    return float(first / kubelet.cluster.options.speed) + kubelet.cluster.delay(0.2, 0.6)


def ready(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """The readiness probes succeed now, if they ever do."""
    if state.fault.kind == "unready":
        return until_ready(kubelet, pod, state)
    status.ready(pod)
    kubelet.write(pod)
    state.step = "running"
    return until_end(kubelet, pod, state)


def until_end(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """When the first container ends by itself; None where none does."""
    ends = []
    for container in pod["spec"]["containers"]:
        run = run_of(pod, container)
        state.runs[container["name"]] = run
        if run.seconds is not None:
            ends.append(run.seconds)
    deadline = pod["spec"].get("activeDeadlineSeconds")
    if deadline:
        kubelet.all.queue.after(
            deadline, kubelet.overdue, ((pod["metadata"]["namespace"], pod["metadata"]["name"]), state.uid)
        )
    if not ends:
        return None
    return max(ends) / kubelet.cluster.options.speed + 0.01


def ended(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """Containers that end by themselves have ended now."""
    runs = {c["name"]: state.runs.get(c["name"]) or run_of(pod, c) for c in pod["spec"]["containers"]}
    if all(run.seconds is None for run in runs.values()):
        return None
    codes = {name: run.code for name, run in runs.items() if run.seconds is not None}
    policy = pod["spec"].get("restartPolicy", "Always")
    failed = any(codes.values())
    if policy == "Never" or (policy == "OnFailure" and not failed):
        if len(codes) == len(runs):
            status.ended(pod, codes, "Failed" if failed else "Succeeded")
            kubelet.write(pod)
        return None
    return crash(kubelet, pod, state, codes)


def crashed(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """The fault makes the containers crash now."""
    code = 137 if state.fault.kind == "oom" else 1
    return crash(kubelet, pod, state, {c["name"]: code for c in pod["spec"]["containers"]})


def crash(kubelet: Kubelet, pod: Obj, state: State, codes: dict[str, int]) -> float | None:
    """A container ended and will be started again: at once the first time, then later every time."""
    reason = "OOMKilled" if state.fault.kind == "oom" else "Error" if any(codes.values()) else "Completed"
    if pod["spec"].get("restartPolicy") == "Never":
        status.ended(pod, codes, "Failed", reason)
        kubelet.write(pod)
        return None
    state.tries += 1
    status.crashed(pod, codes, reason)
    kubelet.write(pod)
    if state.tries == 1:
        state.step = "restart"
        return kubelet.cluster.delay(0.1, 0.3)
    for container in pod["spec"]["containers"]:
        if container["name"] in codes:
            where = f"{pod['metadata']['name']}_{pod['metadata']['namespace']}({state.uid})"
            message = f"Back-off restarting failed container {container['name']} in pod {where}"
            kubelet.say(pod, "Warning", "BackOff", message, container)
    state.step = "backoff"
    return kubelet.cluster.delay(0.5, 1.0)


def backed_off(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """The kubelet looks again at what ended, and says that it waits."""
    seconds = backoff(state.tries - 1)
    status.backing_off(pod, seconds)
    kubelet.write(pod)
    state.step = "restart"
    return seconds / kubelet.cluster.options.speed


def restart(kubelet: Kubelet, pod: Obj, state: State) -> float | None:
    """Start again what crashed."""
    for container in pod["spec"]["containers"]:
        started(kubelet, pod, container)
    probes = any("readinessProbe" in c for c in pod["spec"]["containers"])
    status.restarted(pod, not probes and not state.fault.kind)
    kubelet.write(pod)
    state.step = "crash" if state.fault.kind in ("crash-loop", "oom") else "running"
    return kubelet.cluster.delay(0.8, 1.5) if state.step == "crash" else until_end(kubelet, pod, state)
