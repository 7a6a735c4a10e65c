"""Whom it greeted."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from app.db import Model, Name, TenantOwned


class Greeted(TenantOwned, Model):
    """One that was greeted, and with which word."""

    __tablename__ = "greeter_greeted"

    name: Mapped[str] = mapped_column(Name)
    word: Mapped[str] = mapped_column(Name)
