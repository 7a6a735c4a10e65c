"""Tenants and workspaces (guide 3.1, 3.3): the platform makes them, each tenant names itself."""

from __future__ import annotations

import re
from typing import Annotated, Any

from sqlalchemy import delete, func, select

from app import audit
from app.auth import decisions
from app.auth.models import ConsoleSession
from app.contracts.shapes import doc
from app.db import Model, db, new_id, touch
from app.errors import NOT_FOUND, invalid
from app.web.api import In
from app.words import _
from plugins.iam import directory, seeding
from plugins.iam.models import ACTIVE, DISABLED, MEMBER, PLATFORM_TENANT, Member, Tenant
from plugins.iam.oidc import tokens
from plugins.iam.oidc.models import Token
from plugins.iam.permissions import SITE_TENANTS
from plugins.iam.service import handing, names
from plugins.iam.service.errors import NOT_EMPTY, TAKEN

WHAT = _("tenant")
CODE = re.compile(r"^[A-Za-z][A-Za-z0-9-]{1,62}$")
# Rows that tell what happened do not keep a tenant or a workspace alive.
HISTORY = ("core_audit_", "core_job", "core_session", "iam_token", "iam_authorization_code", "core_order_event")


class TenantWanted(In):
    """A tenant; ``administrator`` is the login name of its first administrator."""

    name: Annotated[str, doc("Name that people see.")]
    code: Annotated[str, doc("Short name, which never changes; made from the name where it is left out.")] = ""
    administrator: Annotated[str, doc("Login name of its first administrator.")] = ""


class TenantChange(In):
    """What may be changed of a tenant."""

    name: Annotated[str | None, doc("Name that people see.")] = None
    enabled: Annotated[bool | None, doc("Whether its members may sign in to it.")] = None


def visible() -> Any:
    """Tenants that the caller may see: all for the platform, else one's own."""
    query = select(Tenant)
    return query if decisions.allows(SITE_TENANTS) else query.where(Tenant.id == handing.me().tenant_id)


def get(tenant_id: str) -> Tenant:
    """A tenant that the caller may see.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    row: Tenant | None = db.session.scalar(visible().where(Tenant.id == tenant_id))
    if row is None:
        raise NOT_FOUND(what=WHAT)
    return row


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
    found = db.session.scalar(select(Member).where(Member.login == login.strip().lower()))
    if found is None:
        raise invalid({"administrator": _("There is no such member.")})
    return found


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
