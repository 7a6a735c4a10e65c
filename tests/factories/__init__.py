"""Makes what tests need: tenants, people, programs, roles and keys; each call makes something new, and stores it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from app import crypto
from app.auth.models import ConsoleSession
from app.contracts.declarations import Permission
from app.contracts.identity import API
from app.db import db, new_id, now
from plugins.iam import directory, passwords, seeding
from plugins.iam.models import (
    MEMBER,
    SERVICE_ACCOUNT,
    AccessKey,
    CustomRole,
    Grant,
    Group,
    GroupMember,
    Member,
    Membership,
    ServiceAccount,
    Tenant,
    Workspace,
)
from plugins.iam.models.oidc import OidcClient
from plugins.iam.oidc import tokens

PASSWORD = "correct-horse-battery"
_numbers = itertools.count(1)
_hash: list[str] = []


def unique(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{os.getpid() % 10000}-{next(_numbers)}"


def _stored(row: Any) -> Any:
    db.session.add(row)
    db.session.commit()
    return row


def make_tenant(name: str = "", code: str = "", workspaces: int = 1) -> Tenant:
    """A tenant with workspaces."""
    code = code or unique("t")
    row = _stored(Tenant(id=new_id(), code=code, name=name or f"Tenant {code}", security={}))
    for number in range(workspaces):
        make_workspace(row, f"Space {number + 1}")
    return row


def make_workspace(tenant: Tenant | str, name: str = "") -> Workspace:
    """A workspace of a tenant."""
    return _stored(Workspace(id=new_id(), tenant_id=id_of(tenant), name=name or unique("space")))


def make_member(
    tenant: Tenant | str | None = None,
    login: str = "",
    password: str = PASSWORD,
    *,
    roles: Sequence[str] = (),
    **fields: Any,
) -> Member:
    """A person; with a tenant, a member of it who holds these roles. The password is PASSWORD unless said otherwise."""
    login = login or f"{unique('person')}@example.test"
    fields.setdefault("name", f"Person {login.partition('@')[0]}")
    row = _stored(
        Member(id=new_id(), login=login, password_hash=_hashed(password), password_changed_at=now(), **fields)
    )
    if tenant is not None:
        make_membership(tenant, row)
        for role in roles:
            make_grant(tenant, row, role)
    return row


def make_membership(tenant: Tenant | str, member: Member) -> Membership:
    """A member's place in a tenant."""
    return _stored(Membership(id=new_id(), tenant_id=id_of(tenant), member_id=member.id))


def make_group(tenant: Tenant | str, members: Iterable[Member] = (), name: str = "") -> Group:
    """A group of a tenant with members."""
    row = _stored(Group(id=new_id(), tenant_id=id_of(tenant), name=name or unique("group")))
    for member in members:
        _stored(GroupMember(group_id=row.id, member_id=member.id))
    return row


def make_service_account(tenant: Tenant | str, roles: Sequence[str] = (), name: str = "") -> ServiceAccount:
    """A service account of a tenant, with roles."""
    row = _stored(ServiceAccount(id=new_id(), tenant_id=id_of(tenant), name=name or unique("program")))
    for role in roles:
        make_grant(tenant, row, role)
    return row


def make_role(tenant: Tenant | str, permissions: Iterable[Permission | str], code: str = "") -> CustomRole:
    """A custom role of exactly these permissions."""
    code = code or unique("role")
    row = CustomRole(
        id=new_id(), tenant_id=id_of(tenant), code=code, name=code, permissions=[str(p) for p in permissions]
    )
    return _stored(row)


def make_grant(
    tenant: Tenant | str,
    holder: Member | Group | ServiceAccount,
    role: str | CustomRole,
    conditions: Sequence[Mapping[str, Any]] = (),
    expires_in: timedelta | None = None,
) -> Grant:
    """A role that somebody holds."""
    kind = {Member: MEMBER, Group: "group", ServiceAccount: SERVICE_ACCOUNT}[type(holder)]
    code = role if isinstance(role, str) else role.code
    row = Grant(
        id=new_id(),
        tenant_id=id_of(tenant),
        principal_type=kind,
        principal_id=holder.id,
        role=code,
        conditions=[dict(c) for c in conditions],
        expires_at=now() + expires_in if expires_in is not None else None,
    )
    db.session.add(row)
    directory.bump(row.tenant_id)
    db.session.commit()
    return row


def make_key(tenant: Tenant | str, owner: Member | ServiceAccount) -> AccessKey:
    """An AccessKey of a member in a tenant, or of a service account."""
    kind = MEMBER if isinstance(owner, Member) else SERVICE_ACCOUNT
    return _stored(seeding.new_key(id_of(tenant), kind, owner.id))


def make_oidc_client(tenant: Tenant | str, secret: str = "client-secret", **fields: Any) -> OidcClient:
    """A registered OIDC client; ``public=True`` for one without a secret."""
    fields.setdefault("redirect_uris", ["https://app.example.test/callback"])
    fields.setdefault("post_logout_uris", [])
    fields.setdefault("grant_types", ["authorization_code", "refresh_token"])
    digest = "" if fields.get("public") else crypto.digest(secret)
    name = unique("client")
    return _stored(
        OidcClient(id=new_id(), tenant_id=id_of(tenant), client_id=name, name=name, secret_digest=digest, **fields)
    )


def make_session(member: Member, tenant: Tenant | str | None, mfa: bool = False) -> tuple[ConsoleSession, str]:
    """A signed-in browser.

    :returns: the session's row, and the cookie's token
    """
    token = new_id() + new_id()
    space = None
    if tenant is not None:
        space = (
            db.session.query(Workspace.id).filter_by(tenant_id=id_of(tenant)).order_by(Workspace.name).limit(1).scalar()
        )
    row = ConsoleSession(
        id=new_id(),
        token_digest=crypto.digest(token),
        principal_key=f"{MEMBER}:{member.id}",
        login=member.login,
        name=member.name,
        tenant_id=id_of(tenant) if tenant is not None else None,
        workspace_id=space,
        last_seen_at=now(),
        expires_at=now() + timedelta(hours=12),
        source_ip="127.0.0.1",
        user_agent="test",
        mfa=mfa,
        provider_sid=new_id(),
    )
    return _stored(row), token


def make_token(tenant: Tenant | str, owner: Member | ServiceAccount, client_id: str = "", scope: str = API) -> str:
    """An access token, as ``/oauth/token`` would give it for an AccessKey of the owner's (a new one, if none is
    named).
    """
    token = new_id() + new_id()
    kind = MEMBER if isinstance(owner, Member) else SERVICE_ACCOUNT
    client_id = client_id or make_key(tenant, owner).id
    made = {"access_token": token, "expires_in": 3600, "scope": scope}
    tokens.store(made, client_id=client_id, principal=(kind, owner.id), tenant_id=id_of(tenant))
    db.session.commit()
    return token


def id_of(tenant: Tenant | str) -> str:
    """A tenant's identifier, given either."""
    return tenant if isinstance(tenant, str) else tenant.id


def _hashed(password: str) -> str:
    """Argon2 is slow on purpose: the usual password is hashed once a run."""
    if password != PASSWORD:
        return passwords.hashed(password)
    if not _hash:
        _hash.append(passwords.hashed(PASSWORD))
    return _hash[0]
