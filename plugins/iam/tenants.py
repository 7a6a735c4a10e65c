"""Tenants: subsidiaries or departments with people and rights of their own (guide 3.1, 3.3): the platform makes them,
each names itself.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from flask import Response, request, url_for
from sqlalchemy import Select, delete, func, select

from app import audit
from app.auth import decisions
from app.auth.models import ConsoleSession
from app.contracts.shapes import Ask, CreatedAt, Id, Name, Version, doc
from app.db import Model, db, new_id, touch
from app.errors import invalid
from app.web.api import In, Out
from app.web.buttons import Button
from app.web.frame import why_not
from app.web.listing import Column
from app.web.render import go
from app.web.resources import Resource
from app.web.table import Action
from app.words import _, pgettext
from plugins.iam import delegation, directory, names, permissions, seeding
from plugins.iam.blueprint import api, bp
from plugins.iam.components import state_cell
from plugins.iam.errors import NOT_EMPTY, TAKEN
from plugins.iam.models import ACTIVE, DISABLED, MEMBER, PLATFORM_TENANT, Member, Tenant
from plugins.iam.models.oidc import Token
from plugins.iam.oidc import tokens
from plugins.iam.permissions import SITE_TENANTS

TenantId = Annotated[str, doc("Identifier of the tenant.")]
CODE = re.compile(r"^[A-Za-z][A-Za-z0-9-]{1,62}$")
# Rows that tell what happened do not keep a tenant or a workspace alive.
HISTORY = ("core_audit_", "core_job", "core_session", "iam_token", "iam_authorization_code", "core_order_event")


class TenantWanted(In):
    """A tenant; ``administrator`` is the login name of its first administrator."""

    name: Annotated[str, Ask(_("Name")), doc("Name that people see.")]
    code: Annotated[
        str,
        Ask(
            _("Code"), more={"required": True, "mono": True, "help": _("Letters, digits and hyphens. Stays for ever.")}
        ),
        doc("Short name, which never changes; made from the name where it is left out."),
    ] = ""
    administrator: Annotated[
        str,
        Ask(_("First administrator"), more={"help": _("The login name of a member.")}),
        doc("Login name of its first administrator."),
    ] = ""


class TenantChange(In):
    """What may be changed of a tenant."""

    name: Annotated[str | None, Ask(_("Name"), more={"required": True}), doc("Name that people see.")] = None
    enabled: Annotated[bool | None, doc("Whether its members may sign in to it.")] = None


class TenantOut(Out):
    """A tenant."""

    id: Id
    code: Annotated[str, doc("Short name, which tells tenants of one name apart; it never changes.")]
    name: Name
    enabled: Annotated[bool, doc("Whether its members may sign in to it.")]
    version: Version
    created_at: CreatedAt


def visible() -> Select[Any]:
    """Tenants that the caller may see: all for the platform, else one's own."""
    query = select(Tenant)
    return query if decisions.allows(SITE_TENANTS) else query.where(Tenant.id == delegation.me().tenant_id)


tenants = Resource(
    api,
    bp,
    "tenant",
    "/iam/tenants",
    _("Tenants"),
    _("tenant"),
    Tenant,
    TenantOut,
    TenantId,
    permissions.TENANT_READ,
    rows=visible,
)
tenants.listed(
    _("List tenants"),
    [
        Column("name", _("Name"), lambda r: r.name, sort=Tenant.name, narrow=True),
        Column("code", _("Code"), lambda r: r.code, "mono", Tenant.code),
        Column("id", _("Tenant ID"), lambda r: r.id, "mono"),
        Column("state", _("State"), lambda r: state_cell(r.state), sort=Tenant.state, narrow=True),
        Column("created", _("Created"), lambda r: r.created_at, "time", Tenant.created_at, field="createdAt"),
    ],
    search=(Tenant.name, Tenant.code, Tenant.id),
    sort="name",
    empty=_("A tenant is a subsidiary or department with its own people and rights."),
)
tenants.answers(_("Show a tenant"))


