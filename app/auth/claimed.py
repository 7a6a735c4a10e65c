"""The directory of a site whose provider is no AntStack IAM: people, tenants and roles as claims told them at
sign-in (C-10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from app import crypto, site
from app.auth.codes import NOT_TOLD
from app.auth.models import ClaimedPerson
from app.contracts.identity import Directory, Principal, RoleGrant, Signer, TenantRef, TokenRef, WorkspaceRef
from app.db import db
from app.words import _

ID_LENGTH = 26


class ClaimedDirectory(Directory):
    """Answers from what the claims said at each person's last sign-in."""

    def arrived(self, claims: Mapping[str, Any]) -> Principal:
        usual, settings = super().arrived(claims), site.settings()
        row = db.session.get(ClaimedPerson, _id(usual.id)) or ClaimedPerson(id=_id(usual.id))
        row.login = " ".join(_values(claims, settings.claims.get("login"))) or usual.login
        row.name = " ".join(_values(claims, settings.claims.get("name"))) or usual.name
        row.tenants = (
            _values(claims, settings.claims["tenant"]) if "tenant" in settings.claims else [settings.site_name]
        )
        row.roles = _values(claims, settings.claims["roles"])
        db.session.add(row)
        return Principal("member", row.id, row.name, row.login, "")

    def tenants_of(self, principal_key: str) -> Sequence[TenantRef]:
        row = _person(principal_key)
        return [TenantRef(_id(name), name, name) for name in sorted(row.tenants)] if row else []

    def workspaces_of(self, tenant_id: str) -> Sequence[WorkspaceRef]:
        return []

    def principal(self, principal_key: str, tenant_id: str) -> Principal | None:
        row = _person(principal_key)
        if row is None or tenant_id not in map(_id, row.tenants):
            return None
        return Principal("member", row.id, row.name, row.login, tenant_id)

    def epoch(self, tenant_id: str) -> int:
        return db.session.scalar(select(func.sum(ClaimedPerson.version))) or 0

    def grants(self, principal: Principal) -> Sequence[RoleGrant]:
        row, known = _person(principal.key), site.catalogue().roles
        held = [known[code] for code in row.roles if code in known] if row else []
        return [RoleGrant(role.code, role.title, frozenset(role.permissions), "claim") for role in held]

    def signer(self, key_id: str, text: str, signature: str, source_ip: str) -> Signer:
        raise NOT_TOLD(what=_("AccessKeys"))

    def token(self, bearer: str) -> TokenRef | None:
        raise NOT_TOLD(what=_("access tokens"))

    def key_of(self, login: str) -> str:
        found = db.session.scalar(select(ClaimedPerson.id).where(ClaimedPerson.login == login.strip()))
        return f"member:{found}" if found else ""


def _person(principal_key: str) -> ClaimedPerson | None:
    return db.session.get(ClaimedPerson, principal_key.partition(":")[2])


def _id(name: str) -> str:
    """An identifier for what the provider calls *name*; another provider's of the same name is another."""
    return crypto.digest(f"{site.settings().issuer} {name}")[:ID_LENGTH]


def _values(claims: Any, path: str | None) -> list[str]:
    """The texts at *path*, a claim's name or a way into objects (``realm_access.roles``); nothing where there are
    none.
    """
    path, found = path or "", claims
    for part in [path] if path in claims else path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return [str(value) for value in (found if isinstance(found, list) else [found]) if value]
