"""Groups of members; whoever is in one holds its roles, and loses them by leaving (guide 3.4)."""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import Select, select

from app import audit
from app.contracts.shapes import Description, doc
from app.contracts.text import Text
from app.db import db, get_scoped, new_id, touch
from app.web.api import In
from plugins.iam import directory
from plugins.iam.models import GROUP, Group, GroupMember, Member
from plugins.iam.service import grants, handing, members, names

WHAT = Text("group", "用户组")
TITLE = Text("The group", "用户组")


class GroupWanted(In):
    """A group's name and description."""

    name: Annotated[str, doc("Name that people see; unique in the tenant.")]
    description: Description = ""


def get(group_id: str) -> Group:
    """A group of this tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    return get_scoped(Group, group_id, WHAT)


def create(wanted: GroupWanted) -> Group:
    """A group without members.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row = Group(id=new_id(), tenant_id=handing.me().tenant_id, name=names.free(Group, wanted.name, TITLE), description=wanted.description, version=1)
    db.session.add(row)
    db.session.flush()
    audit.note(GROUP, row.id, row.name)
    return row


def change(row: Group, wanted: GroupWanted) -> Group:
    """Another name or description.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    row.name, row.description = names.free(Group, wanted.name, TITLE, row.id), wanted.description
    touch(row)
    audit.note(GROUP, row.id, row.name, description=wanted.description)
    return row


def dissolve(row: Group) -> None:
    """Remove a group; its members lose its roles at once."""
    handing.need_all_grantable(GROUP, row.id)
    audit.note(GROUP, row.id, row.name)
    grants.take_all(row.tenant_id, GROUP, row.id)
    for place in db.session.scalars(select(GroupMember).where(GroupMember.group_id == row.id)).all():
        db.session.delete(place)
    db.session.flush()
    db.session.delete(row)


def add(row: Group, member_id: str) -> None:
    """Put a member of this tenant into a group; nobody hands out a group's roles who may not grant them.

    :raises ConsoleError: CORE/NOT_FOUND, IAM/ROLE_ABOVE_YOURS
    """
    member = members.get(member_id)
    handing.need_all_grantable(GROUP, row.id)
    if db.session.get(GroupMember, (row.id, member.id)) is None:
        db.session.add(GroupMember(group_id=row.id, member_id=member.id))
        directory.bump(row.tenant_id)
    audit.note(GROUP, row.id, row.name, member=member.login)


def take_out(row: Group, member_id: str) -> None:
    """Take a member out of a group.

    :raises ConsoleError: CORE/NOT_FOUND, IAM/ROLE_ABOVE_YOURS
    """
    member = members.get(member_id)
    handing.need_all_grantable(GROUP, row.id)
    if place := db.session.get(GroupMember, (row.id, member.id)):
        db.session.delete(place)
        directory.bump(row.tenant_id)
    audit.note(GROUP, row.id, row.name, member=member.login)


def people(row: Group) -> Select[Member]:
    """The members of a group."""
    return select(Member).join(GroupMember, GroupMember.member_id == Member.id).where(GroupMember.group_id == row.id)