@tenants.creates(
    _("Create a tenant"),
    SITE_TENANTS,
    permissions.TENANT_CREATED,
    title=_("New tenant"),
    submit=_("Create the tenant"),
    errors=[TAKEN],
)
def create(wanted: TenantWanted) -> Tenant:
    """A tenant with one workspace and a first administrator.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    if not CODE.match(wanted.code):
        raise invalid({"code": _("Letters, digits and hyphens, beginning with a letter.")})
    if db.session.scalar(select(Tenant.id).where(func.lower(Tenant.code) == wanted.code.lower())):
        raise TAKEN(what=_("The tenant code"), name=wanted.code)
    administrator = _administrator(wanted.administrator)
    row = seeding.add(
        Tenant(id=new_id(), code=wanted.code, name=names.checked(wanted.name), security={}, state=ACTIVE, version=1)
    )
    seeding.workspace(row, "Default")
    if administrator is not None:
        seeding.join(row, administrator)
        seeding.grant(row, MEMBER, administrator.id, seeding.TENANT_ADMIN)
    audit.note("tenant", row.id, row.name, code=row.code, administrator=wanted.administrator)
    return row


def _administrator(login: str) -> Member | None:
    if not login.strip():
        return None
    found: Member | None = db.session.scalar(select(Member).where(Member.login == login.strip().lower()))
    if found is None:
        raise invalid({"administrator": _("There is no such member.")})
    return found


@tenants.changes(
    _("Rename, enable or disable a tenant"),
    permissions.TENANT_EDIT,
    permissions.TENANT_CHANGED,
    method="PATCH",
    label=_("Rename"),
    title=_("Rename {name}"),
)
def change(row: Tenant, wanted: TenantChange) -> Tenant:
    """Another name. Disabling ends the sessions and tokens of everybody in it, and needs the platform's right.

    :raises ConsoleError: CORE/INVALID_INPUT, CORE/FORBIDDEN
    """
    if wanted.name is not None:
        row.name = names.checked(wanted.name)
    if wanted.enabled is not None:
        decisions.require(SITE_TENANTS)
        if row.code == PLATFORM_TENANT and not wanted.enabled:
            raise NOT_EMPTY(name=row.name, what=_("it is the platform's own tenant"))
        row.state = ACTIVE if wanted.enabled else DISABLED
    touch(row)
    directory.bump(row.id)
    if row.state == DISABLED:
        db.session.execute(delete(ConsoleSession).where(ConsoleSession.tenant_id == row.id))
        tokens.revoke(Token.tenant_id == row.id)
    audit.note("tenant", row.id, row.name, enabled=row.state == ACTIVE)
    return row


@tenants.offers
def enable_or_disable(row: Tenant) -> Action:
    url = url_for("iam.tenant_state", tenant_id=row.id, enabled=int(not row.enabled))
    refused = why_not(SITE_TENANTS)
    if not row.enabled:
        return Action(_("Enable"), url, "post", disabled_reason=refused, icon="power")
    question = _("Disable {name}? Everybody in it is signed out at once.").format(name=row.name)
    return Action(pgettext("tenant", "Disable"), url, "post", True, question, disabled_reason=refused, icon="power")


@bp.post("/iam/tenants/<tenant_id>/state")
@api.guard("iam.tenants.update")
def tenant_state(tenant_id: str) -> Response:
    row = change(tenants.get(tenant_id), TenantChange(enabled=request.args.get("enabled") == "1"))
    said = _("{name} is enabled.") if row.enabled else _("{name} is disabled.")
    return go(tenants.url(None, "list"), said.format(name=row.name))


@tenants.removes(
    _("Delete an empty tenant"),
    SITE_TENANTS,
    permissions.TENANT_DELETED,
    Button(
        "delete",
        _("Delete"),
        _("{name} was deleted."),
        confirm=_("Delete the tenant {name}? Only an empty one can be deleted."),
    ),
    errors=[NOT_EMPTY],
)
def remove(row: Tenant) -> None:
    """Delete a tenant in which nothing is left.

    :raises ConsoleError: IAM/NOT_EMPTY
    """
    left = sorted(holding("tenant_id", row.id))
    if left or row.code == PLATFORM_TENANT:
        raise NOT_EMPTY(name=row.name, what=", ".join(left[:5]) or _("it is the platform's own"))
    audit.note("tenant", row.id, row.name, code=row.code)
    db.session.delete(row)


def holding(column: str, value: str) -> set[str]:
    """Tables that hold rows of this tenant or workspace, of whatever plugin."""
    found = set()
    for table in Model.metadata.tables.values():
        if column not in table.c or table.name.startswith(HISTORY):
            continue
        if db.session.execute(select(table.c[column]).where(table.c[column] == value).limit(1)).first():
            found.add(table.name)
    return found
