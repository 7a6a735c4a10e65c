"""Other sites that use this IAM: their proof, what they declare, and the snapshots that they get (C-1, C-10)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from authlib.oauth2 import OAuth2Error
from flask import Response, current_app, request
from sqlalchemy import func, or_, select

from app import audit
from app.auth.federation import (
    SNAPSHOT_SECONDS,
    Content,
    Declared,
    HeldRole,
    SignatureAsked,
    SnapshotAnswer,
    SnapshotAsked,
)
from app.auth.federation import CustomRole as OwnRole
from app.contracts.identity import Principal, Signer, TenantRef, WorkspaceRef
from app.db import db, new_id, now
from app.errors import MALFORMED, ErrorCode
from app.guard import public
from app.web.api import encode
from app.words import _
from plugins.iam import catalogue
from plugins.iam.directory import LocalDirectory
from plugins.iam.models import (
    ACTIVE,
    GROUP,
    MEMBER,
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
from plugins.iam.models.oidc import JoinedSite, OidcClient
from plugins.iam.oidc import claims, keys
from plugins.iam.oidc.keys import issuer
from plugins.iam.oidc.routes import bp
from plugins.iam.oidc.server import provider
from plugins.iam.permissions import SITE_DECLARED

NOT_JOINED = ErrorCode(
    "IAM/NOT_A_JOINED_SITE",
    403,
    _("These are not the credentials of a joined site."),
    _("Mark the OIDC client as the console of another site."),
)
EXTENSION = "antstack.iam.snapshot"
METHODS = ["client_secret_basic"]
PROOF = "antstack-snapshot+jwt"
S = TypeVar("S")


def prove() -> str:
    """The client identifier of the site that asks, proved by its secret.

    :raises ConsoleError: IAM/NOT_A_JOINED_SITE
    """
    try:
        client = provider().authenticate_client(provider().create_oauth2_request(None), METHODS, "site")
    except OAuth2Error as error:
        raise NOT_JOINED() from error
    if not client.site:
        raise NOT_JOINED()
    return str(client.client_id)


def answer(client_id: str, asked: SnapshotAsked) -> SnapshotAnswer:
    """A snapshot for a joined site; what it declares is kept."""
    _keep(client_id, asked.declared)
    content, digest = _made()
    moment = claims.seconds(now())
    proof = keys.sign(
        {"iss": issuer(), "aud": client_id, "iat": moment, "exp": moment + SNAPSHOT_SECONDS, "sha256": digest}, PROOF
    )
    return SnapshotAnswer(proof, None if asked.holding == digest else content)


def signer(asked: SignatureAsked) -> Signer:
    """Whether an AccessKey signed what a joined site was sent."""
    return LocalDirectory().signer(asked.key_id, asked.text, asked.signature, asked.source_ip)


def _keep(client_id: str, declared: Declared) -> None:
    digest = hashlib.sha256(msgspec.json.encode(declared)).hexdigest()
    row = db.session.scalar(select(JoinedSite).where(JoinedSite.client_id == client_id))
    if row is not None and row.digest == digest:
        return
    row = row or JoinedSite(id=new_id(), client_id=client_id)
    row.digest, row.declared = digest, msgspec.to_builtins(declared)
    db.session.add(row)
    catalogue.forget()
    told = {"roles": [role.code for role in declared.roles], "permissions": len(declared.permissions)}
    client = db.session.scalars(select(OidcClient).where(OidcClient.client_id == client_id)).one()
    audit.record(SITE_DECLARED, resource=("client", client.id, client.name), detail=told, tenant_id=client.tenant_id)


def _made() -> tuple[str, str]:
    """The content as JSON with its digest; made anew only when something of it has changed."""
    stamp = _stamp()
    held = current_app.extensions.get(EXTENSION)
    if held is None or held[0] != stamp:
        content = msgspec.json.encode(_content())
        held = (stamp, content.decode(), hashlib.sha256(content).hexdigest())
        current_app.extensions[EXTENSION] = held
    return held[1], held[2]


def _stamp() -> list[Any]:
    """Moves with every change of what a snapshot holds: rows that come and go, edits' versions, and tenants' epochs."""
    found: list[Any] = []
    for model in (Tenant, Workspace, Member, Membership, ServiceAccount, Group, Grant, CustomRole):
        moving = [func.sum(getattr(model, name)) for name in ("version", "epoch") if hasattr(model, name)]
        found.append(tuple(db.session.execute(select(func.count(), func.max(model.id), *moving)).one()))
    return found


def _content() -> Content:
    """Everybody who is active in an active tenant; in a fixed order, so that equal content has one digest."""
    tenants = db.session.scalars(select(Tenant).where(Tenant.state == ACTIVE).order_by(Tenant.id)).all()
    live = [tenant.id for tenant in tenants]
    spaces = db.session.scalars(select(Workspace).where(Workspace.tenant_id.in_(live)).order_by(Workspace.id))
    own = select(CustomRole.tenant_id, CustomRole.code, CustomRole.name, CustomRole.permissions)
    return Content(
        [TenantRef(tenant.id, tenant.name, tenant.code) for tenant in tenants],
        [WorkspaceRef(space.id, space.name, space.tenant_id) for space in spaces],
        _principals(live),
        _groups(live),
        _grants(live, now()),
        [
            OwnRole(*row)
            for row in db.session.execute(own.where(CustomRole.tenant_id.in_(live)).order_by(CustomRole.id))
        ],
    )


def _principals(live: list[str]) -> list[Principal]:
    people = select(Member.id, Member.name, Member.login, Membership.tenant_id).join(
        Membership, Membership.member_id == Member.id
    )
    people = people.where(Member.state == ACTIVE, Membership.tenant_id.in_(live)).order_by(Membership.id)
    programs = select(ServiceAccount.id, ServiceAccount.name, ServiceAccount.name, ServiceAccount.tenant_id)
    programs = programs.where(ServiceAccount.state == ACTIVE, ServiceAccount.tenant_id.in_(live)).order_by(
        ServiceAccount.id
    )
    found = [Principal("member", *row) for row in db.session.execute(people)]
    return found + [Principal("serviceAccount", *row) for row in db.session.execute(programs)]


def _groups(live: list[str]) -> dict[str, list[str]]:
    query = select(GroupMember.member_id, GroupMember.group_id).join(Group, Group.id == GroupMember.group_id)
    found: dict[str, list[str]] = {}
    for member_id, group_id in db.session.execute(
        query.where(Group.tenant_id.in_(live)).order_by(GroupMember.member_id, GroupMember.group_id)
    ):
        found.setdefault(f"{MEMBER}:{member_id}", []).append(f"{GROUP}:{group_id}")
    return found


def _grants(live: list[str], moment: datetime) -> list[HeldRole]:
    query = (
        select(
            Grant.tenant_id,
            Grant.principal_type,
            Grant.principal_id,
            Grant.role,
            Group.name,
            Grant.expires_at,
            Grant.conditions,
        )
        .outerjoin(Group, (Group.id == Grant.principal_id) & (Grant.principal_type == GROUP))
        .where(Grant.tenant_id.in_(live), or_(Grant.expires_at.is_(None), Grant.expires_at > moment))
        .order_by(Grant.created_at, Grant.id)
    )
    return [
        HeldRole(tenant, f"{kind}:{holder}", role, f"group {group}" if group else "direct", expires, conditions)
        for tenant, kind, holder, role, group, expires, conditions in db.session.execute(query)
    ]


@bp.post("/oauth/site/snapshot")
@public("the credentials of a joined site's client prove it; what it declares anew is recorded", csrf=False)
def site_snapshot() -> Response:
    client_id = prove()
    return encode(answer(client_id, _body(SnapshotAsked)))


@bp.post("/oauth/site/signature")
@public("the credentials of a joined site's client prove it", csrf=False)
def site_signature() -> Response:
    prove()
    return encode(signer(_body(SignatureAsked)))


def _body(kind: type[S]) -> S:
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except msgspec.MsgspecError as error:
        raise MALFORMED(detail=str(error)) from error
