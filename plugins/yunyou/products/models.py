"""The baseline, what it lists of products, applications and parameters, and the records of releases (guide 2.8)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Model, Name, Sealed, TenantOwned


class Baseline(Model):
    """What truly runs in an environment, as one document (guide 2.8.1). ``version`` keeps two writers apart."""

    __tablename__ = "yunyou_baseline"

    environment_id: Mapped[str] = mapped_column(Id, primary_key=True)
    document: Mapped[str] = mapped_column(Sealed)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]


class BaselineProduct(TenantOwned, Model):
    """A product of the baseline, for lists and search."""

    __tablename__ = "yunyou_baseline_product"
    __table_args__ = (UniqueConstraint("environment_id", "code"),)

    environment_id: Mapped[str] = mapped_column(Id, index=True)
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Name)
    release: Mapped[str] = mapped_column(String(64))
    topology: Mapped[str] = mapped_column(Name, default="")
    specification: Mapped[str] = mapped_column(Name, default="")
    solution_id: Mapped[str | None] = mapped_column(Id)
    changed_at: Mapped[datetime]


class BaselineApplication(TenantOwned, Model):
    """An application of the baseline, with the objects that were sent last (sealed: they hold secrets)."""

    __tablename__ = "yunyou_baseline_application"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    environment_id: Mapped[str] = mapped_column(Id, index=True)
    product: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(63))
    release: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16), default="standard")
    workload: Mapped[str] = mapped_column(String(16))
    image: Mapped[str] = mapped_column(String(400))
    replicas: Mapped[int] = mapped_column(default=0)
    objects: Mapped[str] = mapped_column(Sealed, deferred=True)
    order_id: Mapped[str | None] = mapped_column(Id)
    changed_at: Mapped[datetime]


class GlobalParameter(TenantOwned, Model):
    """A parameter value that an environment holds now; solutions that differ from it are in conflict."""

    __tablename__ = "yunyou_parameter"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    environment_id: Mapped[str] = mapped_column(Id, index=True)
    name: Mapped[str] = mapped_column(String(320))
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(Sealed)
    solution_id: Mapped[str | None] = mapped_column(Id)
    changed_at: Mapped[datetime]


class ReleaseRecord(TenantOwned, Model):
    """A successful release of a product: what a rollback returns to (Y-37)."""

    __tablename__ = "yunyou_release_record"
    __table_args__ = (Index("ix_yunyou_release_record_product", "environment_id", "product", "created_at"),)

    environment_id: Mapped[str] = mapped_column(Id)
    product: Mapped[str] = mapped_column(String(64))
    release: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[str] = mapped_column(Id)
    solution_id: Mapped[str | None] = mapped_column(Id)
    content: Mapped[str] = mapped_column(Sealed, deferred=True)
    creator: Mapped[str] = mapped_column(Name, default="")
