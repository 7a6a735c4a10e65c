"""Resources of an environment: load balancers, and what existing databases, caches and buckets give."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.contracts.json import Json
from app.db import Id, Model, Name, Sealed, TenantOwned


class ResourceOutput(TenantOwned, Model):
    """A value of a database, cache or bucket that exists already, entered by a person: ``db.NAME.host`` and so on."""

    __tablename__ = "yunyou_resource_output"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    environment_id: Mapped[str] = mapped_column(Id, index=True)
    name: Mapped[str] = mapped_column(String(160))
    value: Mapped[str] = mapped_column(Sealed)
    secret: Mapped[bool] = mapped_column(default=False)


class LoadBalancer(TenantOwned, Model):
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
    listeners: Mapped[list[Json]]
    address: Mapped[str] = mapped_column(Name, default="")
    state: Mapped[str] = mapped_column(String(16), default="planned")

    @property
    def owner(self) -> str:
        """Whose the domain is, as DNS keeps it (D-3)."""
        return f"{self.product}/{self.application}@{self.environment_id}"
