"""What orders of Yunyou keep: what each sends, and the custom groups that somebody chose."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Model, Name, Sealed, TenantOwned


class Frozen(Model):
    """What one order sends for one application: frozen when the order is made, sealed since it holds secrets.

    ``seen`` are the generations and digests of the live objects when the plan was made.
    """

    __tablename__ = "yunyou_frozen"

    order_id: Mapped[str] = mapped_column(Id, primary_key=True)
    application: Mapped[str] = mapped_column(String(128), primary_key=True)
    content: Mapped[str] = mapped_column(Sealed)


class GroupChoice(TenantOwned, Model):
    """The custom groups that somebody chose for an application, kept for its next order (Y-24)."""

    __tablename__ = "yunyou_group_choice"
    __table_args__ = (UniqueConstraint("environment_id", "application"),)

    environment_id: Mapped[str] = mapped_column(Id)
    application: Mapped[str] = mapped_column(String(128))
    strategy: Mapped[str] = mapped_column(String(16))
    shares: Mapped[list[int]]
    changed_by: Mapped[str] = mapped_column(Name, default="")
