"""Rights and roles that can be granted here: this site's own, and those that joined sites declare (C-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
from flask import g
from sqlalchemy import select

from app import site
from app.auth.federation import Declared, declared
from app.contracts.declarations import Permission, Role
from app.db import db
from plugins.iam.oidc.models import JoinedSite, OidcClient


def permissions() -> Mapping[str, Permission]:
    """Rights of this site and of those that joined it, by name."""
    return {p.name: p for joined in _declarations() for p in joined.permissions} | dict(site.catalogue().permissions)


def roles() -> Mapping[str, Role]:
    """Built-in roles of this site and of those that joined it, by code, with the exact permissions that they have on
    all of them.
    """
    found: dict[str, Role] = {}
    for role in (*declared().roles, *(role for joined in _declarations() for role in joined.roles)):
        before = found.setdefault(role.code, role)
        found[role.code] = replace(before, permissions=sorted({*before.permissions, *role.permissions}))
    return found


def _declarations() -> list[Declared]:
    if "declarations" not in g:
        joined = (
            select(JoinedSite)
            .join(OidcClient, OidcClient.client_id == JoinedSite.client_id)
            .where(OidcClient.site, OidcClient.enabled)
        )
        rows = db.session.scalars(joined.order_by(JoinedSite.created_at))
        g.declarations = [msgspec.convert(row.declared, Declared) for row in rows]
    return g.declarations


def forget() -> None:
    """Read anew in this request what joined sites declare."""
    g.pop("declarations", None)
