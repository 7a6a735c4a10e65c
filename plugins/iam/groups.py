"""Groups of members; whoever is in one holds its roles, and loses them by leaving (guide 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from flask import Response, url_for
from sqlalchemy import delete, func, select

from app import audit
from app.contracts.declarations import Found
from app.contracts.shapes import Ask, doc
from app.db import db, new_id, scoped, touch
from app.web import shown
from app.web.buttons import Button
from app.web.listing import Column, matching
from app.web.resources import Resource
from app.words import _, pgettext, plain
from plugins.iam import delegation, directory, grants, members, names
from plugins.iam import permissions as may
from plugins.iam.blueprint import api, bp
from plugins.iam.components import state_cell
from plugins.iam.errors import ABOVE_YOU, TAKEN
from plugins.iam.grants.cards import SHOWN, grant_rows
from plugins.iam.members.shapes import MemberId
from plugins.iam.models import GROUP, Group, GroupMember, Member
from plugins.iam.names import NamedOut, NamedWanted
from plugins.iam.principals import members_of

GroupId = Annotated[str, doc("Identifier of the group.")]
OFFERED = 20  # members at once; more are found by typing
TITLE, EDIT = _("The group"), may.GROUP_EDIT
PLACE = "/members/<member_id>"  # of a member, below the group


class GroupWanted(NamedWanted):
    """A group's name and description."""


class GroupOut(NamedOut):
    """A group."""


groups = Resource(api, bp, "group", "/iam/groups", _("Groups"), _("group"), Group, GroupOut, GroupId, may.GROUP_READ)
size = select(func.count()).where(GroupMember.group_id == Group.id).scalar_subquery()
groups.listed(
    _("List groups"),
    [
        Column("name", _("Name"), lambda r: r[0].name, sort=Group.name, narrow=True),
        Column("members", pgettext("number", "Members"), lambda r: r[1], "number", size, narrow=True),
        Column("description", _("Description"), lambda r: r[0].description),
        Column("created", _("Created"), lambda r: r[0].created_at, "time", Group.created_at, field="createdAt"),
    ],
    query=lambda: scoped(Group).add_columns(size),
    of=lambda r: r[0],
    search=(Group.name, Group.description),
    sort="name",
    empty=_("Grant a role to a group, and everybody in it holds it until they leave."),
)


@groups.shown(_("Show a group"))
def show(row: Group) -> Response:
    inside = select(Member).join(GroupMember, GroupMember.member_id == Member.id).where(GroupMember.group_id == row.id)
    found = db.session.scalars(inside.order_by(Member.login).limit(SHOWN))
    rows = [[members.link(m), m.name, state_cell(m.state), groups.button("remove", row, m.id)] for m in found]
    columns = [_("Login name"), pgettext("person", "Name"), _("State"), plain("")]
    card = shown.card(_("Members"), columns, rows, _("Nobody yet."), groups.button("add", row))
    facts = [(_("Description"), row.description), (_("Created"), row.created_at)]
    return shown.show_row(groups, row, facts, card, grant_rows(GROUP, row.id))


@groups.creates(_("Create a group"), EDIT, may.GROUP_CREATED, _("New group"), _("Create the group"), errors=[TAKEN])
def create(wanted: GroupWanted) -> Group:
    """A group without members."""
    name = names.free(Group, wanted.name, TITLE)
    row = Group(id=new_id(), tenant_id=delegation.me().tenant_id, name=name, description=wanted.description, version=1)
    db.session.add(row)
    db.session.flush()
    audit.note(GROUP, row.id, row.name)
    return row


@groups.changes(_("Change a group"), EDIT, may.GROUP_CHANGED, errors=[TAKEN])
def change(row: Group, wanted: GroupWanted) -> Group:
    """Another name or description."""
    row.name, row.description = names.free(Group, wanted.name, TITLE, row.id), wanted.description
    touch(row)
    audit.note(GROUP, row.id, row.name, description=wanted.description)
    return row


DISSOLVE: Button[Group] = Button(
    "dissolve",
    _("Dissolve"),
    _("{name} was dissolved."),
    confirm=_("Dissolve {name}? Its members lose its roles at once."),
)


@groups.removes(_("Dissolve a group"), EDIT, may.GROUP_DISSOLVED, DISSOLVE, [ABOVE_YOU])
def dissolve(row: Group) -> None:
    """Remove a group; its members lose its roles at once."""
    delegation.need_all_grantable(GROUP, row.id)
    audit.note(GROUP, row.id, row.name)
    grants.take_all(row.tenant_id, GROUP, row.id)
    db.session.execute(delete(GroupMember).where(GroupMember.group_id == row.id))
    db.session.delete(row)


def candidates(row: Group, text: str = "") -> list[tuple[str, str]]:
    """Some members that are not in the group and match the words."""
    already = select(GroupMember.member_id).where(GroupMember.group_id == row.id)
    words = matching(text, (Member.login, Member.name))
    others = members_of(delegation.me().tenant_id).where(Member.id.not_in(already), words)
    return [(m.id, f"{m.login} ({m.name})") for m in db.session.scalars(others.order_by(Member.login).limit(OFFERED))]


ADD = Button(
    "add",
    _("Add a member"),
    _("Added."),
    "user-plus",
    title=_("Add a member to {name}"),
    submit=_("Add"),
    offers={"member_id": candidates},
)
REMOVE: Button[Group] = Button("remove", _("Take out"), _("Taken out of the group."))


@groups.acts("PUT", PLACE, "addMember", _("Put a member into a group"), EDIT, may.GROUP_MEMBER_ADDED, ADD, [ABOVE_YOU])
def add(row: Group, member_id: Annotated[MemberId, Ask(_("Member"), "combobox")]) -> None:
    """Put a member of this tenant into a group; nobody hands out a group's roles who may not grant them."""
    member = members.get(member_id)
    delegation.need_all_grantable(GROUP, row.id)
    if db.session.get(GroupMember, (row.id, member.id)) is None:
        db.session.add(GroupMember(group_id=row.id, member_id=member.id))
        directory.bump(row.tenant_id)
    audit.note(GROUP, row.id, row.name, member=member.login)


@groups.acts(
    "DELETE",
    PLACE,
    "removeMember",
    _("Take a member out of a group"),
    EDIT,
    may.GROUP_MEMBER_REMOVED,
    REMOVE,
    [ABOVE_YOU],
)
def take_out(row: Group, member_id: MemberId) -> None:
    """Take a member out of a group."""
    member = members.get(member_id)
    delegation.need_all_grantable(GROUP, row.id)
    if place := db.session.get(GroupMember, (row.id, member.id)):
        db.session.delete(place)
        directory.bump(row.tenant_id)
    audit.note(GROUP, row.id, row.name, member=member.login)


def find_groups(text: str, limit: int) -> Sequence[Found]:
    """Groups by name."""
    if not text.strip():
        return []
    rows = db.session.scalars(scoped(Group).where(matching(text, (Group.name,))).order_by(Group.name).limit(limit))
    return [Found(_("Group"), g.name, url_for("iam.group", group_id=g.id), g.description) for g in rows]
