"""Permissions and roles that can be granted here: this site's own, those that joined sites declare (C-10), and a
tenant's own roles.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from flask import g
from sqlalchemy import func, select

from app import site
from app.auth.federation import Declared, declared
from app.contracts.declarations import Permission, Role
from app.db import db, scoped
from app.web.language import t
from app.words import Text, plain
from plugins.iam.models import CustomRole, Grant
from plugins.iam.models.oidc import JoinedSite, OidcClient


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
    found: list[Declared] = g.declarations
    return found


def forget() -> None:
    """Read anew in this request what joined sites declare."""
    g.pop("declarations", None)


def role_of(tenant_id: str, code: str) -> tuple[Text, frozenset[str]] | None:
    """Name and permissions of a built-in or custom role; None when there is none. What only joined sites have allows
    nothing here.
    """
    return roles_of(tenant_id, {code}).get(code)


def roles_of(tenant_id: str, codes: Collection[str]) -> dict[str, tuple[Text, frozenset[str]]]:
    """Name and permissions of roles by code, read at once; those that do not exist are left out."""
    known = site.catalogue().roles
    found = {code: (known[code].title, frozenset(known[code].permissions)) for code in codes if code in known}
    if others := set(codes) - found.keys():
        query = select(CustomRole).where(CustomRole.tenant_id == tenant_id, CustomRole.code.in_(others))
        found |= {row.code: (plain(row.name), frozenset(row.permissions)) for row in db.session.scalars(query)}
    if others := set(codes) - found.keys():
        elsewhere = roles()
        found |= {code: (elsewhere[code].title, frozenset()) for code in others if code in elsewhere}
    return found


def title_of(grant: Grant) -> str:
    """The name of the role of a grant, in the person's language."""
    role = site.catalogue().roles.get(grant.role)
    if role is None and grant.own_role is None:
        role = roles().get(grant.role)
    return t(role.title) if role is not None else grant.own_role or grant.role


@dataclass(frozen=True, slots=True)
class RoleShown:
    """A role, built-in or custom. ``id`` is a built-in's code, a custom one's identifier."""

    id: str
    code: str
    name: Text
    description: Text
    permissions: Sequence[str]
    built_in: bool
    held: int
    version: int = 0


def roles_of_tenant(tenant_id: str, text: str = "", counted: bool = True) -> list[RoleShown]:
    """Every role of the tenant whose name, code or permissions hold the words; not *counted*, without how many hold
    it.
    """
    counts = select(Grant.role, func.count()).where(Grant.tenant_id == tenant_id).group_by(Grant.role)
    held: dict[str, int] = {row[0]: row[1] for row in db.session.execute(counts)} if counted else {}
    found = [
        RoleShown(r.code, r.code, r.title, r.description, r.permissions, True, held.get(r.code, 0))
        for r in roles().values()
    ]
    own = scoped(CustomRole, tenant_id).order_by(CustomRole.name)
    found += [_shown(row, held.get(row.code, 0)) for row in db.session.scalars(own)]
    words = text.lower().split()
    return [role for role in found if all(word in _text(role) for word in words)]


def _text(role: RoleShown) -> str:
    titles = permissions()
    rights = " ".join(f"{p} {' '.join(titles[p].title.in_all().values())}" for p in role.permissions if p in titles)
    return f"{role.code} {' '.join(role.name.in_all().values())} {rights}".lower()


def _shown(row: CustomRole, held: int) -> RoleShown:
    return RoleShown(
        row.id, row.code, plain(row.name), plain(row.description), list(row.permissions), False, held, row.version
    )
