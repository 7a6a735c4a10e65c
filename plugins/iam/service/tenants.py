"""Tenants and workspaces (guide 3.1, 3.3): the platform makes them, each tenant names itself."""

from __future__ import annotations

import re
from typing import Annotated, Any

from sqlalchemy import delete, func, select

from app import audit
from app.auth import decisions
from app.auth.models import ConsoleSession
from app.contracts.shapes import Description, doc
from app.contracts.text import Text
from app.db import Model, db, get_scoped, new_id, touch
from app.errors import NOT_FOUND, invalid
from app.web.api import In
from plugins.iam import directory, seeding
from plugins.iam.models import ACTIVE, DISABLED, MEMBER, PLATFORM_TENANT, Member, Tenant, Workspace
from plugins.iam.oidc import tokens
from plugins.iam.oidc.models import Token
from plugins.iam.permissions import SITE_TENANTS
from plugins.iam.service import handing, names
from plugins.iam.service.errors import NOT_EMPTY, TAKEN

WHAT = Text("tenant", "租户")
SPACE, SPACE_TITLE = Text("workspace", "工作空间"), Text("The workspace", "工作空间")
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


class WorkspaceWanted(In):
    """A workspace's name and description."""

    name: Annotated[str, doc("Name that people see; unique in the tenant.")]
    description: Description = ""


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
        raise invalid({"code": Text("Letters, digits and hyphens, beginning with a letter.", "字母、数字与连字符，以字母开头。")})
    if db.session.scalar(select(Tenant.id).where(func.lower(Tenant.code) == wanted.code.lower())):
        raise TAKEN(what=Text("The tenant code", "租户编码"), name=wanted.code)
    administrator = _administrator(wanted.administrator)
    row = seeding.add(Tenant(id=new_id(), code=wanted.code, name=names.checked(wanted.name), security={}, state=ACTIVE, version=1))
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
        raise invalid({"administrator": Text("There is no such member.", "没有这个成员。")})
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
            raise NOT_EMPTY(name=row.name, what=Text("it is the platform's own tenant", "平台自身租户"))
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
    holding = sorted(_holding("tenant_id", row.id))
    if holding or row.code == PLATFORM_TENANT:
        raise NOT_EMPTY(name=row.name, what=", ".join(holding[:5]) or Text("it is the platform's own", "平台自身租户"))
    audit.note("tenant", row.id, row.name, code=row.code)
    db.session.delete(row)


def get_workspace(workspace_id: str) -> Workspace:
    """A workspace of this tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(Workspace, workspace_id, SPACE)


def create_workspace(wanted: WorkspaceWanted) -> Workspace:
    """A workspace of this tenant.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    name = names.free(Workspace, wanted.name, SPACE_TITLE)
    row = Workspace(id=new_id(), tenant_id=handing.me().tenant_id, name=name, description=wanted.description, version=1)
    seeding.add(row)
    audit.note("workspace", row.id, row.name)
    return row


def change_workspace(row: Workspace, wanted: WorkspaceWanted) -> Workspace:
    """Another name or description.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row.name, row.description = names.free(Workspace, wanted.name, SPACE_TITLE, row.id), wanted.description
    touch(row)
    audit.note("workspace", row.id, row.name)
    return row


def remove_workspace(row: Workspace) -> None:
    """Delete a workspace in which nothing is left.

    :raises ConsoleError: IAM/NOT_EMPTY
    """
    holding = sorted(_holding("workspace_id", row.id))
    if holding:
        raise NOT_EMPTY(name=row.name, what=", ".join(holding[:5]))
    audit.note("workspace", row.id, row.name)
    db.session.delete(row)


def _holding(column: str, value: str) -> set[str]:
    """Tables that hold rows of this tenant or workspace, of whatever plugin."""
    found = set()
    for table in Model.metadata.tables.values():
        if column not in table.c or table.name.startswith(HISTORY):
            continue
        if db.session.execute(select(table.c[column]).where(table.c[column] == value).limit(1)).first():
            found.add(table.name)
    return found
