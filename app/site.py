"""The running site: its settings and catalogue, for whoever works in its application context."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from app.catalogue import Catalogue
    from app.config import Settings

SETTINGS = "antstack.settings"
CATALOGUE = "antstack.catalogue"


def settings() -> Settings:
    """The settings of this site."""
    return cast("Settings", current_app.extensions[SETTINGS])


def catalogue() -> Catalogue:
    """What core and plugins of this site declared."""
    return cast("Catalogue", current_app.extensions[CATALOGUE])
