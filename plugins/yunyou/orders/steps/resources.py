"""The steps around applications: namespace, load balancers, one-off tasks, domains, the baseline, removal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.contracts.dns import DnsRecords
from app.db import db, new_id, now
from app.errors import ErrorCode
from app.kube import paths
from app.orders.models import OrderNode
from app.orders.steps import DONE, Context, Outcome, Simple
from app.services import find_service
from app.words import _, pgettext
from plugins.yunyou.documents import parsing
from plugins.yunyou.environments import service as environments
from plugins.yunyou.manifests.labels import made_labels
from plugins.yunyou.manifests.objects import load_balancer
from plugins.yunyou.orders import freezing, object_ownership
from plugins.yunyou.orders.steps import trouble
from plugins.yunyou.orders.steps.common import (
    Json,
    environment_of,
    is_adopted,
    kube,
    outputs,
    plan_of,
    ready_objects,
    refuse_moved,
    refuse_strangers,
    remove_leaving,
    send,
    view_of,
)
from plugins.yunyou.products import baseline
from plugins.yunyou.products.models import ReleaseRecord
from plugins.yunyou.products.rules.baseline import product_of
from plugins.yunyou.products.rules.baseline_changes import changed
from plugins.yunyou.resources import load_balancers
from plugins.yunyou.resources.models import LoadBalancer as BalancerRow

TASK_FAILED = ErrorCode(
    "YUNYOU/TASK_FAILED",
    422,
    _("The one-off task {name} failed: {detail}"),
    _("Read its log, correct the cause, and retry: it runs again as a new Job."),
)
ERRORS = (TASK_FAILED,)
ADDRESS_SECONDS = 20
LAST_STEPS = ("yunyou.finish", "yunyou.task", "yunyou.remove")


class Namespace(Simple):
    """Make the environment's namespace."""

    name = "yunyou.namespace"
    title = _("Namespace")

    def apply(self, ctx: Context) -> None:
        """Create it unless it is there."""
        environments.ensure_namespace(environment_of(ctx))


def _whole(ctx: Context) -> Json:
    """The order's target and how the baseline will change."""
    if "whole" not in ctx.cache:
        ctx.cache["whole"] = freezing.load_target(ctx.order.id)
    found: Json = ctx.cache["whole"]
    return found


class LoadBalancer(Simple):
    """A Service of type LoadBalancer; its address is waited for a while, since parameters may refer to it (Y-72)."""

    name = "yunyou.load-balancer"
    title = _("Load balancer")

    def _manifest(self, ctx: Context) -> tuple[Any, Any, Json]:
        document = parsing.kept(_whole(ctx)["document"])
        product = document.product(str(ctx.spec["product"]))
        assert product is not None
        balancer = next(b for b in product.load_balancers if b.name == ctx.spec["balancer"])
        return product, balancer, load_balancer(product, balancer, freezing.place_of(environment_of(ctx)))

    def apply(self, ctx: Context) -> None:
        """Apply the Service, unless a stranger's is in the way."""
        product, balancer, manifest = self._manifest(ctx)
        environment = environment_of(ctx)
        found = kube(ctx).find(paths.of_object(manifest))
        key = f"{product.code}/{balancer.application}"
        owner = object_ownership.owner_of(found, environment, product.code) if found else None
        if owner is not None and not is_adopted(ctx, key):
            raise object_ownership.FOREIGN(kind="Service", name=balancer.name, owner=owner, extra={"application": key})
        kube(ctx).apply(manifest, force=is_adopted(ctx, key))
        load_balancers.keep(environment, parsing.kept(_whole(ctx)["document"]), product, balancer)

    def check(self, ctx: Context) -> Outcome:
        """Done with an address; without one after a while it goes on, and the address is kept when it comes."""
        environment = environment_of(ctx)
        address = load_balancers.learn(environment, str(ctx.spec["balancer"]), kube(ctx))
        if address:
            return Outcome(done=True, result={"address": address})
        if ctx_age(ctx) > ADDRESS_SECONDS or (ctx_age(ctx) > 2 and not self._is_asked_for(ctx)):
            ctx.log("the cluster gave no address yet; it is kept as soon as it does", "warning")
            return Outcome(done=True, result={"address": None})
        return Outcome(progress=0.5, detail={"note": "waiting for an address"})

    def _is_asked_for(self, ctx: Context) -> bool:
        wanted = f"lb.{ctx.spec['balancer']}.address"
        return any(wanted in plan.open for plan in freezing.load_all(ctx.order.id))


def ctx_age(ctx: Context) -> float:
    """Seconds since the step began."""
    return (now() - ctx.node.started_at).total_seconds() if ctx.node.started_at else 0.0


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
                error.extra = {"pod": pod["metadata"]["name"], "log": trouble.last_lines(ctx, pod, plan.application)}
            return Outcome(error=error)
        reason, may_pass = trouble.find(ctx, plan, found, pods, ("",))
        return Outcome(progress=0.5 if pods else 0.1, error=reason, may_pass=may_pass)


def _owner(pod: Json) -> str:
    return next((o.get("uid", "") for o in pod["metadata"].get("ownerReferences") or () if o.get("controller")), "")


