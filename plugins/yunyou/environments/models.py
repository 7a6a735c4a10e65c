"""Environments: where products are delivered to (guide 2.12)."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Model, Name, TenantOwned, Versioned


class Environment(TenantOwned, Versioned, Model):
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
