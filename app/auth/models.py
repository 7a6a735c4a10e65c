"""Sessions of people at browsers, and answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Id, Identified, Model, Name, Sealed, Versioned


class ConsoleSession(Identified, Model):
    """One signed-in browser. The cookie holds a random token; the row holds only its digest (C-11)."""

    __tablename__ = "core_session"

    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    principal_key: Mapped[str] = mapped_column(Name, index=True)
    login: Mapped[str] = mapped_column(Name)
    name: Mapped[str] = mapped_column(Name)
    tenant_id: Mapped[str | None] = mapped_column(Id)
    workspace_id: Mapped[str | None] = mapped_column(Id)
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    source_ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(400))
    mfa: Mapped[bool] = mapped_column(default=False)
    provider_sid: Mapped[str] = mapped_column(String(64), default="", index=True)
    id_token: Mapped[str | None] = mapped_column(Sealed)


class ClaimedPerson(Identified, Versioned, Model):
    """Whom a provider that is no AntStack IAM signed in, with what its claims said then (OIDC_CLAIMS)."""

    __tablename__ = "core_claimed_person"

    login: Mapped[str] = mapped_column(Name, index=True)
    name: Mapped[str] = mapped_column(Name)
    tenants: Mapped[list[str]]
    roles: Mapped[list[str]]


class IdempotentAnswer(Identified, Model):
    """What a POST with an ``Idempotency-Key`` answered, sealed; ``app.web.idempotency`` removes it after a day."""

    __tablename__ = "core_idempotent_answer"
    __table_args__ = (UniqueConstraint("caller", "key"),)

    caller: Mapped[str] = mapped_column(String(160))
    key: Mapped[str] = mapped_column(String(128))
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Sealed)
    location: Mapped[str] = mapped_column(String(400), default="")
