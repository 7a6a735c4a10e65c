"""Whom it greeted."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from app.db import Name, TenantOwned, db


class Greeted(TenantOwned, db.Model):
    """One that was greeted, and with which word."""

    __tablename__ = "greeter_greeted"

    name: Mapped[str] = mapped_column(Name)
    word: Mapped[str] = mapped_column(Name)
