"""Planning orders: what is to be sent for whom; frozen, then made (Y-21 to Y-25, Y-37)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.auth import decisions
from app.contracts.json import Json
from app.errors import ErrorCode
from app.orders import locks
from app.orders.make import NewOrder, Planned, make, plan_hash
from app.orders.models import Order
from app.words import Text, _
from plugins.yunyou import permissions
from plugins.yunyou.documents.parameters import entries_of
from plugins.yunyou.documents.variables import Renderings, setting_of
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.environments.service import kube_of
from plugins.yunyou.manifests.labels import workload_name
from plugins.yunyou.manifests.objects import load_balancer, workload_of
from plugins.yunyou.orders import freezing, grouping, object_ownership, targets
from plugins.yunyou.orders.freezing import Cluster, Plan
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.targets import Target
from plugins.yunyou.orders.tree import OrderTree
from plugins.yunyou.resources.outputs import known_outputs
from plugins.yunyou.solutions.service import began

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
    def balancers(self) -> list[tuple[str, Json]]:
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
        raise object_ownership.CLUSTER_MOVED(objects=_("preview again"), extra={"preview": planned.hash})
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
            public_plan(planned),
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
    freeze(order, planned)
    grouping.remember(planned.environment, request)
    if target.source is not None:
        began(target.source)
    return order


def freeze(order: Order, planned: Draft) -> None:
    """Keep what the order sends, as it was planned."""
    for plan in planned.plans.values():
        freezing.keep(order.id, plan)
    freezing.keep_target(order.id, planned.target.kept())


def _plain(request: OrderRequest) -> Json:
    found: Json = msgspec.to_builtins(request)
    return found


def public_plan(planned: Draft) -> Json:
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
                "objects": [object_ownership.object_key(item) for item in plan.objects],
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
