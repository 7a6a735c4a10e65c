"""The OpenAPI platform: signed calls and the catalogue; what this plugin adds to the console."""

from __future__ import annotations

from app.contracts.declarations import Door, Periodic, Role
from app.contracts.text import Text
from app.hooks import hookimpl
from plugins.openapi import acs3, api, permissions


@hookimpl
def register_apis():
    return [api.api]


@hookimpl
def register_permissions():
    return permissions.ALL


@hookimpl
def register_roles():
    words = Text("Sees everything, changes nothing.", "可查看全部内容，不可修改。")
    return [Role("yunyou-observer", Text("Observer", "云游观察者"), ("openapi.*:read",), words)]


@hookimpl
def register_doors():
    return [Door(acs3.SCHEME, acs3.door)]


@hookimpl
def register_periodic():
    return [Periodic("openapi.nonces.sweep", Text("Remove nonces that are over", "清理过期的随机数"), acs3.sweep, every=3600)]


@hookimpl
def register_errors():
    return acs3.ERRORS
