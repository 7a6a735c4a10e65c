"""What the API answers about environments, solutions, orders and products."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.orders import tree, verbs
from app.orders.models import Order, OrderNode
from app.web.api import Out
from plugins.yunyou.models import BaselineProduct, Environment, ImageCheck, PlanTask, Solution


class EnvironmentOut(Out):
    """An environment."""

    id: str
    name: str
    cluster: str
    namespace: str
    prefix: str
    global_domain: str
    access_address: str
    base: str
    region: str
    zone: str
    registry: str
    registry_insecure: bool
    no_service_image: str
    created_at: datetime
    version: int


def environment(row: Environment) -> EnvironmentOut:
    """An environment as the API shows it."""
    return EnvironmentOut(
        row.id, row.name, row.cluster_id, row.namespace, row.prefix, row.global_domain, row.access_address, row.base,
        row.region, row.zone, row.registry_host, row.registry_insecure, row.no_service_image, row.created_at, row.version,
    )  # fmt: skip


class SolutionOut(Out):
    """A solution with how far its plan is."""

    id: str
    name: str
    release: str
    environment: str
    state: str
    products: list[Any]
    applications: int
    unknown_fields: list[str]
    imported_by: str
    created_at: datetime
    version: int
    plan: dict[str, Any]


def solution(row: Solution, plan: dict[str, PlanTask]) -> SolutionOut:
    """A solution as the API shows it."""
    states = {
        kind: {
            "state": t.state,
            "total": t.total,
            "open": t.open,
            "confirmedBy": t.confirmed_by or None,
            "confirmedAt": t.confirmed_at,
        }
        for kind, t in plan.items()
    }
    return SolutionOut(
        row.id, row.name, row.release, row.environment_id, row.state, row.products, row.applications, row.unknown,
        row.imported_by, row.created_at, row.version, states,
    )  # fmt: skip


class SolutionItem(Out):
    """A solution in a list."""

    id: str
    name: str
    release: str
    environment: str
    state: str
    applications: int
    imported_by: str
    created_at: datetime


def solution_item(row: Solution) -> SolutionItem:
    """A solution in a list."""
    return SolutionItem(
        row.id, row.name, row.release, row.environment_id, row.state, row.applications, row.imported_by, row.created_at
    )


def image(row: ImageCheck) -> dict[str, Any]:
    """What the registry said of an image."""
    return {
        "image": row.image, "applications": row.applications, "state": row.state, "digest": row.digest or None,
        "platforms": row.platforms, "error": row.problem, "checkedAt": row.checked_at, "accepted": row.accepted,
    }  # fmt: skip


class NodeOut(Out):
    """A node of an order's tree."""

    id: str
    parent: str | None
    kind: str
    name: str
    title: dict[str, str]
    key: str
    state: str
    progress: float
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    error: dict[str, Any] | None
    detail: dict[str, Any] | None
    result: dict[str, Any] | None
    verbs: list[str]


class OrderOut(Out):
    """An order with its tree."""

    id: str
    type: str
    operation: str
    title: str
    state: str
    paused: bool
    progress: float
    skipped: int
    environment: str | None
    subject: dict[str, str]
    creator: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    blocked_by: str | None
    rollback_of: str | None
    plan_hash: str
    plan: dict[str, Any]
    error: dict[str, Any] | None
    trace_id: str
    verbs: list[str]
    nodes: list[NodeOut]


def order(row: Order, nodes: list[OrderNode]) -> OrderOut:
    """An order as the API shows it."""
    found = tree.Tree(nodes)
    return OrderOut(
        row.id, row.type, row.operation, row.title, row.state, row.paused, row.progress, row.skipped, row.environment_id,
        {"type": row.subject_type, "id": row.subject_id}, row.creator, row.created_at, row.started_at, row.finished_at,
        row.blocked_by, row.rollback_of, row.plan_hash, row.plan, row.error, row.trace_id, verbs.of_order(row),
        [node_out(row, node, found) for node in sorted(nodes, key=lambda n: n.position)],
    )  # fmt: skip


def node_out(row: Order, node: OrderNode, found: tree.Tree) -> NodeOut:
    """A node as the API shows it."""
    return NodeOut(
        node.id, node.parent_id, node.kind, node.name, {"en": node.title_en, "zh": node.title_zh}, node.key, node.state,
        round(node.progress, 4), node.attempt, node.started_at, node.finished_at, node.error, node.detail, node.result,
        verbs.of_node(row, node, found.under(node)),
    )  # fmt: skip


class OrderItem(Out):
    """An order in a list."""

    id: str
    type: str
    operation: str
    title: str
    state: str
    progress: float
    skipped: int
    environment: str | None
    creator: str
    created_at: datetime
    finished_at: datetime | None


def order_item(row: Order) -> OrderItem:
    """An order in a list."""
    return OrderItem(
        row.id, row.type, row.operation, row.title, row.state, row.progress, row.skipped, row.environment_id, row.creator,
        row.created_at, row.finished_at,
    )  # fmt: skip


class ProductOut(Out):
    """A product of a baseline."""

    code: str
    name: str
    version: str
    environment: str
    topology: str
    specification: str
    changed_at: datetime
    applications: list[Any]
    records: list[Any]


def product(row: BaselineProduct, applications: list[Any], records: list[Any]) -> ProductOut:
    """A product as the API shows it."""
    return ProductOut(
        row.code, row.name, row.release, row.environment_id, row.topology, row.specification, row.changed_at, applications, records,
    )  # fmt: skip
