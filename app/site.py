"""The running site: its settings and catalogue, for whoever works in its application context."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from flask import current_app

from app.contracts.identity import Directory

if TYPE_CHECKING:
    from app.catalogue import Catalogue
    from app.config import Settings

S = TypeVar("S")
SETTINGS = "antstack.settings"
PLUGIN_SETTINGS = "antstack.plugin-settings"
CATALOGUE = "antstack.catalogue"


def settings() -> Settings:
    """The settings of this site."""
    return cast("Settings", current_app.extensions[SETTINGS])


def settings_of(kind: type[S]) -> S:
    """The settings of this site that a plugin declared with ``register_settings``."""
    return cast("S", current_app.extensions[PLUGIN_SETTINGS][kind])


def catalogue() -> Catalogue:
    """What core and plugins of this site declared."""
    return cast("Catalogue", current_app.extensions[CATALOGUE])


def own_iam() -> bool:
    """Whether a plugin of this site has the people, so that the site is its own OpenID provider."""
    return Directory in catalogue().services
