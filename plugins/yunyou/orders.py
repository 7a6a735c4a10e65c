"""Planning orders: what is to be sent for whom; frozen, then made, and taken back (Y-21 to Y-25, Y-37, Y-39)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from app.auth import decisions
from app.db import db
from app.errors import ErrorCode
from app.order_views.access import leaves_under
from app.orders import commands, locks, tree, verbs
from app.orders.make import NewOrder, Planned, make, plan_hash, plant
from app.orders.models import Order, OrderNode
from app.words import Text, _, plain
from plugins.yunyou import freezing, grouping, ownership, permissions, targets
from plugins.yunyou.domain.manifests import load_balancer, workload_of
from plugins.yunyou.domain.parameters import entries_of
from plugins.yunyou.domain.place import workload_name
from plugins.yunyou.domain.universe import Renderings, setting_of
from plugins.yunyou.environments import kube_of
from plugins.yunyou.freezing import Cluster, Plan
from plugins.yunyou.models import Environment
from plugins.yunyou.order_tree import OrderTree
from plugins.yunyou.requests import OrderRequest, RollbackRequest
from plugins.yunyou.resources import known_outputs
from plugins.yunyou.solutions import began
from plugins.yunyou.targets import Target

BUSY = ErrorCode(
    "YUNYOU/APPLICATION_BUSY",
    409,
    _("Another order works on applications of this one."),
    _("Wait until it ends, or let this order queue behind it."),
)
AT_ONCE = _("{application} gets volumes that its running pods lack: all of its pods are replaced at once.")
PLUGIN = "yunyou"
ERRORS = (BUSY,)


@dataclass
class Draft:
    """An order before it is made: its target, the cluster as it was read, what is sent for each application, and the
    tree.
    """

    environment: Environment
    request: OrderRequest
    target: Target
    cluster: Cluster
    plans: dict[str, Plan]
    groups: dict[str, grouping.Groups]
    roots: list[Planned]
    warnings: list[Text] = field(default_factory=list)

    @property
    def balancers(self) -> list[tuple[str, dict[str, Any]]]:
        """The Services of load balancers that are sent, each with the application ``PRODUCT/app`` behind it."""
        place, found = freezing.place_of(self.environment), []
        for code, product in self.target.products.items():
            names = {plan.application for plan in self.plans.values() if plan.product["code"] == code}
            for balancer in self.target.balancers_of(product, names):
                found.append((f"{code}/{balancer.application}", load_balancer(product, balancer, place)))
        return found

    @property
    def hash(self) -> str:
        """What a preview stands for: everything that is sent, the groups, and what the cluster looked like."""
        run = self.target.run_id
        return plan_hash(
            {
                "plans": {
                    key: [_without(run, plan.objects), _without(run, plan.seen), plan.mode, plan.leaving]
                    for key, plan in sorted(self.plans.items())
                },
                "groups": {key: found.public() for key, found in sorted(self.groups.items())},
                "balancers": sorted(json.dumps(item, sort_keys=True) for __, item in self.balancers),
                "removed": sorted(self.target.leaving),
                "baseline": self.target.baseline_hash,
            }
        )

    @property
    def scopes(self) -> list[str]:
        """What no other order may work on meanwhile: its applications."""
        names = [plan.application for plan in self.plans.values()]
        names += [key.partition("/")[2] for key in self.target.removed]
        return [f"{self.environment.id}/{name}" for name in dict.fromkeys(names)]


def _without(run: str, value: Any) -> str:
    """*value* without the mark of this run in the names of Jobs, which is another one each time."""
    return json.dumps(value, sort_keys=True).replace(run, "RUN")


def draft(request: OrderRequest) -> Draft:
    """Plan an order without making it.

    :raises ConsoleError: what is wrong with the request, the plan, the groups or the sequence
    """
    return draft_of(targets.target_of(request), request)


def draft_of(target: Target, request: OrderRequest) -> Draft:
    """Plan what leads to *target*."""
    for code in sorted(target.products):
        permission = (
            permissions.OPERATE
            if request.type == "operation" and request.operation != "rollback"
            else permissions.RELEASE
        )
        decisions.require(permission, {"product": code, "environment": target.environment.id})
    plans = _plans(target)
    cluster = Cluster(target.environment, kube_of(target.environment))
    for plan in plans.values():
        freezing.look_at(plan, cluster)
        if target.mode == "scale":
            plan.mode = "scale"
    of_application: dict[str, list[Plan]] = {}
    for plan in plans.values():
        of_application.setdefault(plan.owner, []).append(plan)
    for mine in of_application.values() if target.mode != "scale" else ():
        freezing.note_leaving(target.products[mine[0].product["code"]], mine, cluster)
    groups = {
        key: grouping.groups_of(plan, target, request, cluster) for key, plan in plans.items() if plan.kind != "Job"
    }
    warnings = [AT_ONCE.format(application=key) for key, plan in plans.items() if plan.at_once]
    planned = OrderTree(request, target, plans, groups, warnings)
    roots = planned.roots()
    warnings = [*target.warnings, *planned.warnings]
    return Draft(target.environment, request, target, cluster, plans, groups, roots, warnings)


def create(request: OrderRequest, planned: Draft | None = None) -> Order:
    """Make an order; it runs, or queues behind the order that holds one of its applications (Y-35).

    :raises ConsoleError: as :func:`draft`; YUNYOU/CLUSTER_MOVED when a preview does not hold any more;
        YUNYOU/APPLICATION_BUSY
    """
    planned = planned or draft(request)
    if request.preview and request.preview != planned.hash:
        raise ownership.CLUSTER_MOVED(objects=_("preview again"), extra={"preview": planned.hash})
    blocker = locks.first_in_line(planned.scopes) if request.refuse_if_busy else None
    if blocker:
        raise BUSY(extra={"order": blocker})
    target = planned.target
    options = {
        "beta": request.beta,
        "unattended": request.unattended,
        "adopt": request.adopt,
        "baseline": target.baseline_hash,
        "request": _plain(request),
    }
    order = make(
        NewOrder(
            PLUGIN,
            request.type,
            request.name or target.title,
            _public_plan(planned),
            planned.roots,
            scopes=planned.scopes,
            operation=request.operation,
            cluster_id=planned.environment.cluster_id,
            environment_id=planned.environment.id,
            subject=target.subject,
            options=options,
            rollback_of=target.rollback_of,
        )
    )
    _freeze(order, planned)
    grouping.remember(planned.environment, request)
    if target.source is not None:
        began(target.source)
    return order


def _freeze(order: Order, planned: Draft) -> None:
    for plan in planned.plans.values():
        freezing.keep(order.id, plan)
    freezing.keep_target(order.id, planned.target.kept())


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
    plant(order, _public_plan(planned), planned.roots)
    _freeze(order, planned)
    order.options = {**order.options, "baseline": planned.target.baseline_hash}
    return True


def draft_rollback(order: Order, request: OrderRequest, keys: Sequence[str]) -> Draft:
    """Plan what returns what *order* changed to what it found (Y-39).

    :raises ConsoleError: ORDERS/NOT_IN_THIS_STATE, and as :func:`draft`
    """
    if verbs.ROLLBACK not in verbs.of_order(order):
        raise verbs.NOT_NOW(verb=verbs.TITLES[verbs.ROLLBACK], state=plain(order.state))
    return draft_of(targets.rollback.of_order(order, keys), request)


def create_rollback(order: Order, request: OrderRequest, keys: Sequence[str]) -> Order:
    """Make the order that :func:`draft_rollback` plans; one that failed or waits ends with it.

    :raises ConsoleError: as :func:`draft_rollback` and :func:`create`
    """
    planned = draft_rollback(order, request, keys)
    if order.state in (tree.FAILED, tree.WAITING):
        close(order)
    return create(request, planned)


def close(order: Order) -> None:
    """End an order that failed or waits in favour of its rollback: it lets its applications go."""
    nodes = db.session.scalars(select(OrderNode).where(OrderNode.order_id == order.id)).all()
    commands.force_cancel(order, tree.Tree(nodes), order.creator, "rolled back")


def roll_back(order: Order, body: RollbackRequest, node_id: str) -> Order:
    """Make the order that returns what *order*, or what is below one of its nodes, changed.

    :raises ConsoleError: as :func:`create_rollback`
    """
    return create_rollback(order, *rollback_wanted(order, body, node_id))


def rollback_wanted(order: Order, body: RollbackRequest, node_id: str) -> tuple[OrderRequest, list[str]]:
    """The order to be that *body* asks for, and the applications ``PRODUCT/app`` that it takes back."""
    asked = OrderRequest(type="release", grouping=body.grouping, beta=body.beta, name=body.name, preview=body.preview)
    if not node_id:
        return asked, body.applications
    below = [str(leaf.spec.get("application", "")) for leaf in leaves_under(order, node_id)]
    return asked, list(dict.fromkeys(filter(None, below)))


def _plain(request: OrderRequest) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(request)
    return found


def _public_plan(planned: Draft) -> dict[str, Any]:
    """What of the plan may be read by everybody who sees the order: no object content, since it may hold secrets."""
    return {
        "products": {code: product.version for code, product in planned.target.products.items()},
        "applications": {
            key: {
                "application": plan.application,
                "cell": plan.cell,
                "kind": plan.kind,
                "mode": plan.mode,
                "strategy": planned.groups[key].strategy if key in planned.groups else "",
                "groups": planned.groups[key].public() if key in planned.groups else [],
                "objects": [ownership.object_key(item) for item in plan.objects],
            }
            for key, plan in planned.plans.items()
        },
        "warnings": [warning.in_all() for warning in planned.warnings],
        "preview": planned.hash,
    }


def _plans(target: Target) -> dict[str, Plan]:
    """What is sent for each application of the target."""
    typed = target.solution
    values = Renderings(entries_of(typed), setting_of(typed, known_outputs(target.environment.id)))
    products, plans = target.products, dict[str, Plan]()
    for code, __, name in (key.partition("/") for key in target.applications):
        product = products[code]
        application = product.application(name)
        assert application is not None
        for cell in product.cells_of(application):
            objects, waiting = freezing.objects_of(
                product, application, target.environment, values.of(code, cell), target.run_id, cell
            )
            key = f"{code}/{workload_name(name, cell)}"
            plans[key] = Plan(
                key,
                {"code": code, "version": product.version},
                name,
                workload_of(objects),
                objects,
                waiting,
                release=product.version,
                cell=cell.name if cell else "",
            )
    return plans
