"""Tables of the audit: rows, their seals, what waits for its seal, heads, signed checkpoints and counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, event, insert
from sqlalchemy.orm import Mapped, Session, UOWTransaction, foreign, mapped_column, relationship

from app.db import Id, Identified, Long, Model, Name, Sealed, now

FILTERED = (
    "operation",
    "operator_key",
    "login",
    "operator",
    "source_ip",
    "access_key_id",
    "trace_id",
    "plugin",
    "result",
    "resource_type",
    "resource_id",
)


def _of_tenant(column: str) -> Index:
    """What serves a filter for equality: newest first, page after page."""
    return Index(f"ix_core_audit_event_by_{column}", "tenant_id", column, "created_at", "id")


class AuditSeal(Model):
    """The seal of one row: its place in its tenant's chain, in a table of its own so that rows are never written again.

    ``digest`` is SHA-256 over the row, ``seq``, ``previous`` and ``sealed_after`` (see :mod:`app.audit.offline`);
    ``mac`` is the HMAC of the digest under the key ``key`` of the ring; ``sealed_after`` is the newest ``created_at``
    of
    all rows that were sealed before.
    """

    __tablename__ = "core_audit_seal"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(Id, unique=True)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    sealed_after: Mapped[datetime | None]
    mac: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))


class AuditEvent(Identified, Model):
    """One operation: who did what to what, from where, with which result (C-30). Every column is sealed."""

    __tablename__ = "core_audit_event"
    __table_args__ = (
        Index("ix_core_audit_event_by_time", "tenant_id", "created_at", "id"),
        *(_of_tenant(column) for column in FILTERED),
    )

    created_at: Mapped[datetime] = mapped_column(default=now)
    tenant_id: Mapped[str] = mapped_column(Id)
    workspace_id: Mapped[str | None] = mapped_column(Id)
    operator_key: Mapped[str] = mapped_column(Name)
    operator: Mapped[str] = mapped_column(Name)
    login: Mapped[str] = mapped_column(Name)
    source_ip: Mapped[str] = mapped_column(String(64))
    access_key_id: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(400))
    trace_id: Mapped[str] = mapped_column(String(32))
    plugin: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(128))
    title_en: Mapped[str] = mapped_column(Name)
    title_zh: Mapped[str] = mapped_column(Name)
    resource_type: Mapped[str] = mapped_column(String(64))
    resource_id: Mapped[str] = mapped_column(Name)
    resource_name: Mapped[str] = mapped_column(Name)
    detail: Mapped[dict[str, Any]]
    result: Mapped[str] = mapped_column(String(16))
    error_code: Mapped[str] = mapped_column(String(96), default="")
    duration_ms: Mapped[int] = mapped_column(default=0)

    seal: Mapped[AuditSeal | None] = relationship(
        primaryjoin=lambda: AuditEvent.id == foreign(AuditSeal.event_id), viewonly=True, uselist=False
    )


class AuditWaiting(Model):
    """A row that is not sealed yet: written with it, removed with its seal, so that the sealer need not search."""

    __tablename__ = "core_audit_waiting"

    event_id: Mapped[str] = mapped_column(Id, primary_key=True)


@event.listens_for(Session, "after_flush")
def _await_the_seal(session: Session, _context: UOWTransaction) -> None:
    if waiting := [{"event_id": row.id} for row in session.new if isinstance(row, AuditEvent)]:
        session.execute(insert(AuditWaiting), waiting)


class AuditHead(Model):
    """The end of a tenant's chain; ``stated`` is the ``seq`` that the last checkpoint told."""

    __tablename__ = "core_audit_head"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    seq: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    newest: Mapped[datetime]
    stated: Mapped[int] = mapped_column(default=0)


class AuditCheckpoint(Model):
    """A signed statement of where the chains end: a JWS (RFC 7515) in compact form. The same stand in a file apart."""

    __tablename__ = "core_audit_checkpoint"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    statement: Mapped[str] = mapped_column(Long)


class AuditKey(Model):
    """A key that signs checkpoints (RSA, PKCS #8 in PEM); its ``id`` is its thumbprint (RFC 7638). The newest signs."""

    __tablename__ = "core_audit_key"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    private: Mapped[str] = mapped_column(Sealed)


class AuditCount(Model):
    """How many sealed rows a day of a tenant has, by ``kind``: operation, operator or result.

    ``tenant_id`` is ``*`` and ``day`` empty for the site since its beginning; a day is ``YYYY-MM-DD`` in UTC.
    """

    __tablename__ = "core_audit_count"

    tenant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(Name, primary_key=True)
    words: Mapped[dict[str, Any]]
    amount: Mapped[int]
