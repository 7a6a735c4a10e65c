"""Chains audit rows: one sealer per tenant numbers them and hashes each with the one before (C-31)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from app.audit.models import AuditEvent
from app.contracts.text import Text
from app.db import db, now

GENESIS = "0" * 64
SEALED = (
    "id", "created_at", "tenant_id", "workspace_id", "operator_key", "operator", "login", "source_ip", "access_key_id",
    "user_agent", "trace_id", "operation", "resource_type", "resource_id", "resource_name", "detail", "result",
    "error_code", "duration_ms", "seq", "previous",
)  # fmt: skip
BATCH = 1_000
OPEN = "started"
ABANDONED = timedelta(hours=1)  # a process died in the middle of it: sealed as it is


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the row and what is wrong with it."""

    tenant_id: str
    seq: int
    event_id: str
    problem: Text


def digest_of(event: AuditEvent) -> str:
    """SHA-256 over the canonical JSON of everything that is sealed, times at the precision that is stored."""
    fields: dict[str, Any] = {name: getattr(event, name) for name in SEALED}
    fields["created_at"] = event.created_at.isoformat(timespec="microseconds")
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def seal_all() -> int:
    """Seal what every tenant recorded since the last time. Only the scheduler that holds the lease calls this.

    :returns: how many rows were sealed
    """
    tenants = db.session.scalars(select(AuditEvent.tenant_id).where(AuditEvent.seq.is_(None)).distinct()).all()
    return sum(seal(tenant) for tenant in tenants)


def seal(tenant_id: str) -> int:
    """Seal one tenant's new rows, in the order of their identifiers. An operation under way waits for its end.

    :returns: how many rows were sealed
    """
    head = db.session.execute(
        select(AuditEvent.seq, AuditEvent.digest)
        .where(AuditEvent.tenant_id == tenant_id, AuditEvent.seq.is_not(None))
        .order_by(AuditEvent.seq.desc())
        .limit(1)
    ).first()
    seq, previous = (head[0] or 0, head[1]) if head else (0, GENESIS)
    fresh = select(AuditEvent).where(AuditEvent.tenant_id == tenant_id, AuditEvent.seq.is_(None))
    over = (AuditEvent.result != OPEN) | (AuditEvent.created_at < now() - ABANDONED)
    fresh = fresh.where(over, AuditEvent.created_at <= now()).order_by(AuditEvent.id).limit(BATCH)
    events = db.session.scalars(fresh).all()
    for event in events:
        seq += 1
        event.seq, event.previous = seq, previous
        event.digest = previous = digest_of(event)
    db.session.commit()
    return len(events)


def verify(tenant_id: str | None = None) -> Iterator[Break]:
    """Walk the chains and name every row that was altered, removed or slipped in."""
    tenants = [tenant_id] if tenant_id is not None else _tenants()
    for tenant in tenants:
        yield from _verify_one(tenant)


def _tenants() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.tenant_id).distinct().order_by(AuditEvent.tenant_id)))


def _verify_one(tenant_id: str) -> Iterator[Break]:
    expected, previous = 1, GENESIS
    chain = select(AuditEvent).where(AuditEvent.tenant_id == tenant_id, AuditEvent.seq.is_not(None))
    for event in db.session.scalars(chain.order_by(AuditEvent.seq).execution_options(yield_per=BATCH)):
        seq = event.seq or 0
        if seq != expected:
            missing = Text(f"{seq - expected} row(s) before this one are gone", f"此行之前缺少 {seq - expected} 行")
            yield Break(tenant_id, seq, event.id, missing)
        elif event.previous != previous:
            yield Break(tenant_id, seq, event.id, Text("it does not follow the row before it", "与前一行不衔接"))
        if event.digest != digest_of(event):
            yield Break(tenant_id, seq, event.id, Text("it was altered after it was sealed", "封存后被改动"))
        expected, previous = seq + 1, event.digest or ""


def counts(tenant_id: str) -> tuple[int, int]:
    """How many rows of a tenant are sealed, and how many wait for it."""
    total = db.session.execute(
        select(func.count(AuditEvent.seq), func.count()).where(AuditEvent.tenant_id == tenant_id)
    ).one()
    return total[0], total[1] - total[0]
