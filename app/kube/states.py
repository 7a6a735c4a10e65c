"""States in words: what ``kubectl`` prints for pods, and what the console says of workloads and nodes (K-30)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.kube import quantities
from app.kube.shapes import Container, Namespace, Node, Pod, Service, Workload

OK, WARN, BAD, INFO, NEUTRAL = "ok", "warn", "bad", "info", "neutral"
LB = "LoadBalancer"
COMING = ("Pending", "ContainerCreating", "PodInitializing", "Terminating", "SchedulingGated")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of one object."""

    state: str
    tone: str
    ready: int = 0
    total: int = 0
    restarts: int = 0
    node: str = ""
    ip: str = ""
    images: tuple[str, ...] = ()
    cpu: int = 0
    memory: int = 0


def summary(kind: str, item: Any) -> Summary:
    """The summary of an object of a mirrored kind."""
    return _SUMMARIES[kind](item)


def of_pod(pod: Pod) -> Summary:
    """Kubernetes' own printed column STATUS, computed likewise (printers/internalversion, printPod)."""
    statuses = pod.status.container_statuses
    ready = sum(1 for status in statuses if status.ready)
    state = _pod_state(pod)
    return Summary(
        state,
        _pod_tone(pod, state, ready),
        ready,
        len(pod.spec.containers),
        sum(status.restart_count for status in statuses),
        pod.spec.node_name,
        pod.status.pod_ip,
        tuple(container.image for container in pod.spec.containers),
        *requested(pod),
    )


def requested(pod: Pod) -> tuple[int, int]:
    """CPU and memory that the scheduler counts for a pod: its containers together, or its greatest init container.

    Restartable init containers ("sidecars") count like containers. A pod that ended holds nothing.
    """
    if pod.status.phase in ("Succeeded", "Failed"):
        return 0, 0
    cpu, memory = _asked([*pod.spec.containers, *(c for c in pod.spec.init_containers if c.restart_policy == "Always")])
    first = [_asked([c]) for c in pod.spec.init_containers if c.restart_policy != "Always"]
    over = pod.spec.overhead
    return (
        max([cpu, *(pair[0] for pair in first)]) + quantities.millicores(over.get("cpu", 0)),
        max([memory, *(pair[1] for pair in first)]) + quantities.size(over.get("memory", 0)),
    )


def _asked(containers: list[Container]) -> tuple[int, int]:
    wanted = [container.resources.get("requests") or {} for container in containers]
    return (
        sum(quantities.millicores(request.get("cpu", 0)) for request in wanted),
        sum(quantities.size(request.get("memory", 0)) for request in wanted),
    )


def _pod_state(pod: Pod) -> str:
    state = pod.status.reason or pod.status.phase or "Unknown"
    waiting = _init_state(pod)
    if waiting:
        state = waiting
    else:
        running = False
        for status in reversed(pod.status.container_statuses):
            if status.state.waiting and status.state.waiting.get("reason"):
                state = str(status.state.waiting["reason"])
            elif status.state.terminated:
                state = _ended(status.state.terminated)
            elif status.ready and status.state.running is not None:
                running = True
        if state == "Completed" and running:
            state = "Running" if _condition(pod.status.conditions, "Ready") else "NotReady"
    if pod.metadata.deletion_timestamp is not None:
        return "Unknown" if pod.status.reason == "NodeLost" else "Terminating"
    return state


def _init_state(pod: Pod) -> str:
    for number, status in enumerate(pod.status.init_container_statuses):
        ended = status.state.terminated
        if ended and ended.get("exitCode") == 0:
            continue
        if status.started and status.ready:
            continue
        if ended:
            return f"Init:{_ended(ended)}"
        if status.state.waiting and status.state.waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{status.state.waiting['reason']}"
        return f"Init:{number}/{len(pod.spec.init_containers)}"
    return ""


def _ended(terminated: dict[str, Any]) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    return f"Signal:{terminated['signal']}" if terminated.get("signal") else f"ExitCode:{terminated.get('exitCode')}"


def _pod_tone(pod: Pod, state: str, ready: int) -> str:
    if state in ("Succeeded", "Completed"):
        return NEUTRAL
    if state == "Running":
        return OK if ready == len(pod.spec.containers) else WARN
    if state == "NotReady":
        return WARN
    return INFO if state in COMING or (state.startswith("Init:") and state[5:6].isdigit()) else BAD


