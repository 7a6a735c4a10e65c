"""Roles: the built-in ones that plugins declare, and a tenant's own (guide 3.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from flask import url_for

from app import audit
from app.contracts.declarations import Found
from app.contracts.shapes import Ask, Version, doc
from app.db import db, new_id, scoped, touch
from app.errors import NOT_FOUND, invalid
from app.web.api import In, Out
from app.web.buttons import Button
from app.web.language import t
from app.web.resources import Resource
from app.words import Text, _
from plugins.iam import catalogue, delegation, directory, names, permissions
from plugins.iam.blueprint import api, bp
from plugins.iam.errors import ABOVE_YOU, ROLE_IN_USE, TAKEN
from plugins.iam.models import CustomRole
from plugins.iam.permissions import ROLE_EDIT, ROLE_READ

WHAT = _("role")
RoleId = Annotated[str, doc("Identifier of a custom role, or the code of a built-in one.")]
CODE = re.compile(r"^[a-z][a-z0-9-]{1,62}$")


def _offered() -> list[tuple[str, Text, str]]:
    """What a role can hold: all but what reaches beyond a tenant."""
    known = sorted(catalogue.permissions().values(), key=lambda p: p.name)
    return [(p.name, p.title, p.name) for p in known if not p.name.startswith(permissions.OF_THE_SITE)]


class RoleWanted(In, kw_only=True):
    """A role of one's own: its code stays, the rest may change."""

    name: Annotated[str, Ask(_("Name")), doc("Name that people see.")]
    code: Annotated[
        str,
        Ask(_("Code"), more={"mono": True, "help": _("Small letters, digits, hyphens. Stays for ever.")}, stays=True),
        doc("Code, by which grants name the role; it never changes."),
    ] = ""
    description: Annotated[str, Ask(_("Description")), doc("What it is for, in a sentence.")] = ""
    permissions: Annotated[
        list[str],
        Ask(_("Permissions"), "transfer", {"options": _offered, "required": False}),
        doc("Names of its permissions; `*` at the end stands for all below."),
    ]


class RoleOut(Out):
    """A role, built-in or custom."""

    id: Annotated[str, doc("Identifier of a custom role; the code of a built-in one.")]
    code: Annotated[str, doc("Code, by which grants name the role.")]
    name: Annotated[str, doc("Name, in the caller's language.")]
    description: Annotated[str, doc("What it is for, in the caller's language.")]
    built_in: Annotated[bool, doc("Whether it comes with the console and cannot be changed.")]
    permissions: Annotated[list[str], doc("Names of its permissions; `*` at the end stands for all below.")]
    held: Annotated[int, doc("How many grants of it there are.")]
    version: Version


def get(role_id: str) -> catalogue.RoleShown:
    """A role by its identifier or code.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    tenant_id = delegation.me().tenant_id
    found = next((role for role in catalogue.roles_of_tenant(tenant_id) if role_id in (role.id, role.code)), None)
    if found is None:
        raise NOT_FOUND(what=WHAT)
    return found


def get_own(role_id: str) -> CustomRole:
    """A custom role of this tenant, by identifier or code.

    :raises ConsoleError: CORE/NOT_FOUND, also for a built-in one
    """
    named = (CustomRole.id == role_id) | (CustomRole.code == role_id)
    row: CustomRole | None = db.session.scalar(scoped(CustomRole).where(named))
    if row is None:
        raise NOT_FOUND(what=_("role of your own"))
    return row


def shaped(found: catalogue.RoleShown) -> RoleOut:
    """A role as the API answers it."""
    return RoleOut(
        found.id,
        found.code,
        t(found.name),
        t(found.description),
        found.built_in,
        list(found.permissions),
        found.held,
        found.version,
    )


roles = Resource(
    api,
    bp,
    "role",
    "/iam/roles",
    _("Roles"),
    WHAT,
    CustomRole,
    RoleOut,
    RoleId,
    ROLE_READ,
    find=get_own,
    shapes=lambda rows: [shaped(get(row.id)) for row in rows],
    has_page=True,
)


@roles.creates(
    _("Create a role"),
    ROLE_EDIT,
    permissions.ROLE_CREATED,
    title=_("New role"),
    submit=_("Create the role"),
    errors=[TAKEN, ABOVE_YOU],
)
def create(wanted: RoleWanted) -> CustomRole:
    """A role of the tenant's own.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN, IAM/ROLE_ABOVE_YOURS
    """
    code = wanted.code.strip() or f"role-{new_id()[-8:]}"
    if not CODE.match(code):
        raise invalid({"code": _("Small letters, digits and hyphens, beginning with a letter.")})
    taken = code in catalogue.roles() or db.session.scalar(scoped(CustomRole).where(CustomRole.code == code))
    if taken:
        raise TAKEN(what=_("The role"), name=code)
    row = CustomRole(
        id=new_id(),
        tenant_id=delegation.me().tenant_id,
        code=code,
        name=names.checked(wanted.name),
        description=wanted.description,
        permissions=_checked(wanted),
        version=1,
    )
    db.session.add(row)
    db.session.flush()
    audit.note("role", row.id, row.name, permissions=row.permissions)
    return row


@roles.changes(
    _("Change a role of one's own"),
    ROLE_EDIT,
    permissions.ROLE_CHANGED,
    said=_("Saved. It counts from the next request on."),
    errors=[ABOVE_YOU],
)
def change(row: CustomRole, wanted: RoleWanted) -> CustomRole:
    """Other permissions: they count for every holder at the next request.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/ROLE_ABOVE_YOURS
    """
    delegation.need_grantable(row.code)
    before = set(row.permissions)
    row.name, row.description, row.permissions = names.checked(wanted.name), wanted.description, _checked(wanted)
    touch(row)
    directory.bump(row.tenant_id)
    now_held = set(row.permissions)
    audit.note("role", row.id, row.name, added=sorted(now_held - before), removed=sorted(before - now_held))
    return row


@roles.removes(
    _("Delete a role that nobody holds"),
    ROLE_EDIT,
    permissions.ROLE_DELETED,
    Button("delete", _("Delete"), _("{name} was deleted."), confirm=_("Delete the role {name}?")),
    errors=[ROLE_IN_USE],
)
def remove(row: CustomRole) -> None:
    """Delete a role that nobody holds.

    :raises ConsoleError: IAM/ROLE_IN_USE
    """
    held = get(row.id).held
    if held:
        raise ROLE_IN_USE(role=row.name, count=held)
    audit.note("role", row.id, row.name)
    db.session.delete(row)


def _checked(wanted: RoleWanted) -> list[str]:
    known = catalogue.permissions()
    unknown = [name for name in wanted.permissions if name not in known]
    if unknown or not wanted.permissions:
        first = unknown[0] if unknown else ""
        nothing = _("Choose at least one.")
        raise invalid({"permissions": _("There is no permission {first}.").format(first=first) if first else nothing})
    if not delegation.may_hand_out(wanted.permissions):
        raise ABOVE_YOU(role=wanted.name)
    return sorted(set(wanted.permissions))


def find_roles(text: str, limit: int) -> Sequence[Found]:
    """Roles by name or code."""
    found = catalogue.roles_of_tenant(delegation.me().tenant_id, text)[:limit] if text.strip() else []
    return [Found(_("Role"), str(r.name), url_for("iam.role", role_id=r.id), r.code) for r in found]
