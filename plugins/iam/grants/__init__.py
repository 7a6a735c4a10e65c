"""Grants: who holds which role, until when and under which conditions (guide 3.4, C-21)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from sqlalchemy import delete, select

from app import audit, caller
from app.auth import audience, decisions
from app.contracts.shapes import doc
from app.db import db, new_id, now, scoped
from app.errors import invalid
from app.guard import guard
from app.web.buttons import Button
from app.web.dialogs import options
from app.web.language import exact, t
from app.web.listing import Column, Filter
from app.web.resources import Resource
from app.web.table import Cell
from app.words import Text, _, plain
from plugins.iam import catalogue, delegation, directory, permissions
from plugins.iam.blueprint import api, bp
from plugins.iam.errors import ABOVE_YOU, NOT_OF_TENANT
from plugins.iam.grants import form
from plugins.iam.grants.conditions import check_conditions, condition_words
from plugins.iam.grants.form import KINDS, NEW
from plugins.iam.grants.shapes import GrantId, GrantOut, GrantWanted, shaped
from plugins.iam.models import (
    SERVICE_ACCOUNT,
    CustomRole,
    Grant,
    Group,
    Member,
    ServiceAccount,
    conditions_digest,
)
from plugins.iam.permissions import GRANT_EDIT
from plugins.iam.principals import holder_name

FOREVER = _("Until revoked")
PAGES = {"member": ("iam.member", "member_id"), "group": ("iam.group", "group_id")}
PROGRAM = ("iam.account", "account_id")


def holder_cell(row: Grant) -> Cell:
    """Who holds a role, as a link to their page."""
    endpoint, argument = PAGES.get(row.principal_type, PROGRAM)
    values: dict[str, Any] = {argument: row.principal_id}
    return Cell("link", text=row.holder, href=url_for(endpoint, **values))


def role_cell(row: Grant) -> Cell:
    """The role that somebody holds, as a link to its page."""
    return Cell("link", text=catalogue.title_of(row), href=url_for("iam.role", role_id=row.role))


def validity_cell(row: Grant) -> Cell:
    """Until when a grant lasts."""
    return Cell("text", text=exact(row.expires_at) if row.expires_at else t(FOREVER))


def _holds(text: str) -> Any:
    wanted = f"%{text}%"
    return (
        Grant.principal_id.in_(select(Member.id).where(Member.login.like(wanted)))
        | Grant.principal_id.in_(select(Group.id).where(Group.name.like(wanted)))
        | Grant.principal_id.in_(select(ServiceAccount.id).where(ServiceAccount.name.like(wanted)))
    )


def _role_choices() -> list[tuple[str, Text]]:
    own = db.session.scalars(scoped(CustomRole).order_by(CustomRole.name))
    return [(r.code, r.title) for r in catalogue.roles().values()] + [(r.code, plain(r.name)) for r in own]


def _origin(_row: Grant) -> str:
    """The page of ours that asked, which shows the grant in its list or card."""
    referrer = request.referrer or ""
    return referrer if referrer.startswith(request.host_url) else grants.url(None, "list")


grants = Resource(
    api,
    bp,
    "grant",
    "/iam/grants",
    _("Grants"),
    _("grant"),
    Grant,
    GrantOut,
    GrantId,
    permissions.GRANT_READ,
    shapes=shaped,
    name=catalogue.title_of,
    home=_origin,
)
grants.listed(
    _("List grants"),
    [
        Column("who", _("Who"), holder_cell, narrow=True),
        Column("kind", _("Kind"), lambda g: KINDS[g.principal_type], sort=Grant.principal_type, field="principalType"),
        Column("role", _("Role"), role_cell, sort=Grant.role, narrow=True),
        Column("conditions", _("Only for"), lambda g: condition_words(g.conditions)),
        Column("until", _("Valid until"), validity_cell, sort=Grant.expires_at, field="expiresAt"),
        Column("by", _("Granted by"), lambda g: g.granted_by),
        Column("reason", _("Reason"), lambda g: g.reason, hidden=True),
        Column("created", _("Granted"), lambda g: g.created_at, "time", sort=Grant.created_at, field="createdAt"),
    ],
    search=(Grant.role, Grant.granted_by, Grant.reason),
    filters=[
        Filter("role", _("Role"), Grant.role, _role_choices, doc("Only grants of the role with this code.")),
        Filter(
            "kind",
            _("Kind"),
            Grant.principal_type,
            list(KINDS.items()),
            doc("Only grants to this kind of principal: `member`, `group` or `serviceAccount`."),
            "principal_type",
        ),
        Filter(
            "principal_id",
            _("Holder"),
            Grant.principal_id,
            doc=doc("Only grants to the principal with this identifier."),
        ),
        Filter("q2", _("Holder"), _holds),
    ],
    sort="-created",
    empty=_("A grant lets a member, a group or a program hold a role."),
)


@bp.get("/iam/grants/holders")
@guard(GRANT_EDIT)
def grant_holders() -> Response:
    return options(form.holders(request.args.get("q", "")))


@grants.creates(
    _("Grant a role"),
    GRANT_EDIT,
    permissions.GRANTED,
    NEW,
    said=_("{name} is granted."),
    form=form.form,
    reads=form.typed,
    errors=[ABOVE_YOU, NOT_OF_TENANT],
)
def create(wanted: GrantWanted) -> Grant:
    """Let somebody of this tenant hold a role.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NOT_OF_THIS_TENANT, IAM/ROLE_ABOVE_YOURS, CORE/FORBIDDEN
    """
    audience.need_own_proof()
    me, kind, principal_id = delegation.me(), wanted.principal.type, wanted.principal.id
    name = holder_name(me.tenant_id, kind, principal_id)
    if kind == SERVICE_ACCOUNT:
        decisions.require(permissions.ACCOUNT_GRANT)
    if catalogue.role_of(me.tenant_id, wanted.role) is None:
        raise invalid({"role": _("There is no such role.")})
    delegation.need_grantable(wanted.role)
    expires_at = wanted.expires_at
    if expires_at is not None and expires_at.tzinfo is None:
        raise invalid({"expiresAt": _("Give the time zone, such as Z.")})
    if expires_at is not None and expires_at <= now():
        raise invalid({"expiresAt": _("This is in the past.")})
    checked = check_conditions(wanted.conditions)
    row = _same(wanted, checked) or Grant(
        id=new_id(),
        created_at=now(),
        tenant_id=me.tenant_id,
        principal_type=kind,
        principal_id=principal_id,
        role=wanted.role,
        conditions=checked,
        granted_by=me.name,
    )
    row.expires_at, row.reason = expires_at, wanted.reason
    db.session.add(row)
    db.session.flush()
    directory.bump(me.tenant_id)
    expires = expires_at and expires_at.isoformat()
    audit.note(kind, principal_id, name, role=wanted.role, conditions=checked, expires=expires)
    return row


def _same(wanted: GrantWanted, conditions: Sequence[Any]) -> Grant | None:
    who = (Grant.principal_type == wanted.principal.type, Grant.principal_id == wanted.principal.id)
    query = scoped(Grant).where(*who, Grant.role == wanted.role)
    return db.session.scalar(query.where(Grant.conditions_digest == conditions_digest(conditions)))


REVOKE: Button[Grant] = Button(
    "revoke",
    _("Revoke"),
    _("Revoked. It no longer works."),
    danger=True,
    confirm=_("Revoke {name}? It stops working at once."),
    menu=True,
)


@grants.acts("DELETE", "", "delete", _("Revoke a role"), GRANT_EDIT, permissions.REVOKED, REVOKE, [ABOVE_YOU])
def revoke(row: Grant) -> None:
    """Take a role back: it stops at the holder's next request.

    :raises ConsoleError: CORE/NOT_FOUND, IAM/ROLE_ABOVE_YOURS, CORE/FORBIDDEN
    """
    if row.principal_type == SERVICE_ACCOUNT:
        decisions.require(permissions.ACCOUNT_GRANT)
    if catalogue.role_of(row.tenant_id, row.role) is not None:
        delegation.need_grantable(row.role)
    audit.note(row.principal_type, row.principal_id, row.holder, role=row.role)
    db.session.delete(row)
    directory.bump(row.tenant_id)


def take_all(tenant_id: str, kind: str, principal_id: str) -> None:
    """Remove every role that somebody holds in a tenant."""
    mine = delete(Grant).where(Grant.tenant_id == tenant_id, Grant.principal_type == kind)
    db.session.execute(mine.where(Grant.principal_id == principal_id))
    directory.bump(tenant_id)


def sweep() -> None:
    """Remove grants that expired, and record it. A grant stops at its time without this (C-21)."""
    for row in db.session.scalars(select(Grant).where(Grant.expires_at <= now())).all():
        holder = (row.principal_type, row.principal_id, row.holder)
        with caller.acting_as(caller.system(row.tenant_id)):
            audit.record(permissions.EXPIRED, resource=holder, detail={"role": row.role})
        directory.bump(row.tenant_id)
        db.session.delete(row)
    db.session.commit()
