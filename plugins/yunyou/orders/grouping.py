"""Which pods of an application are in which group of an order (guide 2.7.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import select

from app import caller
from app.contracts.json import Json
from app.db import db
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.manifests.pod_view import PodView, view
from plugins.yunyou.orders.freezing import Cluster, Plan
from plugins.yunyou.orders.models import GroupChoice
from plugins.yunyou.orders.requests import OrderRequest
from plugins.yunyou.orders.rules import groups as rules
from plugins.yunyou.orders.rules import rollout
from plugins.yunyou.orders.targets import Target
from plugins.yunyou.products import live_objects


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its pods by name (or nodes, for a DaemonSet) where they are known, and how many are new after it."""

    number: int
    size: int
    cumulative: int
    names: list[str]
    beta: bool


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of one application in an order."""

    strategy: str
    items: list[Group]

    def public(self) -> list[Json]:
        """The groups as preview and order show them."""
        return [{"group": g.number, "size": g.size, "pods": g.names, "beta": g.beta} for g in self.items]


def wish_for(plan: Plan, target: Target, request: OrderRequest) -> tuple[str, list[int] | None]:
    """Strategy and shares of one application: its own in this order, else the order's.

    An order that leaves it to the system takes what is remembered of the application, else what the solution says of
    its first release and its upgrades (guide 2.7.5).
    """
    wish = request.applications.get(plan.owner)
    if wish is not None and wish.grouping is not None:
        return wish.grouping.strategy, wish.grouping.shares
    rules.check_order_strategy(request.grouping.strategy)
    if request.grouping.strategy != "recommended":
        return request.grouping.strategy, None
    choice = (GroupChoice.environment_id == target.environment.id) & (GroupChoice.application == plan.owner)
    if kept := db.session.scalar(select(GroupChoice).where(choice)):
        return "custom", [int(share) for share in kept.shares] or None
    application = target.products[plan.product["code"]].application(plan.application)
    assert application is not None
    if plan.mode == "create":
        return rules.SERIAL if application.strategy.first == "Serial" else "recommended", None
    return application.strategy.upgrade if plan.mode == "update" else "recommended", None


def groups_of(plan: Plan, target: Target, request: OrderRequest, cluster: Cluster) -> Groups:
    """The groups of an application, with names where the pods are known before.

    :raises ConsoleError: YUNYOU/GROUPS_…
    """
    wanted, shares = ("one", None) if plan.at_once else wish_for(plan, target, request)
    named = _members(plan, wanted, shares, cluster)
    sizes = [len(names) for names in named] if named else []
    if not named:
        total = 1 if plan.kind == "DaemonSet" else int(plan.workload["spec"]["replicas"])
        strategy = "one" if plan.kind == "DaemonSet" or wanted == "per-host" else wanted
        sizes = rules.sizes(total, strategy, shares if strategy == "custom" else None)
        named = rollout.stateful_groups(plan.name, sizes) if plan.kind == "StatefulSet" else [[] for _ in sizes]
        if plan.kind == "StatefulSet" and plan.mode != "update":
            names = [f"{plan.name}-{at}" for at in range(sum(sizes))]
            named = rollout.sliced(names, sizes)
    beta = rules.beta_groups(wanted, len(sizes), edited=bool(shares), beta=request.beta)
    items = [
        Group(at + 1, size, total, list(named[at]), beta[at])
        for at, (size, total) in enumerate(zip(sizes, accumulate(sizes), strict=True))
    ]
    return Groups(wanted, items)


def _members(plan: Plan, strategy: str, shares: Sequence[int] | None, cluster: Cluster) -> list[list[str]]:
    """Names of running pods (nodes of a DaemonSet) by group, where an update goes by them."""
    if plan.mode != "update" or (strategy != "per-host" and plan.kind != "DaemonSet"):
        return []
    pods = running_pods(plan, cluster)
    if plan.kind == "DaemonSet":
        nodes = sorted({pod.node for pod in pods if pod.node})
        sizes = rules.sizes(len(nodes), strategy, shares)
        return rollout.sliced(nodes, sizes)
    return rollout.host_groups(pods)


def running_pods(plan: Plan, cluster: Cluster) -> list[PodView]:
    """Pods of the application that run now."""
    found = live_objects.View(cluster.environment, cluster.kube, False).pods_of(plan.application, plan.cell)
    return [pod for pod in map(view, found) if not pod.deleting]


def remember(environment: Environment, request: OrderRequest) -> None:
    """Keep custom groups for the application's next order (guide 2.7.7, persistence)."""
    for key, wish in request.applications.items():
        if wish.grouping is None or wish.grouping.strategy != "custom":
            continue
        kept = db.session.scalar(
            select(GroupChoice).where(GroupChoice.environment_id == environment.id, GroupChoice.application == key)
        )
        if kept is None:
            kept = GroupChoice(
                tenant_id=environment.tenant_id, environment_id=environment.id, application=key, strategy="custom"
            )
            db.session.add(kept)
        kept.shares, kept.changed_by = list(wish.grouping.shares or []), caller.current().name
