"""Audit rows and the head of each tenant's chain."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Identified, Name, db


class AuditEvent(Identified, db.Model):
    """One operation: who did what to what, from where, with which result (C-30).

    ``seq``, ``previous`` and ``digest`` are written once, by the sealer.
    """

    __tablename__ = "core_audit_event"
    __table_args__ = (
        UniqueConstraint("tenant_id", "seq"),
        UniqueConstraint("tenant_id", "previous"),
        Index("ix_core_audit_event_tenant_time", "tenant_id", "created_at"),
        Index("ix_core_audit_event_tenant_operation", "tenant_id", "operation", "created_at"),
        Index("ix_core_audit_event_tenant_operator", "tenant_id", "operator_key", "created_at"),
    )

    tenant_id: Mapped[str] = mapped_column(Id)
    workspace_id: Mapped[str | None] = mapped_column(Id)
    operator_key: Mapped[str] = mapped_column(Name)
    operator: Mapped[str] = mapped_column(Name)
    login: Mapped[str] = mapped_column(Name)
    source_ip: Mapped[str] = mapped_column(String(64), index=True)
    access_key_id: Mapped[str | None] = mapped_column(String(64), index=True)
    user_agent: Mapped[str] = mapped_column(String(400))
    trace_id: Mapped[str] = mapped_column(String(32), index=True)
    plugin: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(128))
    title_en: Mapped[str] = mapped_column(Name)
    title_zh: Mapped[str] = mapped_column(Name)
    resource_type: Mapped[str] = mapped_column(String(64), index=True)
    resource_id: Mapped[str] = mapped_column(Name)
    resource_name: Mapped[str] = mapped_column(Name)
    detail: Mapped[dict[str, Any]]
    result: Mapped[str] = mapped_column(String(16))
    error_code: Mapped[str] = mapped_column(String(96), default="")
    duration_ms: Mapped[int] = mapped_column(default=0)
    seq: Mapped[int | None]
    previous: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str | None] = mapped_column(String(64))
