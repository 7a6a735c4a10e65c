"""What the API answers about environments, solutions, orders and products."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from app.contracts.shapes import CreatedAt, Id, KeptError, Name, TraceId, Version, Words, doc
from app.orders import tree, verbs
from app.orders.models import Order, OrderNode
from app.web.api import Out
from plugins.yunyou import fields
from plugins.yunyou.models import BaselineProduct, Environment, PlanTask, Solution
from plugins.yunyou.product_shapes import ApplicationSummary, ReleaseOut


class EnvironmentOut(Out):
    """An environment."""

    id: Id
    name: Name
    cluster: Annotated[str, doc("Identifier of the cluster.")]
    namespace: Annotated[str, doc("Namespace that everything is delivered to.")]
    prefix: fields.Prefix
    global_domain: fields.GlobalDomain
    access_address: fields.AccessAddress
    base: fields.Base
    region: fields.Region
    zone: fields.Zone
    registry: fields.Registry
    registry_insecure: fields.RegistryInsecure
    no_service_image: fields.NoServiceImage
    created_at: CreatedAt
    version: Version


def environment(row: Environment) -> EnvironmentOut:
    """An environment as the API shows it."""
    return EnvironmentOut(
        row.id,
        row.name,
        row.cluster_id,
        row.namespace,
        row.prefix,
        row.global_domain,
        row.access_address,
        row.base,
        row.region,
        row.zone,
        row.registry_host,
        row.registry_insecure,
        row.no_service_image,
        row.created_at,
        row.version,
    )


class SolutionProduct(Out):
    """A product of a solution."""

    code: fields.ProductCode
    name: Name
    version: Annotated[str, doc("Version that the solution brings.")]
    applications: Annotated[int, doc("How many applications it has.")]
    dependencies: Annotated[list[str], doc("Codes of the products that it needs.")]


class PlanState(Out):
    """How far one plan of a solution is."""

    state: Annotated[str, doc("`todo` or `done`.")]
    total: Annotated[int, doc("How much there is to confirm.")]
    open: Annotated[int, doc("How much of it is still open.")]
    confirmed_by: Annotated[str | None, doc("Name of whoever confirmed it; null before.")]
    confirmed_at: Annotated[datetime | None, doc("When it was confirmed; null before.")]


class SolutionDocument(Out):
    """A solution file, ``antstack.solution/v1``, with all that it says besides these. Values of secrets are masked."""

    schema: Annotated[str, doc("`antstack.solution/v1`.")]
    name: Annotated[str, doc("Name of the solution.")]
    version: Annotated[str, doc("Version of the solution.")]
    products: Annotated[
        list[dict[str, Any]], doc("The products, each with its applications, parameters and resources.")
    ]


class BaselineDocument(SolutionDocument):
    """What runs in an environment, ``antstack.baseline/v1``, with all that it says besides these. Values of secrets
    are left out."""

    environment: Annotated[dict[str, Any], doc("Identifier, name and namespace of the environment.")]
    exported_at: Annotated[str, doc("When it was exported.")]


class SolutionOut(Out):
    """A solution with how far its plan is."""

    id: Id
    name: Annotated[str, doc("Name of the solution.")]
    release: Annotated[str, doc("Version of the solution.")]
    environment: Annotated[str, doc("Identifier of the environment that it is for.")]
    state: fields.SolutionState
    products: Annotated[list[SolutionProduct], doc("The products that it brings.")]
    applications: Annotated[int, doc("How many applications it brings.")]
    unknown_fields: Annotated[list[str], doc("Fields of the file that the format does not know.")]
    imported_by: Annotated[str, doc("Name of whoever imported it.")]
    created_at: Annotated[datetime, doc("When it was imported.")]
    version: Version
    plan: Annotated[dict[str, PlanState], doc("How far its plans are, by kind.")]


def solution(row: Solution, plan: dict[str, PlanTask]) -> SolutionOut:
    """A solution as the API shows it."""
    states = {
        kind: PlanState(t.state, t.total, t.open, t.confirmed_by or None, t.confirmed_at) for kind, t in plan.items()
    }
    return SolutionOut(
        row.id,
        row.name,
        row.release,
        row.environment_id,
        row.state,
        msgspec.convert(row.products, list[SolutionProduct]),
        row.applications,
        row.unknown,
        row.imported_by,
        row.created_at,
        row.version,
        states,
    )


class SolutionItem(Out):
    """A solution in a list."""

    id: Id
    name: Annotated[str, doc("Name of the solution.")]
    release: Annotated[str, doc("Version of the solution.")]
    environment: Annotated[str, doc("Identifier of the environment that it is for.")]
    state: fields.SolutionState
    applications: Annotated[int, doc("How many applications it brings.")]
    imported_by: Annotated[str, doc("Name of whoever imported it.")]
    created_at: Annotated[datetime, doc("When it was imported.")]


def solution_item(row: Solution) -> SolutionItem:
    """A solution in a list."""
    return SolutionItem(
        row.id, row.name, row.release, row.environment_id, row.state, row.applications, row.imported_by, row.created_at
    )


class NodeOut(Out):
    """A node of an order's tree."""

    id: Id
    parent: Annotated[str | None, doc("Identifier of the node above; null at the top.")]
    kind: Annotated[str, doc("`product`, `stage`, `application`, `group` or `step`.")]
    name: Annotated[str, doc("Name of the node.")]
    title: Words
    key: Annotated[str, doc("What tells it from the other nodes of the order.")]
    state: fields.OrderState
    progress: fields.Progress
    attempt: Annotated[int, doc("Which attempt this is; 0 before the first.")]
    started_at: Annotated[datetime | None, doc("When it began.")]
    finished_at: Annotated[datetime | None, doc("When it ended.")]
    error: KeptError
    detail: Annotated[dict[str, Any] | None, doc("What it waits for or does; the fields are of its kind.")]
    result: Annotated[dict[str, Any] | None, doc("What came of it; the fields are of its kind.")]
    verbs: Annotated[list[str], doc("What may be told of it now: `retry`, `skip`, `confirm`, `rollback`.")]


