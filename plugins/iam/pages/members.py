"""Pages of members."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy import select

from app.contracts.text import Text
from app.db import db
from app.guard import guard
from app.web.forms import parse
from app.web.frame import why_not
from app.web.listing import Column, Filter, Listing
from app.web.render import go
from app.web.table import Action, Cell, Empty
from plugins.iam import permissions as may
from plugins.iam.models import ACTIVE, FROZEN, MEMBER, Group, GroupMember, Member
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import DELETED, EDIT, SAVE, SAVED, Form, act, date_cell, dialog, state_cell
from plugins.iam.pages.holders import grant_rows
from plugins.iam.service import handing, members

TITLE = Text("Members", "成员")
NEW = Text("New member", "新建成员")
FIELDS = (
    {"name": "name", "label": Text("Name", "姓名"), "required": True},
    {"name": "nickname", "label": Text("Nickname", "昵称")},
    {"name": "mobile", "label": Text("Mobile", "手机"), "type": "tel"},
    {"name": "landline", "label": Text("Landline", "座机"), "type": "tel"},
    {"name": "staff_number", "label": Text("Staff number", "工号")},
)


@bp.get("/iam/members")
@guard(may.MEMBER_READ)
def member_list() -> Response:
    listing = Listing(
        "members",
        members.of_tenant(handing.me().tenant_id),
        [
            Column("login", Text("Login name", "登录名"), lambda m: m.login, sort=Member.login, narrow=True),
            Column("name", Text("Name", "姓名"), lambda m: m.name, sort=Member.name),
            Column("nickname", Text("Nickname", "昵称"), lambda m: m.nickname, hidden=True),
            Column("mobile", Text("Mobile", "手机"), lambda m: m.mobile if handing.may_see_contact(m) else "", hidden=True),
            Column("state", Text("State", "状态"), lambda m: state_cell(m.state), sort=Member.state, narrow=True),
            Column("last", Text("Last sign-in", "最近登录"), lambda m: date_cell(m.last_login_at), sort=Member.last_login_at),
        ],
        search=(Member.login, Member.name, Member.nickname),
        filters=[Filter("state", Text("State", "状态"), Member.state,
                        [(ACTIVE, Text("Active", "正常")), (FROZEN, Text("Frozen", "已冻结"))])],
        default_sort="login",
        href=lambda m: url_for(".member", member_id=m.id),
        actions=_actions,
        empty=Empty(TITLE, Text("Members are the people who work in this tenant.", "成员是在本租户中工作的人员。")),
        search_hint=Text("Login name or name", "登录名或姓名"),
    )  # fmt: skip
    reason = why_not(may.MEMBER_EDIT)
    actions = [
        Action(Text("Add an existing person", "加入已有人员"), url_for(".member_join"), dialog=True, icon="users", disabled_reason=reason),
        Action(NEW, url_for(".member_new"), dialog=True, primary=True, icon="user-plus", disabled_reason=reason),
    ]
    return common.listed(listing, TITLE, actions)


def _actions(row: Member) -> list[Action]:
    reason = why_not(may.MEMBER_EDIT)
    grant_reason = why_not(may.GRANT_EDIT)
    if row.state == FROZEN:
        freezing = act(Text("Unfreeze", "解冻"), url_for(".member_unfreeze", member_id=row.id), icon="unlock", disabled_reason=reason)
    else:
        freezing = act(Text("Freeze", "冻结"), url_for(".member_freeze", member_id=row.id), danger=True, icon="lock", disabled_reason=reason,
                       confirm=Text("Freeze {name}? Sessions and tokens end at once.", "冻结 {name}？其会话与令牌将立即失效。").format(name=row.login))  # fmt: skip
    return [
        act(Text("Grant a role", "授权"), url_for(".grant_new", type=MEMBER, id=row.id), dialog=True, icon="shield", disabled_reason=grant_reason),
        act(Text("Edit", "编辑"), url_for(".member_edit", member_id=row.id), dialog=True, icon="pencil", disabled_reason=reason),
        act(Text("Reset password", "重置密码"), url_for(".member_reset", member_id=row.id), dialog=True, icon="key-round", disabled_reason=reason),
        freezing,
        act(Text("Remove from the tenant", "移出租户"), url_for(".member_leave", member_id=row.id), danger=True, icon="log-out", disabled_reason=reason,
            confirm=Text("Remove {name} from this tenant? Roles, groups and keys here are lost.",
                "将 {name} 移出本租户？其在此的角色、用户组与密钥将失效。").format(name=row.login)),
        act(Text("Delete", "删除"), url_for(".member_delete", member_id=row.id), danger=True, dialog=True, icon="trash-2", disabled_reason=reason),
    ]  # fmt: skip


@bp.get("/iam/members/<member_id>")
@guard(may.MEMBER_READ)
def member(member_id: str) -> Response:
    row = members.get(member_id)
    mine = select(Group).join(GroupMember, GroupMember.group_id == Group.id)
    mine = mine.where(GroupMember.member_id == row.id, Group.tenant_id == handing.me().tenant_id).order_by(Group.name)
    groups = [[Cell("link", text=g.name, href=url_for(".group", group_id=g.id)), g.description] for g in db.session.scalars(mine)]
    mobile, landline = (row.mobile, row.landline) if handing.may_see_contact(row) else ("", "")
    return common.show(
        row.name, (TITLE, url_for(".member_list")),
        badge=state_cell(row.state), actions=_actions(row), object_id=row.id,
        facts=[
            (Text("Login name", "登录名"), row.login), (Text("Nickname", "昵称"), row.nickname), (Text("Mobile", "手机"), mobile),
            (Text("Landline", "座机"), landline), (Text("Staff number", "工号"), row.staff_number),
            (Text("Last sign-in", "最近登录"), row.last_login_at), (Text("Signed in from", "登录地址"), row.last_login_ip),
            (Text("Created", "创建时间"), row.created_at),
        ],
        cards=[
            grant_rows(MEMBER, row.id),
            {"title": Text("Groups", "用户组"), "columns": [Text("Group", "用户组"), Text("Description", "描述")], "rows": groups,
             "empty": Text("In no group.", "未加入用户组。")},
        ],
    )  # fmt: skip


def _new_form() -> Form:
    login = {"name": "login", "label": Text("Login name", "登录名"), "type": "email", "required": True,
             "help": Text("An e-mail address.", "邮箱地址。")}  # fmt: skip
    reset = {"name": "must_reset", "label": Text("Must choose another password at the first sign-in",
        "首次登录须修改密码"), "type": "checkbox", "checked": True}
    return Form(NEW, url_for(".member_new"), Text("Create the member", "创建成员"), (login, *FIELDS, reset))


@dialog("/iam/members/new", may.MEMBER_EDIT, may.MEMBER_CREATED, _new_form)
def member_new() -> Response:
    return _password_shown(members.create(parse(members.NewMember)))


def _password_shown(made: members.WithPassword) -> Response:
    return common.secret_once(
        Text("Password of {name}", "{name} 的密码").format(name=made.member.login),
        Text("Hand it over now: it is not shown again.", "请立即转交；此密码不会再次显示。"),
        [(Text("Login name", "登录名"), made.member.login), (Text("Password", "密码"), made.password)],
        url_for(".member", member_id=made.member.id),
    )


def _join_form() -> Form:
    return Form(
        Text("Add an existing person", "加入已有人员"), url_for(".member_join"), Text("Add to this tenant", "加入本租户"),
        [{"name": "login", "label": Text("Login name", "登录名"), "required": True,
          "help": Text("Of somebody of the enterprise who is not in this tenant yet.", "企业内尚未加入本租户的人员。")}],
    )  # fmt: skip


@dialog("/iam/members/join", may.MEMBER_EDIT, may.MEMBER_JOINED, _join_form)
def member_join() -> Response:
    row = members.join(request.form.get("login", ""))
    return common.done(url_for(".member_list"), Text("{name} belongs to this tenant now.", "{name} 已加入本租户。").format(name=row.name))


def _edit_form(row: Member) -> Form:
    handing.need_manageable(row)
    values = {str(item["name"]): getattr(row, str(item["name"])) for item in FIELDS}
    title = EDIT.format(name=row.login)
    return Form(title, url_for(".member_edit", member_id=row.id), SAVE, FIELDS, values=values, row=row)


@dialog("/iam/members/<member_id>/edit", may.MEMBER_EDIT, may.MEMBER_CHANGED, _edit_form, members.get)
def member_edit(row: Member) -> Response:
    members.change(row, members.Profile(**{str(item["name"]): request.form.get(str(item["name"]), "") for item in FIELDS}))
    return go(url_for(".member", member_id=row.id), SAVED)


@bp.post("/iam/members/<member_id>/freeze")
@guard(may.MEMBER_EDIT, audit=may.MEMBER_FROZEN)
def member_freeze(member_id: str) -> Response:
    row = members.freeze(members.get(member_id))
    return go(url_for(".member", member_id=row.id), Text("{name} is frozen.", "{name} 已冻结。").format(name=row.login))


@bp.post("/iam/members/<member_id>/unfreeze")
@guard(may.MEMBER_EDIT, audit=may.MEMBER_UNFROZEN)
def member_unfreeze(member_id: str) -> Response:
    row = members.unfreeze(members.get(member_id))
    return go(url_for(".member", member_id=row.id), Text("{name} may sign in again.", "{name} 可以重新登录。").format(name=row.login))


def _reset_form(row: Member) -> Form:
    return Form(
        Text("Reset the password of {name}?", "重置 {name} 的密码？").format(name=row.login), url_for(".member_reset", member_id=row.id),
        Text("Make a new password", "生成新密码"), [], danger=True,
        body=Text("Sessions and tokens end at once. The new password is shown once and must be changed at the next sign-in.",
                  "其会话与令牌将立即失效。新密码仅显示一次，下次登录时必须修改。"),
    )  # fmt: skip


@dialog("/iam/members/<member_id>/reset-password", may.MEMBER_EDIT, may.MEMBER_RESET, _reset_form, members.get)
def member_reset(row: Member) -> Response:
    return _password_shown(members.reset_password(row))


@bp.post("/iam/members/<member_id>/leave")
@guard(may.MEMBER_EDIT, audit=may.MEMBER_LEFT)
def member_leave(member_id: str) -> Response:
    row = members.get(member_id)
    members.leave(row)
    return go(url_for(".member_list"), Text("{name} has left this tenant.", "{name} 已移出本租户。").format(name=row.login))


def _delete_form(row: Member) -> Form:
    return Form(
        Text("Delete {name}?", "删除 {name}？").format(name=row.login), url_for(".member_delete", member_id=row.id),
        Text("Delete the member", "删除成员"), [], danger=True,
        body=Text("The person, their roles and keys are gone for good; what they did stays in the audit.",
                  "该人员及其角色、密钥将被永久删除；其操作记录保留在审计中。"),
    )  # fmt: skip


@dialog("/iam/members/<member_id>/delete", may.MEMBER_EDIT, may.MEMBER_DELETED, _delete_form, members.get)
def member_delete(row: Member) -> Response:
    name = row.login
    members.remove(row)
    return go(url_for(".member_list"), DELETED.format(name=name))
