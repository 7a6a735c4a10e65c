"""What the steps share: the environment, the frozen plan, one view of the cluster per tick, and sending objects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.contracts.json import Json
from app.db import db, rows
from app.errors import ConsoleError, ErrorCode
from app.kube import paths
from app.kube.client import Kube
from app.kube.errors import DENIED
from app.orders.steps import Context
from app.words import _, plain
from plugins.yunyou.documents.quantities import value
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import kube_of
from plugins.yunyou.manifests.labels import NAME, ORDER
from plugins.yunyou.manifests.objects import marked, workload_of
from plugins.yunyou.orders import freezing, object_ownership
from plugins.yunyou.orders.freezing import Plan
from plugins.yunyou.orders.rules import rollout
from plugins.yunyou.products import live_objects
from plugins.yunyou.resources.models import LoadBalancer

CANNOT_GROW = ErrorCode(
    "YUNYOU/VOLUME_CANNOT_GROW",
    409,
    _("The volume of {claim} cannot grow: {detail}"),
    _(
        "Let its storage class {storage} expand volumes (allowVolumeExpansion) and retry, or leave the size in the "
        "solution as it was."
    ),
)


ERRORS = (CANNOT_GROW,)


def environment_of(ctx: Context) -> Environment:
    """The order's environment."""
    found = ctx.cache.get("environment")
    if found is None:
        found = ctx.cache["environment"] = db.session.get(Environment, ctx.order.environment_id)
    assert isinstance(found, Environment)
    return found


def kube(ctx: Context) -> Kube:
    """The API of the environment's cluster."""
    return kube_of(environment_of(ctx))


def plan_of(ctx: Context) -> Plan:
    """What is frozen for the step's application; decrypted once per tick."""
    plans: dict[str, Plan] = ctx.cache.setdefault("plans", {})
    key = str(ctx.spec["application"])
    if key not in plans:
        plans[key] = freezing.load(ctx.order.id, key)
    return plans[key]


def view_of(ctx: Context) -> live_objects.View:
    """What runs in the namespace, read once per tick."""
    if "view" not in ctx.cache:
        ctx.cache["view"] = live_objects.look(environment_of(ctx))
    found: live_objects.View = ctx.cache["view"]
    return found


def outputs(ctx: Context) -> dict[str, str]:
    """What resources of the environment gave: for references that only the execution knows."""
    found = rows(select(LoadBalancer).where(LoadBalancer.environment_id == ctx.order.environment_id))
    return {f"lb.{row.name}.address": row.address for row in found if row.address}


def is_adopted(ctx: Context, key: str) -> bool:
    """Whether a person chose to take over foreign objects and fields of this application."""
    return key in ctx.order.options.get("adopt", ())


def send(ctx: Context, plan: Plan, items: Sequence[Json]) -> Json:
    """Apply objects server-side, in order; the last one's answer.

    :raises ConsoleError: YUNYOU/FOREIGN_OBJECT, KUBE/…
    """
    answer: Json = {}
    adopted = is_adopted(ctx, plan.owner)
    for item in items:
        answer = kube(ctx).apply(item, force=adopted)
    return answer


def refuse_strangers(ctx: Context, plan: Plan, items: Sequence[Json]) -> dict[str, Json]:
    """Refuse objects that this environment and product did not make.

    :returns: the live objects by ``Kind/name``
    :raises ConsoleError: YUNYOU/FOREIGN_OBJECT naming the owner
    """
    found: dict[str, Json] = {}
    for item in items:
        now = kube(ctx).find(paths.of_object(item))
        if now is None:
            continue
        found[object_ownership.object_key(item)] = {**now, "kind": item["kind"]}
        owner = object_ownership.owner_of(now, environment_of(ctx), plan.product["code"])
        if owner is not None and not is_adopted(ctx, plan.owner):
            raise object_ownership.FOREIGN(
                kind=item["kind"], name=item["metadata"]["name"], owner=owner, extra={"application": plan.owner}
            )
    return found


