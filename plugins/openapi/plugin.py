"""The OpenAPI platform: signed calls and the catalogue; what this plugin adds to the console."""

from __future__ import annotations

from app.contracts.declarations import Door, Periodic, Role
from app.hooks import hookimpl
from app.words import _
from plugins.openapi import acs3, api, permissions


@hookimpl
def register_apis():
    return [api.api]


@hookimpl
def register_permissions():
    return permissions.ALL


@hookimpl
def register_roles():
    words = _("Sees everything, changes nothing.")
    return [Role("yunyou-observer", _("Observer"), ("openapi.*:read",), words)]


@hookimpl
def register_doors():
    return [Door(acs3.SCHEME, acs3.door)]


@hookimpl
def register_periodic():
    return [Periodic("openapi.nonces.sweep", _("Remove nonces that are over"), acs3.sweep, every=3600)]


@hookimpl
def register_errors():
    return acs3.ERRORS
