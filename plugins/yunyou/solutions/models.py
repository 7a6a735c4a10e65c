"""Solutions and their pre-deployment tasks (guide 2.7)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.contracts.json import Json
from app.db import Id, Identified, Model, Name, Sealed, TenantOwned, Versioned

PLANNING, DEPLOYING, COMPLETED, DISCARDED, SUPERSEDED = "planning", "deploying", "completed", "discarded", "superseded"
OPEN_STATES = (PLANNING, DEPLOYING)
TODO, DONE = "todo", "done"
PLANS = ("parameters", "images", "load-balancers", "databases", "storage", "applications")


class Solution(TenantOwned, Versioned, Model):
    """An imported solution: the document as it came, and the plan that people edit over it.

    ``document`` and ``parameters`` hold secrets, so they are sealed.
    ``overrides`` are edits of applications: ``{"PRODUCT/app": {field: value}}``.
    """

    __tablename__ = "yunyou_solution"
    __table_args__ = (Index("ix_yunyou_solution_environment", "environment_id", "created_at"),)

    environment_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(Name)
    release: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), default=PLANNING, index=True)
    size: Mapped[int] = mapped_column(default=0)
    products: Mapped[list[Json]]
    applications: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[list[str]]
    overrides: Mapped[Json]
    document: Mapped[str] = mapped_column(Sealed, deferred=True)
    parameters: Mapped[str] = mapped_column(Sealed, deferred=True)
    imported_by: Mapped[str] = mapped_column(Name)
    closed_at: Mapped[datetime | None]
    given_up: Mapped[list[str]]


class PlanTask(Identified, Model):
    """One pre-deployment task of a solution: parameters, images and so on (Y-3)."""

    __tablename__ = "yunyou_plan_task"
    __table_args__ = (UniqueConstraint("solution_id", "kind"),)

    solution_id: Mapped[str] = mapped_column(Id, index=True)
    kind: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(16), default=TODO)
    total: Mapped[int] = mapped_column(default=0)
    open: Mapped[int] = mapped_column(default=0)
    confirmed_by: Mapped[str] = mapped_column(Name, default="")
    confirmed_at: Mapped[datetime | None]