def refuse_moved(ctx: Context, plan: Plan, items: Sequence[Json]) -> dict[str, Json]:
    """Refuse strangers' objects, and ones that moved since the plan was made.

    Asked while a step captures what is there: that is kept before its first write, so that a worker which goes on
    after another one died does not take that one's writes for somebody else's.

    :returns: the live objects by ``Kind/name``
    :raises ConsoleError: YUNYOU/FOREIGN_OBJECT, YUNYOU/CLUSTER_MOVED naming the objects
    """
    found = refuse_strangers(ctx, plan, items)
    moved = [
        key
        for key in map(object_ownership.object_key, items)
        if object_ownership.identity(found.get(key)) != plan.seen.get(key, "")
        and not _ours(found.get(key), ctx.order.id)
    ]
    if moved:
        raise object_ownership.CLUSTER_MOVED(objects=plain(", ".join(moved)), extra={"objects": moved})
    return found


def _ours(found: Json | None, order_id: str) -> bool:
    return found is not None and (found["metadata"].get("annotations") or {}).get(ORDER) == order_id


def ready_objects(ctx: Context, plan: Plan) -> list[Json]:
    """The plan's objects with references filled and the order noted on the workload."""
    items = freezing.filled(plan.objects, plan.open, outputs(ctx))
    return marked(items, ctx.order.id, ctx.order.plan_hash)


def staged_workload(ctx: Context, plan: Plan, patch: Json, found: Json | None = None) -> Json:
    """The plan's workload with a stage's patch laid over it, its unchangeable fields as the cluster has them."""
    workload = workload_of(ready_objects(ctx, plan))
    if found is not None:
        workload, __ = rollout.keep_immutable(workload, found)
    return rollout.staged(workload, patch)


def remove_leaving(ctx: Context, plan: Plan) -> None:
    """Delete what is no more part of the application."""
    for kind, name, uid in plan.leaving:
        if kube(ctx).delete(paths.one(kind, environment_of(ctx).namespace, name), uid=uid):
            ctx.log(f"deleted {kind}/{name}, which is no more part of {plan.owner}")


def settle_claims(ctx: Context, plan: Plan) -> None:
    """Label the claims of a StatefulSet like everything else of it, and grow those that are to be larger.

    :raises ConsoleError: YUNYOU/VOLUME_CANNOT_GROW where the storage class does not let it; KUBE/…
    """
    templates, marks = rollout.claims_of(plan.workload), plan.workload["metadata"]["labels"]
    if not templates:
        return
    namespace = environment_of(ctx).namespace
    chosen = {"labelSelector": f"{NAME}={plan.application}"}
    for claim in kube(ctx).get(paths.collection("PersistentVolumeClaim", namespace), chosen)["items"]:
        name = claim["metadata"]["name"]
        spec = templates.get(name.rpartition("-")[0].removesuffix(f"-{plan.name}"))
        if spec is None:
            continue
        wanted, has = (one["resources"]["requests"]["storage"] for one in (spec, claim["spec"]))
        grown = {"spec": {"resources": {"requests": {"storage": wanted}}}} if value(wanted) > value(has) else {}
        if grown or not marks.items() <= claim["metadata"]["labels"].items():
            _change_claim(ctx, claim, {"metadata": {"labels": marks}, **grown})


def _change_claim(ctx: Context, claim: Json, change: Json) -> None:
    name = claim["metadata"]["name"]
    try:
        kube(ctx).patch(paths.one("PersistentVolumeClaim", environment_of(ctx).namespace, name), change)
    except ConsoleError as error:
        detail = str(error.values.get("detail", ""))
        # Kubernetes' admission plugin PersistentVolumeClaimResize refuses with the status of a missing right.
        if error.kind is not DENIED or not {"resize", "expanded"} & set(detail.split()):
            raise
        raise CANNOT_GROW(claim=name, detail=detail, storage=claim["spec"].get("storageClassName") or "-") from error


def live_workload(ctx: Context, plan: Plan) -> Json | None:
    """The workload as the cluster has it now, asked directly."""
    found = kube(ctx).find(paths.one(plan.kind, environment_of(ctx).namespace, plan.name))
    return {**found, "kind": plan.kind} if found else None


def kept_target(ctx: Context) -> Json:
    """The order's target and how the baseline will change."""
    if "whole" not in ctx.cache:
        ctx.cache["whole"] = freezing.load_target(ctx.order.id)
    found: Json = ctx.cache["whole"]
    return found