class Subject(Out):
    """What an order is of."""

    type: Annotated[str, doc("Type, such as `solution`.")]
    id: Annotated[str, doc("Identifier.")]


class OrderOut(Out):
    """An order with its tree."""

    id: Id
    type: fields.OrderType
    operation: Annotated[str, doc("Which operation; empty for other types.")]
    title: Annotated[str, doc("What people call it.")]
    state: fields.OrderState
    paused: Annotated[bool, doc("Whether a person paused it.")]
    progress: fields.Progress
    skipped: Annotated[int, doc("How many steps were skipped.")]
    environment: Annotated[str | None, doc("Identifier of the environment.")]
    subject: Annotated[Subject, doc("What it is of.")]
    creator: Annotated[str, doc("Name of whoever made it.")]
    created_at: CreatedAt
    started_at: Annotated[datetime | None, doc("When it began.")]
    finished_at: Annotated[datetime | None, doc("When it ended.")]
    blocked_by: Annotated[str | None, doc("Identifier of the order that it waits for; null where none.")]
    rollback_of: Annotated[str | None, doc("Identifier of the order that it takes back; null where none.")]
    plan_hash: Annotated[str, doc("Digest of its plan.")]
    plan: Annotated[dict[str, Any], doc("Its plan: products, and for each application groups and objects.")]
    error: KeptError
    trace_id: TraceId
    verbs: Annotated[
        list[str],
        doc("What may be told of it now: `pause`, `resume`, `cancel`, `force-cancel`, `retry`, `skip`, `rollback`."),
    ]
    nodes: Annotated[list[NodeOut], doc("The nodes of its tree, each after the one above it.")]


def order(row: Order, nodes: list[OrderNode]) -> OrderOut:
    """An order as the API shows it."""
    found = tree.Tree(nodes)
    return OrderOut(
        row.id,
        row.type,
        row.operation,
        row.title,
        row.state,
        row.paused,
        row.progress,
        row.skipped,
        row.environment_id,
        Subject(row.subject_type, row.subject_id),
        row.creator,
        row.created_at,
        row.started_at,
        row.finished_at,
        row.blocked_by,
        row.rollback_of,
        row.plan_hash,
        row.plan,
        row.error,
        row.trace_id,
        verbs.of_order(row),
        [node_out(row, node, found) for node in sorted(nodes, key=lambda n: n.position)],
    )


def node_out(row: Order, node: OrderNode, found: tree.Tree) -> NodeOut:
    """A node as the API shows it."""
    return NodeOut(
        node.id,
        node.parent_id,
        node.kind,
        node.name,
        {"en": node.title_en, "zh": node.title_zh},
        node.key,
        node.state,
        round(node.progress, 4),
        node.attempt,
        node.started_at,
        node.finished_at,
        node.error,
        node.detail,
        node.result,
        verbs.of_node(row, node, found.under(node)),
    )


class OrderItem(Out):
    """An order in a list."""

    id: Id
    type: fields.OrderType
    operation: Annotated[str, doc("Which operation; empty for other types.")]
    title: Annotated[str, doc("What people call it.")]
    state: fields.OrderState
    progress: fields.Progress
    skipped: Annotated[int, doc("How many steps were skipped.")]
    environment: Annotated[str | None, doc("Identifier of the environment.")]
    creator: Annotated[str, doc("Name of whoever made it.")]
    created_at: CreatedAt
    finished_at: Annotated[datetime | None, doc("When it ended.")]


def order_item(row: Order) -> OrderItem:
    """An order in a list."""
    return OrderItem(
        row.id,
        row.type,
        row.operation,
        row.title,
        row.state,
        row.progress,
        row.skipped,
        row.environment_id,
        row.creator,
        row.created_at,
        row.finished_at,
    )


class ProductOut(Out):
    """A product of a baseline."""

    code: fields.ProductCode
    name: Name
    version: Annotated[str, doc("Version that runs.")]
    environment: fields.EnvironmentId
    topology: Annotated[str, doc("Topology, as the solution names it.")]
    specification: Annotated[str, doc("Size, as the solution names it.")]
    changed_at: Annotated[datetime, doc("When it was last released or operated.")]
    applications: Annotated[list[ApplicationSummary], doc("Its applications; none in lists.")]
    records: Annotated[list[ReleaseOut], doc("Its successful releases, newest first; none in lists.")]


def product(row: BaselineProduct, applications: list[Any], records: list[Any]) -> ProductOut:
    """A product as the API shows it."""
    return ProductOut(
        row.code,
        row.name,
        row.release,
        row.environment_id,
        row.topology,
        row.specification,
        row.changed_at,
        msgspec.convert(applications, list[ApplicationSummary]),
        msgspec.convert(records, list[ReleaseOut]),
    )
