"""Jobs, their logs, and when periodic work ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Long, Model, Name, TenantOwned

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "queued", "running", "succeeded", "failed", "cancelled"
ENDED = (SUCCEEDED, FAILED, CANCELLED)


class JobRun(TenantOwned, Model):
    """One piece of work that somebody ordered.

    ``attempt`` only rises: it is the fencing token. ``attempts_before`` of them were made before it was last ordered.
    """

    __tablename__ = "core_job"
    __table_args__ = (Index("ix_core_job_state_due", "state", "due_at"),)

    kind: Mapped[str] = mapped_column(String(96), index=True)
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default=QUEUED)
    progress: Mapped[float] = mapped_column(default=0.0)
    step: Mapped[str] = mapped_column(Name, default="")
    attempt: Mapped[int] = mapped_column(default=0)
    attempts_before: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    subject: Mapped[str] = mapped_column(Name, default="")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    workspace_id: Mapped[str | None] = mapped_column(Id)
    principal: Mapped[dict[str, Any]]
    trace_id: Mapped[str] = mapped_column(String(32))


class JobLogLine(Model):
    """A line of a job's log, in order of ``id``."""

    __tablename__ = "core_job_log"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(Id, index=True)
    at: Mapped[datetime]
    line: Mapped[str] = mapped_column(Long)


class PeriodicRun(Model):
    """When a piece of periodic work ran last, and how it ended."""

    __tablename__ = "core_periodic_run"

    name: Mapped[str] = mapped_column(String(96), primary_key=True)
    last_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(String(16), default="")
    detail: Mapped[str] = mapped_column(Long, default="")
    duration_ms: Mapped[int] = mapped_column(default=0)
