"""Making an order: its frozen plan and its tree, in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete

from app import audit, caller
from app.db import db, new_id, now
from app.orders import due, tree
from app.orders.models import Order, OrderNode
from app.words import Text


@dataclass
class Planned:
    """A node to be: ``step`` names the kind of a leaf; ``key`` is unique in the order and stays the same."""

    key: str
    kind: str
    name: str
    title: Text | None = None
    step: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    children: list[Planned] = field(default_factory=list)
    parallel: bool = False
    after: Sequence[str] = ()
    required: bool = False
    timeout: int = 600


@dataclass
class NewOrder:
    """An order to be. ``scopes`` are what no other order may work on meanwhile."""

    plugin: str
    type: str
    title: str
    plan: Mapping[str, Any]
    roots: list[Planned]
    scopes: Sequence[str] = ()
    operation: str = ""
    cluster_id: str | None = None
    environment_id: str | None = None
    subject: tuple[str, str] = ("", "")
    options: Mapping[str, Any] = field(default_factory=dict)
    rollback_of: str | None = None


def plan_hash(plan: Mapping[str, Any]) -> str:
    """SHA-256 of a plan in canonical JSON."""
    text = json.dumps(plan, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def make(new: NewOrder) -> Order:
    """Write the order and its tree. It starts with the first tick after the transaction is kept."""
    who = caller.current()
    assert who.principal is not None
    order = Order(
        id=new_id(),
        tenant_id=who.tenant_id,
        plugin=new.plugin,
        type=new.type,
        operation=new.operation,
        title=new.title[:255],
        state=tree.QUEUED,
        cluster_id=new.cluster_id,
        environment_id=new.environment_id,
        subject_type=new.subject[0],
        subject_id=new.subject[1],
        plan=dict(new.plan),
        plan_hash=plan_hash(new.plan),
        options={**new.options, "scopes": sorted(new.scopes)},
        rollback_of=new.rollback_of,
        workspace_id=who.workspace_id,
        principal=asdict(who.principal),
        creator=who.principal.name,
        trace_id=who.trace_id,
        due_at=now(),
    )
    db.session.add(order)
    counter = iter(range(1_000_000))
    for root in new.roots:
        _add(order.id, None, root, counter)
    audit.note("order", order.id, order.title, type=new.type, operation=new.operation or None)
    due.look_soon()
    return order


def plant(order: Order, plan: Mapping[str, Any], roots: Sequence[Planned]) -> None:
    """Give an order of which nothing ran yet another plan and tree."""
    db.session.execute(delete(OrderNode).where(OrderNode.order_id == order.id))
    order.plan, order.plan_hash = dict(plan), plan_hash(plan)
    counter = iter(range(1_000_000))
    for root in roots:
        _add(order.id, None, root, counter)


def _add(order_id: str, parent_id: str | None, planned: Planned, counter: Any) -> None:
    node = OrderNode(
        id=new_id(),
        order_id=order_id,
        parent_id=parent_id,
        key=planned.key,
        position=next(counter),
        kind=planned.kind,
        name=planned.name,
        title_en=planned.title.in_("en") if planned.title else "",
        title_zh=planned.title.in_("zh") if planned.title else "",
        parallel=planned.parallel,
        after=list(planned.after),
        step=planned.step,
        spec=dict(planned.spec),
        required=planned.required,
        timeout=planned.timeout,
        state=tree.PENDING,
    )
    db.session.add(node)
    for child in planned.children:
        _add(order_id, node.id, child, counter)
