"""What the API answers of orders, their nodes, logs and history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from app.contracts.shapes import After, CreatedAt, Id, KeptError, Next, TraceId, Words, doc
from app.orders import tree, verbs
from app.orders.models import Order, OrderNode
from app.web.api import OpenQuery, Out

OrderId = Annotated[str, doc("Identifier of the order.")]
NodeId = Annotated[str, doc("Identifier of the node in the order's tree.")]
Plugin = Annotated[str, doc("Name of the plugin that made it.")]
OrderType = Annotated[str, doc("Type, one of those that the plugin has, such as `release`.")]
OrderState = Annotated[
    str,
    doc("`queued`, `running`, `waiting`, `paused`, `failed`, `cancelling`, `cancelled`, `succeeded` or `rolled-back`."),
]
Progress = Annotated[float, doc("How far it is, from 0 to 1.")]
MOMENT = Meta(extra_json_schema={"format": "date-time"})


class NodeOut(Out):
    """A node of an order's tree."""

    id: Id
    parent: Annotated[str | None, doc("Identifier of the node above; null at the top.")]
    kind: Annotated[str, doc("Kind, one of those that the plugin has, such as `step`.")]
    name: Annotated[str, doc("Name of the node.")]
    title: Words
    key: Annotated[str, doc("What tells it from the other nodes of the order.")]
    state: OrderState
    progress: Progress
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
    plugin: Plugin
    type: OrderType
    operation: Annotated[str, doc("Which operation; empty for other types.")]
    title: Annotated[str, doc("What people call it.")]
    state: OrderState
    paused: Annotated[bool, doc("Whether a person paused it.")]
    progress: Progress
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
    plan: Annotated[dict[str, Any], doc("Its plan; the fields are of its plugin.")]
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
        row.plugin,
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
    plugin: Plugin
    type: OrderType
    operation: Annotated[str, doc("Which operation; empty for other types.")]
    title: Annotated[str, doc("What people call it.")]
    state: OrderState
    progress: Progress
    skipped: Annotated[int, doc("How many steps were skipped.")]
    environment: Annotated[str | None, doc("Identifier of the environment.")]
    creator: Annotated[str, doc("Name of whoever made it.")]
    created_at: CreatedAt
    finished_at: Annotated[datetime | None, doc("When it ended.")]


def order_item(row: Order) -> OrderItem:
    """An order in a list."""
    return OrderItem(
        row.id,
        row.plugin,
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


class LogAfter(OpenQuery):
    """Where to go on in a log."""

    after: After = 0


class LogLine(Out):
    """A line of a node's log."""

    id: Annotated[int, doc("Number of the line; it grows.")]
    at: Annotated[str, MOMENT, doc("When it was written.")]
    level: Annotated[str, doc("`info`, `warning` or `error`.")]
    text: Annotated[str, doc("The line.")]


class LogOut(Out):
    """Lines of a node's log, to 2,000 of them."""

    lines: Annotated[list[LogLine], doc("The lines, oldest first.")]
    next: Next


class EventOut(Out):
    """Something that happened to an order or a node."""

    id: Annotated[int, doc("Number of the event; it grows.")]
    node: Annotated[str | None, doc("Identifier of the node; null for the order itself.")]
    at: Annotated[str, MOMENT, doc("When it happened.")]
    what: Annotated[str, doc("What happened, in one word.")]
    before: Annotated[str, doc("State before; empty where it had none.")]
    after: Annotated[str, doc("State after; empty where it has none.")]
    actor: Annotated[str, doc("Name of whoever did it; empty for the console itself.")]
    detail: Annotated[dict[str, Any] | None, doc("More of it; the fields are of what happened.")]


class EventsOut(Out):
    """The history of an order, to 5,000 events."""

    items: Annotated[list[EventOut], doc("The events, oldest first.")]
