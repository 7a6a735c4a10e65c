"""Orders planned anew: one that queued, before it starts; one that failed, with the corrections of its solution."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select

from app.db import db
from app.errors import ErrorCode
from app.orders import locks, tree
from app.orders.history import event, move
from app.orders.make import plan_hash, plant
from app.orders.models import Order, OrderNode
from app.words import _, plain
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.parameters import entries_of
from plugins.yunyou.documents.variables import Renderings, setting_of
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import kube_of
from plugins.yunyou.manifests.objects import workload_of
from plugins.yunyou.orders import freezing
from plugins.yunyou.orders.freezing import Cluster, Plan
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.service import draft, freeze, public_plan
from plugins.yunyou.planning import parameters
from plugins.yunyou.products import baseline
from plugins.yunyou.products.rules import baseline as baseline_rules
from plugins.yunyou.products.rules.baseline_changes import changed
from plugins.yunyou.resources.outputs import known_outputs
from plugins.yunyou.solutions.models import Solution
from plugins.yunyou.solutions.service import document_of

BASE_MOVED = ErrorCode(
    "YUNYOU/PLAN_OUTDATED",
    409,
    _("The baseline moved after the plan of {order} was made."),
    _("Retry to go on with this plan, or cancel the order and preview a new one."),
)
ERRORS = (BASE_MOVED,)


def before_start(order: Order) -> None:
    """A queued order whose base or cluster moved while it waited is planned anew; one that somebody previewed stops and
    asks.

    :raises ConsoleError: YUNYOU/PLAN_OUTDATED
    """
    environment = db.session.get(Environment, order.environment_id)
    if environment is None:
        return
    moved = plan_hash(baseline.document_of(environment)) != order.options.get("baseline")
    earlier = select(Order.id).where(
        Order.environment_id == environment.id, Order.id != order.id, Order.finished_at >= order.created_at
    )
    if not moved and db.session.scalar(earlier.limit(1)) is None:
        return
    if not plan_again(order) and moved:
        raise BASE_MOVED(order=plain(order.title))


def plan_again(order: Order) -> bool:
    """Plan an order that nobody previewed anew, from what became true while it queued; nothing of it ran yet.

    :returns: False when only a person can decide: the plan was previewed, is a rollback, or reaches further now
    :raises ConsoleError: as :func:`draft`
    """
    request = msgspec.convert(order.options["request"], OrderRequest)
    if request.preview or order.rollback_of or request.operation == "sync":
        return False
    planned = draft(request)
    if not set(planned.scopes) <= set(locks.scopes_of(order)):
        return False
    freezing.forget(order.id)
    plant(order, public_plan(planned), planned.roots)
    freeze(order, planned)
    order.options = {**order.options, "baseline": planned.target.baseline_hash}
    return True


def before_retry(order: Order, leaves: Sequence[OrderNode]) -> None:
    """Freeze failed applications anew from the plan as it is now, and start those that changed from their first
    step.
    """
    environment = db.session.get(Environment, order.environment_id)
    if environment is None:
        return
    order.options = {**order.options, "baseline": plan_hash(baseline.document_of(environment))}
    keys = {str(leaf.spec["application"]) for leaf in leaves if leaf.spec.get("application")}
    if not keys:
        return
    renewed = _corrected(order, environment, keys)
    cluster = Cluster(environment, kube_of(environment))
    for key in keys:
        plan = renewed.get(key) or freezing.load(order.id, key)
        before = plan.mode
        freezing.look_at(plan, cluster)
        plan.mode = before
        freezing.keep(order.id, plan)
    if renewed:
        _start_over(order, set(renewed))


def _corrected(order: Order, environment: Environment, keys: set[str]) -> dict[str, Plan]:
    """Plans of applications whose correction in the solution changes what is sent."""
    if order.subject_type != "solution" or order.type != "release" or order.rollback_of:
        return {}
    solution = db.session.get(Solution, order.subject_id)
    whole = freezing.load_target(order.id)
    if solution is None or whole is None:
        return {}
    values = {entry.name: entry.value for entry in parameters.entries_for(solution)}
    change = {**whole["change"], "document": baseline_rules.with_values(document_of(solution).document, values)}
    codes = {key.partition("/")[0] for key in change["applications"]}
    before = baseline.document_of(environment)
    target = parsing.of(changed(before, change, codes), before=before)
    rendered = Renderings(entries_of(target), setting_of(target, known_outputs(environment.id)))
    renewed: dict[str, Plan] = {}
    for key in keys:
        plan = freezing.load(order.id, key)
        product = target.product(plan.product["code"])
        application = product.application(plan.application) if product else None
        if product is None or application is None:
            continue
        cell = next((cell for cell in product.cells_of(application) if (cell.name if cell else "") == plan.cell), None)
        given = rendered.of(product.code, cell)
        objects, waiting = freezing.objects_of(product, application, environment, given, whole["run"], cell)
        if objects != plan.objects:
            plan.objects, plan.open, plan.workload = objects, waiting, workload_of(objects)
            renewed[key] = plan
    if renewed:
        freezing.keep_target(order.id, {**whole, "change": change, "document": target.document})
    return renewed


def _start_over(order: Order, keys: set[str]) -> None:
    nodes = db.session.scalars(select(OrderNode).where(OrderNode.order_id == order.id, OrderNode.step != ""))
    for leaf in nodes:
        if leaf.spec.get("application") in keys and leaf.state != tree.PENDING:
            leaf.applied, leaf.retry_at, leaf.tries, leaf.attempt = False, None, 0, 1
            leaf.started_at = leaf.finished_at = leaf.error = None
            leaf.progress = 0.0
            move(order, leaf, tree.PENDING, {"corrected": True})
    event(order, None, "corrected", detail={"applications": sorted(keys)})
