"""What a site without people of its own and the IAM of another site tell each other, as JSON.

Both sides read these shapes: ``plugins/iam/joined_sites.py`` answers, ``app/auth/snapshot.py`` and
``app/auth/remote.py`` ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from app import site
from app.auth.decisions import expand
from app.contracts.declarations import Permission, Role
from app.contracts.identity import Principal, TenantRef, WorkspaceRef

SNAPSHOT = "antstack_snapshot_endpoint"
SIGNATURE = "antstack_signature_endpoint"
SNAPSHOT_SECONDS = 60
ACCESS, REFRESH = "access_token", "refresh_token"


class Declared(msgspec.Struct):
    """Rights and built-in roles of a site, so that the IAM can offer them; roles name exact permissions."""

    permissions: list[Permission]
    roles: list[Role]


class SnapshotAsked(msgspec.Struct):
    """Asks for a snapshot; ``holding`` is the digest of the one that the site has."""

    declared: Declared
    holding: str = ""


class SnapshotAnswer(msgspec.Struct):
    """A snapshot. ``proof`` is a JWT for the asking client with ``iat``, ``exp`` and the content's ``sha256``;
    ``content`` is :class:`Content` as JSON, or nothing where the site holds it already."""

    proof: str
    content: str | None = None


class HeldRole(msgspec.Struct):
    """A role by its code, held by ``holder``: a principal key, or ``group:ID``."""

    tenant_id: str
    holder: str
    role: str
    source: str
    expires_at: datetime | None
    conditions: list[Mapping[str, Any]]


class CustomRole(msgspec.Struct):
    """A role that a tenant made itself."""

    tenant_id: str
    code: str
    name: str
    permissions: list[str]


class Content(msgspec.Struct):
    """Who is active where and holds which roles; ``groups`` are those of each principal key."""

    tenants: list[TenantRef]
    workspaces: list[WorkspaceRef]
    principals: list[Principal]
    groups: dict[str, list[str]]
    grants: list[HeldRole]
    roles: list[CustomRole]


class SignatureAsked(msgspec.Struct):
    """Asks whether an AccessKey made ``signature`` of ``text``, for a caller at ``source_ip``; answered by a
    :class:`~app.contracts.identity.Signer`.
    """

    key_id: str
    text: str
    signature: str
    source_ip: str


class Introspected(msgspec.Struct):
    """What an AntStack IAM says of a token (RFC 7662, 2.2, with five members of its own)."""

    active: bool
    sub: str = ""
    scope: str = ""
    client_id: str = ""
    aud: list[str] = []
    delegated: bool = True
    tenant: str | None = None
    principal_type: str = ""
    token_use: str = ""
    amr: list[str] = []


def declared() -> Declared:
    """What this site declares."""
    found = site.catalogue()
    roles = [replace(role, permissions=sorted(expand(role.permissions))) for role in found.roles.values()]
    return Declared(list(found.permissions.values()), roles)
