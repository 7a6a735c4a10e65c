"""The step of one group of an application: its pods are replaced, and counted until they are ready (Y-32)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.contracts.json import Json
from app.db import now
from app.kube import paths
from app.orders.steps import Context, Outcome
from app.words import _
from plugins.yunyou.manifests.pod_view import PodView, view
from plugins.yunyou.orders.freezing import Plan
from plugins.yunyou.orders.rules import rollout
from plugins.yunyou.orders.steps import failures
from plugins.yunyou.orders.steps.applications import hosts_only, is_seen, made_by, scaled
from plugins.yunyou.orders.steps.common import (
    environment_of,
    kube,
    live_workload,
    plan_of,
    send,
    staged_workload,
    view_of,
)

MIN_READY = (
    3.0  # seconds; without a readiness probe a container is ready as soon as it runs, and may crash the next moment
)


class Group:
    """Replace the pods of one group and wait until they are ready at the new revision (Y-32)."""

    name = "yunyou.group"
    title = _("Replace the pods")

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        """Nothing: the start step did."""
        return {}

    def apply(self, ctx: Context) -> None:
        """Let this group be new, towards an absolute target."""
        plan = plan_of(ctx)
        if plan.mode != "update":
            self._grow(ctx, plan)
        elif plan.kind == "Deployment":
            self._send(
                ctx,
                plan,
                rollout.staged(rollout.deployment_start(1), rollout.deployment_raise(int(ctx.spec["cumulative"]))),
            )
        else:
            self._replace(ctx, plan)

    def _grow(self, ctx: Context, plan: Plan) -> None:
        if plan.kind == "DaemonSet":
            ctx.node.result = {"generation": 0}
            return
        current = live_workload(ctx, plan)
        count = int(ctx.spec["cumulative"])
        if plan.mode == "scale":
            count = scaled(plan, current, count)
        if current is not None and current["spec"].get("replicas") == count and ctx.spec["group"] == 1:
            ctx.node.result = made_by(current)
            return
        self._send(ctx, plan, {"spec": {"replicas": count}}, current)

    def _send(self, ctx: Context, plan: Plan, patch: Json, current: Json | None = None) -> None:
        current = current or live_workload(ctx, plan)
        answer = send(ctx, plan, [staged_workload(ctx, plan, patch, current)])
        ctx.node.result = made_by(answer)

    def _replace(self, ctx: Context, plan: Plan) -> None:
        """StatefulSet and DaemonSet: set the partition, then delete the group's stale pods together."""
        if plan.kind == "StatefulSet" and not hosts_only(ctx):
            partition = int(plan.workload["spec"]["replicas"]) - int(ctx.spec["cumulative"])
            self._send(ctx, plan, rollout.stateful_partition(partition))
        else:
            found = live_workload(ctx, plan)
            ctx.node.result = made_by(found) if found else {"generation": 0}

    def check(self, ctx: Context) -> Outcome:
        """Count the group's pods; delete stale ones once the new revision is known; name what fails."""
        plan = plan_of(ctx)
        found = view_of(ctx).workload(plan.kind, plan.name)
        if found is None:
            return Outcome(progress=0.0, detail={"note": "waiting for the cluster"})
        raw = view_of(ctx).pods_of(plan.application, plan.cell)
        pods = [view(pod) for pod in raw]
        progress = self._progress(ctx, plan, found, pods)
        if progress is None:
            return Outcome(progress=0.0, detail={"note": "waiting for the controller"})
        detail = {"wanted": progress.wanted, "updated": progress.updated, "ready": progress.ready}
        if progress.done:
            return Outcome(done=True, progress=1.0, detail=detail, result=ctx.node.result)
        error, may_pass = failures.find(ctx, plan, found, _newest(ctx, plan, found, raw), progress.waiting)
        return Outcome(progress=progress.ready / max(1, progress.wanted), detail=detail, error=error, may_pass=may_pass)

    def _progress(self, ctx: Context, plan: Plan, found: Json, pods: list[PodView]) -> rollout.Progress | None:
        seen = is_seen(ctx, found)
        moment = now()
        if plan.kind == "Deployment":
            return self._of_deployment(ctx, plan, found, pods, seen)
        if plan.kind == "DaemonSet":
            return self._of_daemonset(ctx, plan, found, pods, seen)
        revision = str(found["status"].get("updateRevision", ""))
        if not seen or not revision:
            return None
        names = [str(name) for name in ctx.spec["names"]] or [
            f"{plan.name}-{at}" for at in range(int(ctx.spec["cumulative"]))
        ]
        self._delete_stale(ctx, plan, pods, names, revision)
        owner = found["metadata"]["uid"]
        return rollout.named_progress(
            pods, names, owner=owner, revision=revision, now=moment, min_ready=_min_ready(plan), seen=seen
        )

    def _of_deployment(
        self, ctx: Context, plan: Plan, found: Json, pods: list[PodView], seen: bool
    ) -> rollout.Progress | None:
        sets = view_of(ctx).objects("replicasets")
        newest = rollout.current_replica_set(found, sets)
        if newest is None or not seen:
            return None
        cumulative = min(int(ctx.spec["cumulative"]), int(found["spec"].get("replicas") or 0))
        return rollout.counted_progress(
            pods, cumulative, owner=newest["metadata"]["uid"], now=now(), min_ready=_min_ready(plan), seen=seen
        )

    def _of_daemonset(
        self, ctx: Context, plan: Plan, found: Json, pods: list[PodView], seen: bool
    ) -> rollout.Progress | None:
        if not seen:
            return None
        status, revision = found["status"], _daemon_revision(ctx, found)
        if plan.mode == "create" or not ctx.spec["names"]:
            if revision:  # none is stale but after a correction of the plan
                mine = [pod for pod in pods if pod.owner == found["metadata"]["uid"]]
                self._delete_stale(ctx, plan, pods, [pod.name for pod in mine], revision)
            wanted = int(status.get("desiredNumberScheduled", 0))
            return rollout.counted_progress(
                pods, wanted, owner=found["metadata"]["uid"], now=now(), min_ready=_min_ready(plan), seen=wanted > 0
            )
        if not revision:
            return None
        nodes = [str(name) for name in ctx.spec["names"]]
        mine = [pod for pod in pods if pod.node in nodes]
        self._delete_stale(ctx, plan, mine, [pod.name for pod in mine], revision)
        placed = {pod.node for pod in pods if pod.owner == found["metadata"]["uid"] and not pod.deleting}
        if len(placed) >= int(status.get("desiredNumberScheduled", 0)):  # other nodes are gone, or take none any more
            nodes = [name for name in nodes if name in placed]
        return rollout.named_progress(
            pods,
            nodes,
            owner=found["metadata"]["uid"],
            revision=revision,
            now=now(),
            min_ready=_min_ready(plan),
            seen=seen,
            by_node=True,
        )

    def _delete_stale(self, ctx: Context, plan: Plan, pods: list[PodView], names: list[str], revision: str) -> None:
        by_name = {pod.name: pod for pod in pods}
        for name in rollout.to_delete(pods, names, revision):
            path = paths.one("Pod", environment_of(ctx).namespace, name)
            if kube(ctx).delete(path, uid=by_name[name].uid):
                ctx.log(f"deleted {name}, which ran another revision")


