"""AntStack Console: the pluggable core."""

from __future__ import annotations

from app.application import create_app

__all__ = ["create_app"]
