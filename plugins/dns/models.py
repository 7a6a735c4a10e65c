"""Zones, their record sets, and what every set of changes changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Identified, Model, Name, TenantOwned, Versioned
from plugins.dns.names import domain_of


def _domain(context: Any) -> str:
    return domain_of(context.get_current_parameters()["name"])


class Zone(TenantOwned, Versioned, Model):
    """A zone that this site answers for.

    ``name`` is absolute without the last dot, in lower case; ``domain`` is its last two labels.
    """

    __tablename__ = "dns_zone"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(253))
    domain: Mapped[str] = mapped_column(String(253), index=True, default=_domain)
    serial: Mapped[int]
    default_ttl: Mapped[int] = mapped_column(default=300)
    primary_server: Mapped[str] = mapped_column(Name, default="ns1")
    contact: Mapped[str] = mapped_column(Name, default="hostmaster")


class RecordSet(Identified, Model):
    """Records of one name and type.

    ``owner`` is ``product/application@environment`` for names that the console registered.
    """

    __tablename__ = "dns_record_set"
    __table_args__ = (UniqueConstraint("zone_id", "name", "type"), Index("ix_dns_record_set_owner", "owner"))

    zone_id: Mapped[str] = mapped_column(Id, index=True)
    name: Mapped[str] = mapped_column(String(253))
    type: Mapped[str] = mapped_column(String(10))
    ttl: Mapped[int]
    values: Mapped[list[Any]]
    owner: Mapped[str] = mapped_column(String(160), default="")


class ZoneVersion(Identified, Model):
    """A set of changes: who, what it was before and after. A zone returns to a version by undoing the later ones (D-2).

    ``changes``: ``{"name", "type", "before", "after"}``, the last two null or ``{"ttl", "values", "owner"}``.
    """

    __tablename__ = "dns_zone_version"
    __table_args__ = (UniqueConstraint("zone_id", "serial"),)

    zone_id: Mapped[str] = mapped_column(Id)
    serial: Mapped[int]
    actor: Mapped[str] = mapped_column(Name)
    changes: Mapped[list[Any]]


class Domain(Model):
    """The last two labels of zones that are or were: whoever makes a zone in it holds its row until the transaction
    ends.

    Zones of two tenants that overlap are always of one domain, so that of two made at once the second sees the first.
    """

    __tablename__ = "dns_domain"

    name: Mapped[str] = mapped_column(String(253), primary_key=True)
