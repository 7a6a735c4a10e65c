"""Pages of groups."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy import func, select

from app.contracts.text import Text, plain
from app.db import db, scoped
from app.guard import guard
from app.web.forms import parse
from app.web.frame import why_not
from app.web.listing import Column, Listing, matching
from app.web.render import go
from app.web.table import Action, Cell, Empty
from plugins.iam import permissions as may
from plugins.iam.models import GROUP, Group, GroupMember, Member
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import CREATED, EDIT, SAVE, SAVED, Form, act, date_cell, dialog, state_cell
from plugins.iam.pages.holders import SHOWN, grant_rows
from plugins.iam.pages.programs import FIELDS
from plugins.iam.service import groups, handing, members

TITLE = Text("Groups", "用户组")
OFFERED = 20  # members at once; more are found by typing
NEW = Text("New group", "新建用户组")


@bp.get("/iam/groups")
@guard(may.GROUP_READ)
def group_list() -> Response:
    size = select(func.count()).where(GroupMember.group_id == Group.id).scalar_subquery()
    listing = Listing(
        "groups",
        scoped(Group).add_columns(size),
        [
            Column("name", Text("Name", "名称"), lambda r: r[0].name, sort=Group.name, narrow=True),
            Column("members", Text("Members", "成员数"), lambda r: r[1], kind="number", sort=size, narrow=True),
            Column("description", Text("Description", "描述"), lambda r: r[0].description),
            Column("created", Text("Created", "创建时间"), lambda r: date_cell(r[0].created_at), sort=Group.created_at),
        ],
        search=(Group.name, Group.description),
        default_sort="name",
        key=lambda r: r[0].id,
        href=lambda r: url_for(".group", group_id=r[0].id),
        actions=lambda r: _actions(r[0]),
        empty=Empty(TITLE, Text("Grant a role to a group, and everybody in it holds it until they leave.", "向用户组授权后，组内成员即持有该角色，离开即失效。")),
    )  # fmt: skip
    reason = why_not(may.GROUP_EDIT)
    return common.listed(listing, TITLE, [Action(NEW, url_for(".group_new"), dialog=True, primary=True, icon="plus", disabled_reason=reason)])


def _actions(row: Group) -> list[Action]:
    return [
        act(Text("Edit", "编辑"), url_for(".group_edit", group_id=row.id), dialog=True, icon="pencil", disabled_reason=why_not(may.GROUP_EDIT)),
        act(Text("Dissolve", "解散"), url_for(".group_dissolve", group_id=row.id), danger=True, icon="trash-2", disabled_reason=why_not(may.GROUP_EDIT),
            confirm=Text("Dissolve {name}? Its members lose its roles at once.", "解散 {name}？其成员将立即失去该组的角色。").format(name=row.name)),
    ]  # fmt: skip


@bp.get("/iam/groups/<group_id>")
@guard(may.GROUP_READ)
def group(group_id: str) -> Response:
    row = groups.get(group_id)
    people = db.session.scalars(groups.people(row).order_by(Member.login).limit(SHOWN)).all()
    rows = [
        [Cell("link", text=m.login, href=url_for(".member", member_id=m.id)), m.name, state_cell(m.state),
         act(Text("Take out", "移出"), url_for(".group_remove_member", group_id=row.id, member_id=m.id), disabled_reason=why_not(may.GROUP_EDIT))]
        for m in people
    ]  # fmt: skip
    card = {
        "title": Text("Members", "成员"), "rows": rows, "empty": Text("Nobody yet.", "暂无成员。"),
        "columns": [Text("Login name", "登录名"), Text("Name", "姓名"), Text("State", "状态"), plain("")],
        "actions": [act(Text("Add a member", "添加成员"), url_for(".group_add_member", group_id=row.id), dialog=True, icon="user-plus",
                        disabled_reason=why_not(may.GROUP_EDIT))],
    }  # fmt: skip
    return common.show(
        row.name, (TITLE, url_for(".group_list")), actions=_actions(row), object_id=row.id,
        facts=[(Text("Description", "描述"), row.description), (Text("Created", "创建时间"), row.created_at)],
        cards=[card, grant_rows(GROUP, row.id)],
    )  # fmt: skip


def _form(row: Group | None = None) -> Form:
    if row is None:
        return Form(NEW, url_for(".group_new"), Text("Create the group", "创建用户组"), FIELDS)
    title = EDIT.format(name=row.name)
    values = {"name": row.name, "description": row.description}
    return Form(title, url_for(".group_edit", group_id=row.id), SAVE, FIELDS, values=values, row=row)


@dialog("/iam/groups/new", may.GROUP_EDIT, may.GROUP_CREATED, _form)
def group_new() -> Response:
    row = groups.create(parse(groups.GroupWanted))
    return go(url_for(".group", group_id=row.id), CREATED.format(name=row.name))


@dialog("/iam/groups/<group_id>/edit", may.GROUP_EDIT, may.GROUP_CHANGED, _form, groups.get)
def group_edit(row: Group) -> Response:
    groups.change(row, parse(groups.GroupWanted))
    return go(url_for(".group", group_id=row.id), SAVED)


@bp.post("/iam/groups/<group_id>/dissolve")
@guard(may.GROUP_EDIT, audit=may.GROUP_DISSOLVED)
def group_dissolve(group_id: str) -> Response:
    row = groups.get(group_id)
    name = row.name
    groups.dissolve(row)
    return go(url_for(".group_list"), Text("{name} was dissolved.", "{name} 已解散。").format(name=name))


def _candidates(row: Group, text: str = "") -> list[tuple[str, str]]:
    """Some members that are not in the group and match the words."""
    already = select(GroupMember.member_id).where(GroupMember.group_id == row.id)
    people = members.of_tenant(handing.me().tenant_id).where(Member.id.not_in(already), matching(text, (Member.login, Member.name)))
    return [(m.id, f"{m.login} ({m.name})") for m in db.session.scalars(people.order_by(Member.login).limit(OFFERED))]


@bp.get("/iam/groups/<group_id>/candidates")
@guard(may.GROUP_EDIT)
def group_candidates(group_id: str) -> Response:
    return common.options(_candidates(groups.get(group_id), request.args.get("q", "")))


def _add_form(row: Group) -> Form:
    source = url_for(".group_candidates", group_id=row.id)
    return Form(
        Text("Add a member to {name}", "向 {name} 添加成员").format(name=row.name), url_for(".group_add_member", group_id=row.id),
        Text("Add", "添加"), [{"name": "member", "label": Text("Member", "成员"), "type": "combobox", "options": _candidates(row), "required": True,
                               "empty": Text("", ""), "source": source}],
    )  # fmt: skip


@dialog("/iam/groups/<group_id>/members/add", may.GROUP_EDIT, may.GROUP_MEMBER_ADDED, _add_form, groups.get)
def group_add_member(row: Group) -> Response:
    groups.add(row, request.form.get("member", ""))
    return go(url_for(".group", group_id=row.id), Text("Added.", "已添加。"))


@bp.post("/iam/groups/<group_id>/members/<member_id>/remove")
@guard(may.GROUP_EDIT, audit=may.GROUP_MEMBER_REMOVED)
def group_remove_member(group_id: str, member_id: str) -> Response:
    groups.take_out(groups.get(group_id), member_id)
    return go(url_for(".group", group_id=group_id), Text("Taken out of the group.", "已移出用户组。"))
