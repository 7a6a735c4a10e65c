"""What an access token stands for: its row, its client as it is now, and what follows from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.contracts.identity import API, API_READ
from plugins.iam.models.oidc import Token
from plugins.iam.oidc import clients, tokens
from plugins.iam.oidc.clients import Client
from plugins.iam.oidc.keys import issuer


@dataclass(frozen=True, slots=True)
class Access:
    """A live token. ``scopes`` are those that its client may still have; ``audience`` is ``aud`` (RFC 9068, 3)."""

    row: Token
    client: Client
    scopes: frozenset[str]
    audience: Sequence[str]

    @property
    def delegated(self) -> bool:
        """Whether a person gave it to an application; the token of an AccessKey is its owner's own."""
        return self.client.principal is None


def find(bearer: str) -> Access | None:
    """The token, unless it is expired, taken back, or its client is disabled or gone."""
    row = tokens.find_access(bearer)
    return opened(row) if row is not None else None


def opened(row: Token) -> Access | None:
    """A token's row with its client, unless that is disabled or gone."""
    client = clients.find(row.client_id)
    if client is None:
        return None
    scopes = frozenset(row.scope.split()) & set(client.scopes)
    return Access(row, client, scopes, _audience(client, scopes))


def _audience(client: Client, scopes: frozenset[str]) -> list[str]:
    """The API, for tokens with a scope of it; else the audience that the client has of its own, or the client
    itself.
    """
    if scopes & {API, API_READ}:
        return [issuer()]
    return [client.audience or client.client_id]