def _condition(conditions: list[Any], kind: str) -> bool:
    return any(c.type == kind and c.status == "True" for c in conditions)


def of_node(node: Node) -> Summary:
    """Ready, NotReady or Unknown, with cordoning told."""
    ready = next((c for c in node.status.conditions if c.type == "Ready"), None)
    word = {"True": "Ready", "False": "NotReady"}.get(ready.status if ready else "", "Unknown")
    tone = OK if word == "Ready" else BAD
    if node.spec.unschedulable:
        word, tone = f"{word},SchedulingDisabled", WARN if tone == OK else BAD
    address = next((a["address"] for a in node.status.addresses if a.get("type") == "InternalIP"), "")
    free = node.status.allocatable
    cpu, memory = quantities.millicores(free.get("cpu", 0)), quantities.size(free.get("memory", 0))
    return Summary(word, tone, total=int(quantities.number(free.get("pods", "0"))), ip=address, cpu=cpu, memory=memory)


def of_replicated(work: Workload) -> Summary:
    """Deployment, StatefulSet or ReplicaSet: running, deploying, incomplete, failed, paused, stopped."""
    desired = 1 if work.spec.replicas is None else work.spec.replicas
    status = work.status
    images = _images(work)
    state, tone = "running", OK
    if any(c.type == "Progressing" and c.reason == "ProgressDeadlineExceeded" for c in status.conditions) or _condition(
        status.conditions, "ReplicaFailure"
    ):
        state, tone = "failed", BAD
    elif work.spec.paused:
        state, tone = "paused", WARN
    elif desired == 0 and status.replicas == 0:
        state, tone = "stopped", NEUTRAL
    elif (
        status.observed_generation < work.metadata.generation
        or (status.update_revision != status.current_revision)
        or status.replicas > desired
    ):
        state, tone = "deploying", INFO
    elif status.ready_replicas < desired:
        state, tone = "incomplete", WARN
    return Summary(state, tone, status.ready_replicas, desired, images=images)


def of_daemonset(work: Workload) -> Summary:
    """DaemonSet."""
    status = work.status
    state, tone = "running", OK
    if status.observed_generation < work.metadata.generation:
        state, tone = "deploying", INFO
    elif status.number_ready < status.desired_number_scheduled:
        state, tone = "incomplete", WARN
    return Summary(state, tone, status.number_ready, status.desired_number_scheduled, images=_images(work))


def of_job(work: Workload) -> Summary:
    """Job; only conditions whose status is True count. A new one is incomplete (guide 4.5)."""
    conditions = work.status.conditions
    wanted = work.spec.completions or 1
    state, tone = "incomplete", INFO
    if _condition(conditions, "Failed"):
        state, tone = "failed", BAD
    elif _condition(conditions, "Complete"):
        state, tone = "completed", OK
    elif work.spec.suspend:
        state, tone = "paused", WARN
    return Summary(state, tone, work.status.succeeded, wanted, images=_images(work))


def of_namespace(space: Namespace) -> Summary:
    """Active or Terminating."""
    phase = space.status.phase or "Active"
    return Summary(phase, OK if phase == "Active" else INFO)


def of_service(service: Service) -> Summary:
    """A LoadBalancer without an address yet is pending."""
    ingress = (service.status.get("loadBalancer") or {}).get("ingress") or []
    address = next((str(i.get("ip") or i.get("hostname")) for i in ingress), "")
    pending = service.spec.type == LB and not address
    return Summary("pending" if pending else "active", INFO if pending else OK, ip=address or service.spec.cluster_ip)


def _images(work: Workload) -> tuple[str, ...]:
    return tuple(container.image for container in work.spec.template.spec.containers)


_SUMMARIES: dict[str, Callable[[Any], Summary]] = {
    "pods": of_pod,
    "nodes": of_node,
    "namespaces": of_namespace,
    "deployments": of_replicated,
    "statefulsets": of_replicated,
    "replicasets": of_replicated,
    "daemonsets": of_daemonset,
    "jobs": of_job,
    "services": of_service,
}