class Domain(Simple):
    """Register a load balancer's domain through the site's DNS (D-3)."""

    name = "yunyou.domain"
    title = _("Domain")

    def apply(self, ctx: Context) -> None:
        """Register the name; a site without DNS, or a balancer without an address, is told in the log."""
        environment = environment_of(ctx)
        row = _row(ctx)
        service = find_service(DnsRecords)
        if row is None or not row.domain:
            return
        address = row.address or environment.access_address
        if service is None:
            ctx.log(f"{row.domain} is not registered: this site has no DNS plugin", "warning")
        elif not address:
            ctx.log(f"{row.domain} waits for an address of {row.name}", "warning")
        else:
            service.register(environment.tenant_id, row.domain, [address], row.owner)
            ctx.node.result = {"domain": row.domain, "address": address}
            ctx.log(f"{row.domain} → {address}")


def _row(ctx: Context) -> BalancerRow | None:
    return db.session.scalar(
        select(BalancerRow).where(
            BalancerRow.environment_id == ctx.order.environment_id, BalancerRow.name == str(ctx.spec["balancer"])
        )
    )


class Baseline(Simple):
    """Write what is true now into the baseline, with what was sent, and keep a record to return to (Y-37, Y-50)."""

    name = "yunyou.baseline"
    title = pgettext("step of an order", "Baseline")

    def apply(self, ctx: Context) -> None:
        """Change the baseline for this product; applications that were skipped or left out stay as they were."""
        environment = environment_of(ctx)
        code = str(ctx.spec["product"])
        whole = _whole(ctx)
        change = dict(whole["change"])
        plans = [plan for plan in freezing.load_all(ctx.order.id) if plan.product["code"] == code]
        ended = self._ended(ctx)
        done = {plan.owner for plan in plans} - {plan.owner for plan in plans if plan.key not in ended}
        if change["kind"] == "release":
            change["applications"] = [key for key in change["applications"] if key in done]
        elif change["kind"] == "operate":
            change["fields"] = {key: fields for key, fields in change["fields"].items() if key in done}
            change["removed"] = [key for key in change.get("removed", ()) if key in ended]
        after = baseline.change(environment, lambda before: changed(before, change, {code}))
        known = outputs(ctx)
        for name in {plan.application for plan in plans if plan.owner in done}:
            objects = [
                item
                for plan in plans
                if plan.application == name
                for item in freezing.filled(plan.objects, plan.open, known)
            ]
            baseline.sent(environment, name, objects, ctx.order.id)
        load_balancers.forget(environment, code, after)
        product = product_of(after, code)
        if product is not None and ctx.order.type == "release":
            self._record(ctx, product)

    def _ended(self, ctx: Context) -> set[str]:
        """Keys of what was sent or removed to its end."""
        keys = db.session.scalars(
            select(OrderNode.key).where(
                OrderNode.order_id == ctx.order.id, OrderNode.state == "succeeded", OrderNode.step.in_(LAST_STEPS)
            )
        )
        return {key.rpartition("/")[0] for key in keys}

    def _record(self, ctx: Context, product: Json) -> None:
        environment = environment_of(ctx)
        same = db.session.scalar(
            select(ReleaseRecord.id).where(
                ReleaseRecord.order_id == ctx.order.id, ReleaseRecord.product == product["code"]
            )
        )
        if same is None:
            subject = ctx.order.subject_id if ctx.order.subject_type == "solution" else None
            db.session.add(
                ReleaseRecord(
                    id=new_id(),
                    tenant_id=environment.tenant_id,
                    environment_id=environment.id,
                    product=product["code"],
                    release=product["version"],
                    order_id=ctx.order.id,
                    solution_id=subject,
                    content=json.dumps(product, ensure_ascii=False),
                    creator=ctx.order.creator,
                )
            )


class Remove(Simple):
    """Remove what this environment made for one application, or for one cell of it; its claims stay."""

    name = "yunyou.remove"
    title = _("Remove")

    def _found(self, ctx: Context) -> list[tuple[str, str]]:
        environment = environment_of(ctx)
        labels = made_labels(environment.id, ctx.spec["name"], ctx.spec["cell"])
        chosen = {"labelSelector": ",".join(f"{label}={value}" for label, value in labels.items())}
        return [
            (paths.one(kind, environment.namespace, item["metadata"]["name"]), item["metadata"]["uid"])
            for kind in freezing.REMOVED_KINDS
            for item in kube(ctx).get(paths.collection(kind, environment.namespace), chosen)["items"]
        ]

    def capture(self, ctx: Context) -> Mapping[str, Any]:
        """What is there."""
        return {"objects": [path for path, __ in self._found(ctx)]}

    def apply(self, ctx: Context) -> None:
        """Delete each object, by its UID."""
        for path, uid in self._found(ctx):
            kube(ctx).delete(path, uid=uid)
            ctx.log(f"deleted {path}")

    def check(self, ctx: Context) -> Outcome:
        """Done when nothing of it is left."""
        left = len(self._found(ctx))
        return DONE if not left else Outcome(progress=0.5, detail={"left": left})
