"""What the registry said of the images of a solution."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.contracts.json import Json
from app.db import Id, Identified, Model


class ImageCheck(Identified, Model):
    """What the registry said of one image of a solution."""

    __tablename__ = "yunyou_image_check"
    __table_args__ = (UniqueConstraint("solution_id", "image"),)

    solution_id: Mapped[str] = mapped_column(Id, index=True)
    image: Mapped[str] = mapped_column(String(400))
    applications: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(16), default="unchecked")
    digest: Mapped[str] = mapped_column(String(96), default="")
    platforms: Mapped[list[str]]
    problem: Mapped[Json | None]
    checked_at: Mapped[datetime | None]
    accepted: Mapped[bool] = mapped_column(default=False)
