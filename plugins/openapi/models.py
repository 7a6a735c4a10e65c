"""Nonces of signed calls that were taken."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Model


class Nonce(Model):
    """A nonce of an AccessKey, as a digest of both, and when it was used."""

    __tablename__ = "openapi_nonce"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(index=True)
