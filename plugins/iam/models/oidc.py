"""Clients, codes, tokens, signing keys, sessions and consents of the provider. Secrets are kept as digests or
sealed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Identified, Long, Model, Name, Sealed, TenantOwned, Versioned

NEXT, ACTIVE_KEY, RETIRED = "next", "active", "retired"


class OidcClient(TenantOwned, Versioned, Model):
    """A relying party that a tenant registered. ``audience`` asks for signed access tokens for that audience (RFC
    9068);
    ``site`` is the console of another site, which learns who may do what, and checks tokens and AccessKeys here.
    ``api_scope`` is the most that people may let it do in their name at the API: nothing, read, or all that they
    may.
    """

    __tablename__ = "iam_oidc_client"

    client_id: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(Name)
    secret_digest: Mapped[str] = mapped_column(String(64), default="")
    previous_digest: Mapped[str] = mapped_column(String(64), default="")
    redirect_uris: Mapped[list[str]]
    post_logout_uris: Mapped[list[str]]
    backchannel_uri: Mapped[str] = mapped_column(String(400), default="")
    grant_types: Mapped[list[str]]
    audience: Mapped[str] = mapped_column(String(200), default="")
    public: Mapped[bool] = mapped_column(default=False)
    trusted: Mapped[bool] = mapped_column(default=False)
    site: Mapped[bool] = mapped_column(default=False)
    enabled: Mapped[bool] = mapped_column(default=True)
    api_scope: Mapped[str] = mapped_column(String(32), default="")
    without_pkce: Mapped[bool] = mapped_column(default=False)


class JoinedSite(Identified, Model):
    """What another site declared: its rights and built-in roles (``app.auth.federation.Declared``)."""

    __tablename__ = "iam_joined_site"

    client_id: Mapped[str] = mapped_column(ForeignKey("iam_oidc_client.client_id", ondelete="CASCADE"), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    declared: Mapped[dict[str, Any]]


class ProviderSession(Identified, Model):
    """A person signed in at the provider in one browser; its identifier is the ``sid`` of tokens."""

    __tablename__ = "iam_provider_session"

    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[str] = mapped_column(Id, index=True)
    auth_time: Mapped[datetime]
    amr: Mapped[list[str]]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    source_ip: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(400), default="")


class SessionClient(Model):
    """A client that got tokens in a session: it is told when the session ends, whatever became of the tokens."""

    __tablename__ = "iam_session_client"

    session_id: Mapped[str] = mapped_column(ForeignKey("iam_provider_session.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)


class AuthorizationCode(Identified, Model):
    """An authorization code: its digest, what it stands for, and whether it was used."""

    __tablename__ = "iam_authorization_code"

    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[str] = mapped_column(String(64))
    member_id: Mapped[str] = mapped_column(Id)
    tenant_id: Mapped[str | None] = mapped_column(Id)
    session_id: Mapped[str] = mapped_column(Id)
    redirect_uri: Mapped[str] = mapped_column(Long)
    scope: Mapped[str] = mapped_column(Name)
    nonce: Mapped[str] = mapped_column(Long, default="")
    code_challenge: Mapped[str] = mapped_column(String(128), default="")
    code_challenge_method: Mapped[str] = mapped_column(String(8), default="")
    auth_time: Mapped[datetime]
    amr: Mapped[list[str]]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    def get_redirect_uri(self) -> str:
        """The redirect URI as the request named it (Authlib)."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The scope that was allowed (Authlib)."""
        return self.scope


class Token(Identified, Model):
    """An access token with its refresh token, as digests. ``family`` begins at one sign-in and dies as one."""

    __tablename__ = "iam_token"
    __table_args__ = (Index("ix_iam_token_owner", "principal_type", "principal_id"),)

    access_digest: Mapped[str] = mapped_column(String(64), unique=True)
    refresh_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    family: Mapped[str] = mapped_column(Id, index=True)
    code_id: Mapped[str | None] = mapped_column(Id, index=True)
    client_id: Mapped[str] = mapped_column(String(64), index=True)
    principal_type: Mapped[str] = mapped_column(String(16))
    principal_id: Mapped[str] = mapped_column(Id)
    tenant_id: Mapped[str | None] = mapped_column(Id)
    session_id: Mapped[str | None] = mapped_column(Id, index=True)
    scope: Mapped[str] = mapped_column(Name, default="")
    auth_time: Mapped[datetime | None]
    amr: Mapped[list[str]]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    refresh_expires_at: Mapped[datetime | None]
    rotated_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def get_scope(self) -> str:
        """The scope that was allowed (Authlib)."""
        return self.scope

    def check_client(self, client: object) -> bool:
        """Whether it was given to this client (Authlib)."""
        return self.client_id == getattr(client, "client_id", None)

    def is_revoked(self) -> bool:
        """Whether it was taken back (Authlib)."""
        return self.revoked_at is not None


class SigningKey(Identified, Model):
    """A key that signs ID tokens: published before it signs, and after, until its last token has expired."""

    __tablename__ = "iam_signing_key"

    kid: Mapped[str] = mapped_column(String(64), unique=True)
    private: Mapped[str] = mapped_column(Sealed)
    state: Mapped[str] = mapped_column(String(16), index=True)
    changed_at: Mapped[datetime]


class Consent(Identified, Model):
    """What a member allowed a client; withdrawn by removing it."""

    __tablename__ = "iam_consent"
    __table_args__ = (UniqueConstraint("member_id", "client_id"),)

    member_id: Mapped[str] = mapped_column(Id, index=True)
    client_id: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]]
    given_at: Mapped[datetime]
