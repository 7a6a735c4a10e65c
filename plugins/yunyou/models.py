"""Environments, solutions with their plans, baselines, records and load balancers (guide chapter 2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Identified, Name, Sealed, TenantOwned, Versioned, db

PLANNING, DEPLOYING, COMPLETED, DISCARDED, SUPERSEDED = "planning", "deploying", "completed", "discarded", "superseded"
OPEN_STATES = (PLANNING, DEPLOYING)
TODO, DONE = "todo", "done"
PLANS = ("parameters", "images", "load-balancers", "databases", "storage", "applications")


class Environment(TenantOwned, Versioned, db.Model):
    """One namespace of one cluster with what products need there (guide 2.12)."""

    __tablename__ = "yunyou_environment"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), UniqueConstraint("cluster_id", "namespace"))

    name: Mapped[str] = mapped_column(Name)
    cluster_id: Mapped[str] = mapped_column(Id)
    namespace: Mapped[str] = mapped_column(String(63))
    prefix: Mapped[str] = mapped_column(String(63))
    global_domain: Mapped[str] = mapped_column(Name, default="")
    access_address: Mapped[str] = mapped_column(Name, default="")
    base: Mapped[str] = mapped_column(String(16), default="third-party")
    region: Mapped[str] = mapped_column(String(64), default="")
    zone: Mapped[str] = mapped_column(String(64), default="")
    registry_host: Mapped[str] = mapped_column(Name, default="")
    registry_insecure: Mapped[bool] = mapped_column(default=False)
    no_service_image: Mapped[str] = mapped_column(Name, default="acloud/containerdefaultimage:1.3")
    workspace_id: Mapped[str | None] = mapped_column(Id)


class Solution(TenantOwned, Versioned, db.Model):
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
    products: Mapped[list[Any]]
    applications: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[list[Any]]
    overrides: Mapped[dict[str, Any]]
    document: Mapped[str] = mapped_column(Sealed, deferred=True)
    parameters: Mapped[str] = mapped_column(Sealed, deferred=True)
    imported_by: Mapped[str] = mapped_column(Name)
    closed_at: Mapped[datetime | None]
    given_up: Mapped[list[Any]]


class PlanTask(Identified, db.Model):
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


class ImageCheck(Identified, db.Model):
    """What the registry said of one image of a solution."""

    __tablename__ = "yunyou_image_check"
    __table_args__ = (UniqueConstraint("solution_id", "image"),)

    solution_id: Mapped[str] = mapped_column(Id, index=True)
    image: Mapped[str] = mapped_column(String(400))
    applications: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(16), default="unchecked")
    digest: Mapped[str] = mapped_column(String(96), default="")
    platforms: Mapped[list[Any]]
    problem: Mapped[dict[str, Any] | None]
    checked_at: Mapped[datetime | None]
    accepted: Mapped[bool] = mapped_column(default=False)


class Baseline(db.Model):
    """What truly runs in an environment, as one document (guide 2.8.1). ``version`` keeps two writers apart."""

    __tablename__ = "yunyou_baseline"

    environment_id: Mapped[str] = mapped_column(Id, primary_key=True)
    document: Mapped[str] = mapped_column(Sealed)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]


class BaselineProduct(TenantOwned, db.Model):
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


class BaselineApplication(TenantOwned, db.Model):
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


class Frozen(db.Model):
    """What one order sends for one application: frozen when the order is made, sealed since it holds secrets.

    ``seen`` are the generations and digests of the live objects when the plan was made.
    """

    __tablename__ = "yunyou_frozen"

    order_id: Mapped[str] = mapped_column(Id, primary_key=True)
    application: Mapped[str] = mapped_column(String(128), primary_key=True)
    content: Mapped[str] = mapped_column(Sealed)


class GlobalParameter(TenantOwned, db.Model):
    """A parameter value that an environment holds now; solutions that differ from it are in conflict."""

    __tablename__ = "yunyou_parameter"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    environment_id: Mapped[str] = mapped_column(Id, index=True)
    name: Mapped[str] = mapped_column(String(320))
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(Sealed)
    solution_id: Mapped[str | None] = mapped_column(Id)
    changed_at: Mapped[datetime]


class ResourceOutput(TenantOwned, db.Model):
    """A value of a database, cache or bucket that exists already, entered by a person: ``db.NAME.host`` and so on."""

    __tablename__ = "yunyou_resource_output"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    environment_id: Mapped[str] = mapped_column(Id, index=True)
    name: Mapped[str] = mapped_column(String(160))
    value: Mapped[str] = mapped_column(Sealed)
    secret: Mapped[bool] = mapped_column(default=False)


class ReleaseRecord(TenantOwned, db.Model):
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


class LoadBalancer(TenantOwned, db.Model):
    """A load balancer of an environment and the address that its provider gave it (Y-72)."""

    __tablename__ = "yunyou_load_balancer"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    environment_id: Mapped[str] = mapped_column(Id, index=True)
    product: Mapped[str] = mapped_column(String(64))
    application: Mapped[str] = mapped_column(String(63))
    name: Mapped[str] = mapped_column(String(63))
    provider: Mapped[str] = mapped_column(String(32), default="kubernetes")
    network: Mapped[str] = mapped_column(String(16), default="internal")
    domain: Mapped[str] = mapped_column(Name, default="")
    listeners: Mapped[list[Any]]
    address: Mapped[str] = mapped_column(Name, default="")
    state: Mapped[str] = mapped_column(String(16), default="planned")

    @property
    def owner(self) -> str:
        """Whose the domain is, as DNS keeps it (D-3)."""
        return f"{self.product}/{self.application}@{self.environment_id}"


class GroupChoice(TenantOwned, db.Model):
    """The custom groups that somebody chose for an application, kept for its next order (Y-24)."""

    __tablename__ = "yunyou_group_choice"
    __table_args__ = (UniqueConstraint("environment_id", "application"),)

    environment_id: Mapped[str] = mapped_column(Id)
    application: Mapped[str] = mapped_column(String(128))
    strategy: Mapped[str] = mapped_column(String(16))
    shares: Mapped[list[Any]]
    changed_by: Mapped[str] = mapped_column(Name, default="")
