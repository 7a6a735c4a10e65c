"""The step of a one-off task: a Job that runs to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.contracts.json import Json
from app.errors import ErrorCode
from app.orders.steps import Context, Outcome, Simple
from app.words import _
from plugins.yunyou.orders.steps import failures
from plugins.yunyou.orders.steps.common import (
    plan_of,
    ready_objects,
    refuse_moved,
    refuse_strangers,
    remove_leaving,
    send,
    view_of,
)

TASK_FAILED = ErrorCode(
    "YUNYOU/TASK_FAILED",
    422,
    _("The one-off task {name} failed: {detail}"),
    _("Read its log, correct the cause, and retry: it runs again as a new Job."),
)


ERRORS = (TASK_FAILED,)


class Task(Simple):
    """A one-off task as a Job, whose name tells order and attempt, so that a repeated start finds its own (guide
    2.7).
    """

    name = "yunyou.task"
    title = _("Run once")

    def _objects(self, ctx: Context) -> list[Json]:
        plan = plan_of(ctx)
        found = []
        for item in ready_objects(ctx, plan):
            if item["kind"] == "Job" and ctx.node.attempt > 1:
                name = f"{item['metadata']['name'].rpartition('-')[0]}-{ctx.node.attempt}"
                item = {**item, "metadata": {**item["metadata"], "name": name}}
            found.append(item)
        return found

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        """Whether what stands beside the Job is as it was planned."""
        refuse_moved(ctx, plan_of(ctx), self._beside(self._objects(ctx)))
        return {}

    def _beside(self, items: list[Json]) -> list[Json]:
        return [item for item in items if item["kind"] != "Job"]

    def apply(self, ctx: Context) -> None:
        """Create the Job."""
        plan = plan_of(ctx)
        items = self._objects(ctx)
        refuse_strangers(ctx, plan, self._beside(items))
        send(ctx, plan, items)
        ctx.node.result = {"job": next(i["metadata"]["name"] for i in items if i["kind"] == "Job")}

    def check(self, ctx: Context) -> Outcome:
        """Complete, failed with the last lines, or still running; only conditions that are True count."""
        plan = plan_of(ctx)
        name = str((ctx.node.result or {}).get("job", plan.name))
        found = view_of(ctx).workload("Job", name)
        if found is None:
            return Outcome(detail={"note": "waiting for the cluster"})
        conditions = {c["type"]: c for c in found.get("status", {}).get("conditions", ()) if c.get("status") == "True"}
        if "Complete" in conditions:
            remove_leaving(ctx, plan)
            return Outcome(done=True, result=ctx.node.result)
        pods = [p for p in view_of(ctx).pods_of(plan.application) if _owner(p) == found["metadata"]["uid"]]
        if "Failed" in conditions:
            detail = conditions["Failed"].get("message") or "the container ended with an error"
            error = TASK_FAILED(name=plan.application, detail=detail)
            for pod in pods[-1:]:
                error.extra = {"pod": pod["metadata"]["name"], "log": failures.last_lines(ctx, pod, plan.application)}
            return Outcome(error=error)
        going = [pod for pod in pods if pod["status"].get("phase") != "Failed"]  # what a failed one means, the Job says
        reason, may_pass = failures.find(ctx, plan, found, going, ("",))
        return Outcome(progress=0.5 if pods else 0.1, error=reason, may_pass=may_pass)


def _owner(pod: Json) -> str:
    return next((o.get("uid", "") for o in pod["metadata"].get("ownerReferences") or () if o.get("controller")), "")
