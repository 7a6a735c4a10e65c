"""Orders, their trees of nodes, events, commands, logs and locks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Identified, Long, Model, Name, TenantOwned
from app.words import Text, kept


class Order(TenantOwned, Model):
    """One order. Its plan is frozen; ``token`` is the fencing token of whoever may write it.

    ``idle`` are the seconds in which it was due and nobody worked on it: no step's time runs then.
    """

    __tablename__ = "order_order"
    __table_args__ = (
        Index("ix_order_order_due", "due_at"),
        Index("ix_order_order_list", "tenant_id", "type", "created_at"),
    )

    plugin: Mapped[str] = mapped_column(String(32))
    type: Mapped[str] = mapped_column(String(32))
    operation: Mapped[str] = mapped_column(String(32), default="")
    title: Mapped[str] = mapped_column(Name)
    state: Mapped[str] = mapped_column(String(16), index=True)
    paused: Mapped[bool] = mapped_column(default=False)
    cluster_id: Mapped[str | None] = mapped_column(Id, index=True)
    environment_id: Mapped[str | None] = mapped_column(Id, index=True)
    subject_type: Mapped[str] = mapped_column(String(32), default="")
    subject_id: Mapped[str] = mapped_column(String(64), default="", index=True)
    plan: Mapped[dict[str, Any]]
    plan_hash: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]]
    progress: Mapped[float] = mapped_column(default=0.0)
    skipped: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]
    blocked_by: Mapped[str | None] = mapped_column(Id)
    rollback_of: Mapped[str | None] = mapped_column(Id)
    workspace_id: Mapped[str | None] = mapped_column(Id)
    principal: Mapped[dict[str, Any]]
    creator: Mapped[str] = mapped_column(Name)
    trace_id: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    lease_owner: Mapped[str] = mapped_column(Name, default="")
    lease_until: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(default=0)
    idle: Mapped[float] = mapped_column(default=0.0)


class OrderNode(Identified, Model):
    """A node of an order's tree. Only leaves (``step`` is set) have a state of their own that is acted on.

    ``parallel`` children start together; otherwise each waits for the one before.
    ``after`` are keys of nodes of the same order that must be done first.
    """

    __tablename__ = "order_node"
    __table_args__ = (UniqueConstraint("order_id", "key"), Index("ix_order_node_tree", "order_id", "position"))

    order_id: Mapped[str] = mapped_column(Id)
    parent_id: Mapped[str | None] = mapped_column(Id)
    key: Mapped[str] = mapped_column(String(320))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(Name)
    title_en: Mapped[str] = mapped_column(Name, default="")
    title_zh: Mapped[str] = mapped_column(Name, default="")
    parallel: Mapped[bool] = mapped_column(default=False)
    after: Mapped[list[str]]
    step: Mapped[str] = mapped_column(String(64), default="")
    spec: Mapped[dict[str, Any]]
    required: Mapped[bool] = mapped_column(default=False)
    timeout: Mapped[int] = mapped_column(default=600)
    state: Mapped[str] = mapped_column(String(16))
    progress: Mapped[float] = mapped_column(default=0.0)
    detail: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    before: Mapped[dict[str, Any] | None]
    attempt: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    applied: Mapped[bool] = mapped_column(default=False)
    retry_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def title(self) -> Text:
        """What people call it: its title, or else its name."""
        return kept({"en": self.title_en or self.name, "zh": self.title_zh or self.name})


class OrderEvent(Model):
    """What happened to an order or a node, and by whom; appended in the transaction of the change."""

    __tablename__ = "order_event"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(Id, index=True)
    node_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(48))
    before: Mapped[str] = mapped_column(String(16), default="")
    after: Mapped[str] = mapped_column(String(16), default="")
    actor: Mapped[str] = mapped_column(Name, default="")
    detail: Mapped[dict[str, Any] | None]


class OrderCommand(Identified, Model):
    """What a person told an order to do; the next tick reads it."""

    __tablename__ = "order_command"

    order_id: Mapped[str] = mapped_column(Id, index=True)
    node_id: Mapped[str | None] = mapped_column(Id)
    verb: Mapped[str] = mapped_column(String(24))
    actor: Mapped[str] = mapped_column(Name)
    reason: Mapped[str] = mapped_column(Long, default="")
    done_at: Mapped[datetime | None] = mapped_column(index=True)


class OrderLog(Model):
    """A line of a node's log, in order of ``id``."""

    __tablename__ = "order_log"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(Id, index=True)
    node_id: Mapped[str] = mapped_column(Id, index=True)
    at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(8), default="info")
    line: Mapped[str] = mapped_column(Long)


class OrderLock(Model):
    """The order that holds a scope, such as one application of one environment (Y-35)."""

    __tablename__ = "order_lock"

    scope: Mapped[str] = mapped_column(String(200), primary_key=True)
    order_id: Mapped[str] = mapped_column(Id, index=True)