def _min_ready(plan: Plan) -> float:
    """Seconds that a pod must have been ready to count: none where a probe asks every container."""
    containers = plan.workload["spec"]["template"]["spec"]["containers"]
    return 0.0 if all("readinessProbe" in container for container in containers) else MIN_READY


def _daemon_revision(ctx: Context, found: Json) -> str:
    """The newest revision of a DaemonSet, asked for once per tick."""
    key = f"revision of {found['metadata']['uid']}"
    if key not in ctx.cache:
        items = kube(ctx).get(paths.collection("ControllerRevision", environment_of(ctx).namespace))["items"]
        ctx.cache[key] = rollout.daemon_revision(found, items)
    return str(ctx.cache[key])


def _newest(ctx: Context, plan: Plan, found: Json, pods: list[Json]) -> list[Json]:
    """The pods of the newest revision: what keeps an older one from starting is no trouble of this order any more."""
    if plan.kind == "Deployment":
        newest = rollout.current_replica_set(found, view_of(ctx).objects("replicasets"))
        return [pod for pod in pods if newest is not None and view(pod).owner == newest["metadata"]["uid"]]
    if plan.kind == "DaemonSet":
        revision = _daemon_revision(ctx, found)
        return [pod for pod in pods if not revision or view(pod).revision == revision]
    return pods
