"""The OpenAPI platform: signed calls and the catalogue; what this plugin adds to the console."""

from __future__ import annotations

from collections.abc import Iterable

from app.contracts.declarations import Door, Periodic, Permission, Role
from app.errors import ErrorCode
from app.hooks import hookimpl
from app.web.api import Api
from app.words import _
from plugins.openapi import acs3, api, permissions


@hookimpl
def register_apis() -> Iterable[Api]:
    return [api.api]


@hookimpl
def register_permissions() -> Iterable[Permission]:
    return permissions.ALL


@hookimpl
def register_roles() -> Iterable[Role]:
    words = _("Sees everything, changes nothing.")
    return [Role("yunyou-observer", _("Observer"), ("openapi.*:read",), words)]


@hookimpl
def register_doors() -> Iterable[Door]:
    return [Door(acs3.SCHEME, acs3.door)]


@hookimpl
def register_periodic() -> Iterable[Periodic]:
    return [Periodic("openapi.nonces.sweep", _("Remove nonces that are over"), acs3.sweep, every=3600)]


@hookimpl
def register_errors() -> Iterable[ErrorCode]:
    return acs3.ERRORS
