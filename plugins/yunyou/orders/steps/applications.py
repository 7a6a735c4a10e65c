"""The steps of one application: its manifests are sent held back, and let go when its pods are replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.contracts.json import Json
from app.kube import paths
from app.orders.steps import DONE, Context, Outcome
from app.words import _
from plugins.yunyou.orders import object_ownership
from plugins.yunyou.orders.freezing import Plan
from plugins.yunyou.orders.rules import rollout
from plugins.yunyou.orders.steps.common import (
    kube,
    live_workload,
    plan_of,
    ready_objects,
    refuse_moved,
    refuse_strangers,
    remove_leaving,
    send,
    settle_claims,
    staged_workload,
    view_of,
)


def first_group(ctx: Context) -> int:
    """How many pods the first group of the step's application has."""
    groups = ctx.order.plan["applications"][ctx.spec["application"]]["groups"]
    return int(groups[0]["size"]) if groups else 0


def hosts_only(ctx: Context) -> bool:
    """Whether the application goes host by host."""
    return bool(ctx.order.plan["applications"][ctx.spec["application"]]["strategy"] == "per-host")


class Start:
    """Send the manifests with everything held back: nothing of the new version runs after this step alone."""

    name = "yunyou.start"
    title = _("Apply the manifests")

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        """What the workload looks like before: its image, replicas and generation."""
        plan = plan_of(ctx)
        found = refuse_moved(ctx, plan, ready_objects(ctx, plan)).get(f"{plan.kind}/{plan.name}")
        if found is None:
            return {"existed": False}
        spec = found["spec"]
        images = [c["image"] for c in spec["template"]["spec"]["containers"]]
        return {
            "existed": True,
            "images": images,
            "replicas": spec.get("replicas"),
            "generation": found["metadata"].get("generation"),
        }

    def apply(self, ctx: Context) -> None:
        """Apply supporting objects, then the workload."""
        plan = plan_of(ctx)
        items = ready_objects(ctx, plan)
        found = refuse_strangers(ctx, plan, items)
        current = found.get(f"{plan.kind}/{plan.name}")
        settle_claims(ctx, plan)
        if current is not None and rollout.is_made_anew(plan.workload, current):
            path, uid = paths.of_object(plan.workload), current["metadata"]["uid"]
            kube(ctx).delete(path, uid=uid, propagation="Orphan")
            ctx.node.result = {"replaced": uid}
            ctx.log(f"deleted {plan.kind}/{plan.name} but not its pods: it is made anew with other claim templates")
            return
        others = [item for item in items if item["kind"] != plan.kind]
        send(ctx, plan, others)
        patch = self._held_back(ctx, plan, current)
        answer = send(ctx, plan, [staged_workload(ctx, plan, patch, current)])
        ctx.node.result = made_by(answer)
        ctx.log(f"applied {', '.join(object_ownership.object_key(item) for item in items)}")

    def _held_back(self, ctx: Context, plan: Plan, current: Json | None) -> Json:
        first = first_group(ctx)
        if plan.mode == "create":
            return {} if plan.kind == "DaemonSet" else {"spec": {"replicas": first}}
        if plan.mode == "scale":
            return {"spec": {"replicas": scaled(plan, current, first)}}
        if plan.at_once:
            return {}
        if plan.kind == "StatefulSet":
            return rollout.stateful_start(int(plan.workload["spec"]["replicas"]), by_host=hosts_only(ctx))
        if plan.kind == "Deployment":
            return rollout.deployment_start(first)
        return {}

    def check(self, ctx: Context) -> Outcome:
        """Done: the groups look after the pods. What is made anew is sent once the old object is gone."""
        if "replaced" not in (ctx.node.result or {}):
            return DONE
        plan = plan_of(ctx)
        if live_workload(ctx, plan) is None:
            self.apply(ctx)
        return Outcome(progress=0.5)


def scaled(plan: Plan, current: Json | None, cumulative: int) -> int:
    """Replicas after a group of a scaling: from what runs towards the target, never past it."""
    target = int(plan.workload["spec"]["replicas"])
    runs = int((current or {}).get("spec", {}).get("replicas") or 0)
    return max(runs, min(cumulative, target)) if target >= runs else target


def made_by(answer: Json) -> Json:
    """Which state of the workload a step made, as its result keeps it."""
    return {"generation": answer["metadata"].get("generation", 0), "uid": answer["metadata"]["uid"]}


def is_seen(ctx: Context, found: Json) -> bool:
    """Whether the controller has seen what the step made of the workload."""
    result = ctx.node.result or {}
    return rollout.caught_up(found, int(result.get("generation", 0)), str(result.get("uid", "")))


class Finish:
    """Let go: every pod that comes from now on is new; the fields that held pods back are as they were."""

    name = "yunyou.finish"
    title = _("Finish")

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def apply(self, ctx: Context) -> None:
        """Apply the workload as it is to stay, and remove what is no more part of the application."""
        plan = plan_of(ctx)
        remove_leaving(ctx, plan)
        settle_claims(ctx, plan)
        current = live_workload(ctx, plan)
        answer = send(ctx, plan, [staged_workload(ctx, plan, {}, current)])
        ctx.node.result = made_by(answer)

    def check(self, ctx: Context) -> Outcome:
        """Done when the controller has seen it."""
        plan = plan_of(ctx)
        found = view_of(ctx).workload(plan.kind, plan.name)
        seen = found is not None and is_seen(ctx, found)
        return DONE if seen else Outcome(progress=0.5)
