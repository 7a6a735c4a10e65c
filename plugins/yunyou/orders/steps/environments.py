"""The steps of an environment: its namespace, its baseline, and what is removed from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.contracts.json import Json
from app.db import db, new_id
from app.kube import paths
from app.orders.models import OrderNode
from app.orders.steps import DONE, Context, Outcome, Simple
from app.words import _, pgettext
from plugins.yunyou.environments import service as environments
from plugins.yunyou.manifests.labels import made_labels
from plugins.yunyou.orders import freezing
from plugins.yunyou.orders.steps.common import environment_of, kept_target, kube, outputs
from plugins.yunyou.products import baseline
from plugins.yunyou.products.models import ReleaseRecord
from plugins.yunyou.products.rules.baseline import product_of
from plugins.yunyou.products.rules.baseline_changes import changed
from plugins.yunyou.resources import load_balancers

LAST_STEPS = ("yunyou.finish", "yunyou.task", "yunyou.remove")


class Namespace(Simple):
    """Make the environment's namespace."""

    name = "yunyou.namespace"
    title = _("Namespace")

    def apply(self, ctx: Context) -> None:
        """Create it unless it is there."""
        environments.ensure_namespace(environment_of(ctx))


class Baseline(Simple):
    """Write what is true now into the baseline, with what was sent, and keep a record to return to (Y-37, Y-50)."""

    name = "yunyou.baseline"
    title = pgettext("step of an order", "Baseline")

    def apply(self, ctx: Context) -> None:
        """Change the baseline for this product; applications that were skipped or left out stay as they were."""
        environment = environment_of(ctx)
        code = str(ctx.spec["product"])
        whole = kept_target(ctx)
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
