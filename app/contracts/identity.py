"""Who acts: principals, tenants, role grants and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from app.words import Text

PrincipalType = Literal["member", "serviceAccount", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A member (a person) or a service account, acting in one tenant."""

    type: PrincipalType
    id: str
    name: str
    login: str
    tenant_id: str

    @property
    def key(self) -> str:
        """``type:id``, unique over all kinds."""
        return f"{self.type}:{self.id}"


SYSTEM = "system"
API, API_READ = "antstack.api", "antstack.api:read"  # scopes of access tokens (RFC 6749, 3.3)


@dataclass(frozen=True, slots=True)
class TenantRef:
    """A tenant that a principal may act in."""

    id: str
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class WorkspaceRef:
    """A workspace of a tenant."""

    id: str
    name: str
    tenant_id: str


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """One role that a principal holds, directly or through a group.

    ``permissions`` are exact names; ``*`` at the end of one stands for all below it.
    ``conditions`` are dictionaries ``{"kind", ...}``, all of which must hold:
    ``resource`` (``attribute``, ``values``), ``source-ip`` (``ranges``),
    ``time`` (``from``, ``to`` as HH:MM), ``mfa``.
    """

    role: str
    role_name: Text
    permissions: frozenset[str]
    source: str
    expires_at: datetime | None = None
    conditions: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is allowed, and why."""

    allowed: bool
    reason: Text


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose AccessKey signed a text: a principal where the signature is ``right``, else None."""

    verdict: Literal["right", "wrong", "unknown", "disabled", "owner-not-active"]
    principal: Principal | None = None


@dataclass(frozen=True, slots=True)
class TokenRef:
    """What an access token stands for: for whom it is (``aud``), to which client it was given (``azp``), how far it
    goes.

    ``delegated`` tells the token that a person gave an application from that of an AccessKey.
    """

    principal: Principal
    client_id: str
    audience: frozenset[str]
    scopes: frozenset[str]
    delegated: bool
    mfa: bool = False


class Directory(Protocol):
    """Principals, tenants, grants and keys: answered by the site's own IAM or by another site's."""

    def tenants_of(self, principal_key: str) -> Sequence[TenantRef]:
        """Tenants that the principal belongs to, by name."""
        ...

    def workspaces_of(self, tenant_id: str) -> Sequence[WorkspaceRef]:
        """Workspaces of a tenant, by name."""
        ...

    def principal(self, principal_key: str, tenant_id: str) -> Principal | None:
        """The principal acting in a tenant, or None when it is unknown, frozen, removed or not of that tenant."""
        ...

    def epoch(self, tenant_id: str) -> int:
        """A number that moves with every change of what anybody of the tenant may do."""
        ...

    def grants(self, principal: Principal) -> Sequence[RoleGrant]:
        """Roles held now, direct and through groups; expired ones left out."""
        ...

    def arrived(self, claims: Mapping[str, Any]) -> Principal:
        """Who was just signed in, not yet in a tenant; *claims* are those of the ID token."""
        login = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
        return Principal("member", str(claims["sub"]), str(claims.get("name") or login), login, "")

    def signer(self, key_id: str, text: str, signature: str, source_ip: str) -> Signer:
        """Whether the AccessKey made *signature*, the hexadecimal HMAC-SHA256 of *text*; if so, its use is noted."""
        ...

    def token(self, bearer: str) -> TokenRef | None:
        """What an access token of the provider stands for, or None when it is not valid, or its client no longer is.

        For whom it is, ``app.auth.audience`` decides.
        """
        ...

    def key_of(self, login: str) -> str:
        """The principal key of a login name, or of a service account's name; empty when nobody has it."""
        ...
