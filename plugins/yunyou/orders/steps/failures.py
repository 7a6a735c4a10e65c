"""Naming what fails within seconds: image, crash, scheduling, mounts, probes, quota, with events and last log lines
(Y-32).
"""

from __future__ import annotations

from collections.abc import Sequence

from app.contracts.json import Json
from app.db import now
from app.errors import ConsoleError
from app.kube import paths
from app.orders.steps import Context
from plugins.yunyou.manifests.pod_view import view
from plugins.yunyou.orders.freezing import Plan
from plugins.yunyou.orders.rules import diagnosis
from plugins.yunyou.orders.steps.common import environment_of, kube, view_of

LINES = 20
SUSPICIOUS_SECONDS = 8.0
EVENTS = 10


def find(
    ctx: Context, plan: Plan, workload: Json, pods: Sequence[Json], waiting: Sequence[str]
) -> tuple[ConsoleError | None, bool]:
    """What keeps the group from becoming ready, or None; and whether that may pass by itself."""
    revision = str((workload.get("status") or {}).get("updateRevision", ""))
    passing: ConsoleError | None = None
    for pod in pods:
        seen = view(pod)
        if seen.ready or seen.deleting or (revision and seen.revision != revision):
            continue
        if not _suspicious(pod):
            continue
        events = events_of(ctx, pod["metadata"]["uid"])
        failure = diagnosis.diagnose(pod, events, now=now())
        if failure is not None and not failure.may_pass:
            return _explained(ctx, failure, pod, events), False
        if failure is not None and passing is None:
            passing = _explained(ctx, failure, pod, events)
    refused = _of_workload(ctx, plan, workload) if len(waiting) > len(pods) or not pods else None
    return refused or passing, refused is None


def _suspicious(pod: Json) -> bool:
    """Whether a pod is worth a request for its events: something waits with a reason, or it takes long."""
    status = pod.get("status", {})
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        reason = ((container.get("state") or {}).get("waiting") or {}).get("reason", "")
        if reason and reason not in ("ContainerCreating", "PodInitializing"):
            return True
        if container.get("restartCount") or (container.get("state") or {}).get("terminated"):
            return True
    if any(c.get("type") == "PodScheduled" and c.get("status") == "False" for c in status.get("conditions", ())):
        return True
    created = view(pod).created
    return created is not None and (now() - created).total_seconds() > SUSPICIOUS_SECONDS


def events_of(ctx: Context, uid: str) -> list[Json]:
    """The cluster's events about one object."""
    path = paths.collection("Event", environment_of(ctx).namespace)
    found: list[Json] = kube(ctx).get(path, {"fieldSelector": f"involvedObject.uid={uid}"})["items"]
    return found


def _explained(ctx: Context, failure: diagnosis.Failure, pod: Json, events: Sequence[Json]) -> ConsoleError:
    name = pod["metadata"]["name"]
    told = [f"{event.get('reason')}: {event.get('message')}" for event in events if event.get("type") == "Warning"]
    extra: Json = {
        **(failure.error.extra or {}),
        "pod": name,
        "container": failure.container,
        "events": told[-EVENTS:],
    }
    lines = last_lines(ctx, pod, failure.container)
    if lines:
        extra["log"] = lines
    known = (ctx.node.error or {}).get("code") == failure.code
    for line in told[-EVENTS:] if not known else ():
        ctx.log(f"{name}: {line}", "error")
    failure.error.extra = extra
    return failure.error


def last_lines(ctx: Context, pod: Json, container: str) -> list[str]:
    """The last lines that a container wrote: of the run that ended, where it runs again of the one before."""
    if not container:
        return []
    statuses = (*pod["status"].get("initContainerStatuses", ()), *pod["status"].get("containerStatuses", ()))
    running = any(one["name"] == container and "running" in (one.get("state") or {}) for one in statuses)
    path = paths.one("Pod", environment_of(ctx).namespace, pod["metadata"]["name"], "log")
    for previous in ("true", "false") if running else ("false",):
        query = {"container": container, "tailLines": LINES, "previous": previous}
        try:
            text = kube(ctx).request("GET", path, query, timeout=3).data.decode("utf-8", "replace")
        except ConsoleError:
            continue
        if text.strip():
            return text.splitlines()[-LINES:]
    return []


def _of_workload(ctx: Context, plan: Plan, workload: Json) -> ConsoleError | None:
    owners = [workload, *(r for r in view_of(ctx).objects("replicasets") if _owned(r, workload))]
    if plan.kind == "Deployment":
        owners = [item for item in owners if item is workload or (item.get("spec", {}).get("replicas") or 0) > 0]
    began = ctx.node.started_at
    age = (now() - began).total_seconds() if began else 0
    failed = any(_condition(item) for item in owners)
    if age < 2 and not failed:
        return None
    events = [event for item in owners for event in events_of(ctx, item["metadata"]["uid"])] if age > 2 else []
    for item in owners:
        failure = diagnosis.diagnose_workload(item, events, since=began)
        if failure is not None:
            return failure.error
    return None


def _owned(item: Json, workload: Json) -> bool:
    return any(o.get("uid") == workload["metadata"]["uid"] for o in item["metadata"].get("ownerReferences") or ())


def _condition(item: Json) -> bool:
    return any(
        c.get("type") == "ReplicaFailure" and c.get("status") == "True"
        for c in item.get("status", {}).get("conditions", ())
    )
