"""Pages of members."""

from __future__ import annotations

from flask import Response, request, url_for
from sqlalchemy import select

from app.db import db
from app.guard import guard
from app.web.dialogs import done
from app.web.forms import parse
from app.web.frame import why_not
from app.web.listing import Column, Filter, Listing
from app.web.render import go
from app.web.table import Action, Cell, Empty
from app.words import _, pgettext
from plugins.iam import permissions as may
from plugins.iam.models import ACTIVE, FROZEN, MEMBER, Group, GroupMember, Member
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import DELETED, EDIT, SAVE, SAVED, Form, act, date_cell, dialog, state_cell
from plugins.iam.pages.holders import grant_rows
from plugins.iam.service import handing, members

TITLE = _("Members")
NEW = _("New member")
FIELDS = (
    {"name": "name", "label": pgettext("person", "Name"), "required": True},
    {"name": "nickname", "label": _("Nickname")},
    {"name": "mobile", "label": _("Mobile"), "type": "tel"},
    {"name": "landline", "label": _("Landline"), "type": "tel"},
    {"name": "staff_number", "label": _("Staff number")},
)


@bp.get("/iam/members")
@guard(may.MEMBER_READ)
def member_list() -> Response:
    listing = Listing(
        "members",
        members.of_tenant(handing.me().tenant_id),
        [
            Column("login", _("Login name"), lambda m: m.login, sort=Member.login, narrow=True),
            Column("name", pgettext("person", "Name"), lambda m: m.name, sort=Member.name),
            Column("nickname", _("Nickname"), lambda m: m.nickname, hidden=True),
            Column("mobile", _("Mobile"), lambda m: m.mobile if handing.may_see_contact(m) else "", hidden=True),
            Column("state", _("State"), lambda m: state_cell(m.state), sort=Member.state, narrow=True),
            Column("last", _("Last sign-in"), lambda m: date_cell(m.last_login_at), sort=Member.last_login_at),
        ],
        search=(Member.login, Member.name, Member.nickname),
        filters=[Filter("state", _("State"), Member.state, [(ACTIVE, _("Active")), (FROZEN, _("Frozen"))])],
        default_sort="login",
        href=lambda m: url_for(".member", member_id=m.id),
        actions=_actions,
        empty=Empty(TITLE, _("Members are the people who work in this tenant.")),
        search_hint=_("Login name or name"),
    )
    reason = why_not(may.MEMBER_EDIT)
    actions = [
        Action(_("Add an existing person"), url_for(".member_join"), dialog=True, icon="users", disabled_reason=reason),
        Action(NEW, url_for(".member_new"), dialog=True, primary=True, icon="user-plus", disabled_reason=reason),
    ]
    return common.listed(listing, TITLE, actions)


def _actions(row: Member) -> list[Action]:
    reason = why_not(may.MEMBER_EDIT)
    grant_reason = why_not(may.GRANT_EDIT)
    if row.state == FROZEN:
        freezing = act(
            _("Unfreeze"), url_for(".member_unfreeze", member_id=row.id), icon="unlock", disabled_reason=reason
        )
    else:
        freezing = act(
            _("Freeze"),
            url_for(".member_freeze", member_id=row.id),
            danger=True,
            icon="lock",
            disabled_reason=reason,
            confirm=_("Freeze {name}? Sessions and tokens end at once.").format(name=row.login),
        )
    return [
        act(
            _("Grant a role"),
            url_for(".grant_new", type=MEMBER, id=row.id),
            dialog=True,
            icon="shield",
            disabled_reason=grant_reason,
        ),
        act(_("Edit"), url_for(".member_edit", member_id=row.id), dialog=True, icon="pencil", disabled_reason=reason),
        act(
            _("Reset password"),
            url_for(".member_reset", member_id=row.id),
            dialog=True,
            icon="key-round",
            disabled_reason=reason,
        ),
        freezing,
        act(
            _("Remove from the tenant"),
            url_for(".member_leave", member_id=row.id),
            danger=True,
            icon="log-out",
            disabled_reason=reason,
            confirm=_("Remove {name} from this tenant? Roles, groups and keys here are lost.").format(name=row.login),
        ),
        act(
            _("Delete"),
            url_for(".member_delete", member_id=row.id),
            danger=True,
            dialog=True,
            icon="trash-2",
            disabled_reason=reason,
        ),
    ]


@bp.get("/iam/members/<member_id>")
@guard(may.MEMBER_READ)
def member(member_id: str) -> Response:
    row = members.get(member_id)
    mine = select(Group).join(GroupMember, GroupMember.group_id == Group.id)
    mine = mine.where(GroupMember.member_id == row.id, Group.tenant_id == handing.me().tenant_id).order_by(Group.name)
    groups = [
        [Cell("link", text=g.name, href=url_for(".group", group_id=g.id)), g.description]
        for g in db.session.scalars(mine)
    ]
    mobile, landline = (row.mobile, row.landline) if handing.may_see_contact(row) else ("", "")
    return common.show(
        row.name,
        (TITLE, url_for(".member_list")),
        badge=state_cell(row.state),
        actions=_actions(row),
        object_id=row.id,
        facts=[
            (_("Login name"), row.login),
            (_("Nickname"), row.nickname),
            (_("Mobile"), mobile),
            (_("Landline"), landline),
            (_("Staff number"), row.staff_number),
            (_("Last sign-in"), row.last_login_at),
            (_("Signed in from"), row.last_login_ip),
            (_("Created"), row.created_at),
        ],
        cards=[
            grant_rows(MEMBER, row.id),
            {
                "title": _("Groups"),
                "columns": [_("Group"), _("Description")],
                "rows": groups,
                "empty": _("In no group."),
            },
        ],
    )


def _new_form() -> Form:
    login = {
        "name": "login",
        "label": _("Login name"),
        "type": "email",
        "required": True,
        "help": _("An e-mail address."),
    }
    reset = {
        "name": "must_reset",
        "label": _("Must choose another password at the first sign-in"),
        "type": "checkbox",
        "checked": True,
    }
    return Form(NEW, url_for(".member_new"), _("Create the member"), (login, *FIELDS, reset))


@dialog("/iam/members/new", may.MEMBER_EDIT, may.MEMBER_CREATED, _new_form)
def member_new() -> Response:
    return _password_shown(members.create(parse(members.NewMember)))


def _password_shown(made: members.WithPassword) -> Response:
    return common.secret_once(
        _("Password of {name}").format(name=made.member.login),
        _("Hand it over now: it is not shown again."),
        [(_("Login name"), made.member.login), (_("Password"), made.password)],
        url_for(".member", member_id=made.member.id),
    )


def _join_form() -> Form:
    return Form(
        _("Add an existing person"),
        url_for(".member_join"),
        _("Add to this tenant"),
        [
            {
                "name": "login",
                "label": _("Login name"),
                "required": True,
                "help": _("Of somebody of the enterprise who is not in this tenant yet."),
            }
        ],
    )


@dialog("/iam/members/join", may.MEMBER_EDIT, may.MEMBER_JOINED, _join_form)
def member_join() -> Response:
    row = members.join(request.form.get("login", ""))
    return done(url_for(".member_list"), _("{name} belongs to this tenant now.").format(name=row.name))


def _edit_form(row: Member) -> Form:
    handing.need_manageable(row)
    values = {str(item["name"]): getattr(row, str(item["name"])) for item in FIELDS}
    title = EDIT.format(name=row.login)
    return Form(title, url_for(".member_edit", member_id=row.id), SAVE, FIELDS, values=values, row=row)


@dialog("/iam/members/<member_id>/edit", may.MEMBER_EDIT, may.MEMBER_CHANGED, _edit_form, members.get)
def member_edit(row: Member) -> Response:
    members.change(
        row, members.Profile(**{str(item["name"]): request.form.get(str(item["name"]), "") for item in FIELDS})
    )
    return go(url_for(".member", member_id=row.id), SAVED)


@bp.post("/iam/members/<member_id>/freeze")
@guard(may.MEMBER_EDIT, audit=may.MEMBER_FROZEN)
def member_freeze(member_id: str) -> Response:
    row = members.freeze(members.get(member_id))
    return go(url_for(".member", member_id=row.id), _("{name} is frozen.").format(name=row.login))


@bp.post("/iam/members/<member_id>/unfreeze")
@guard(may.MEMBER_EDIT, audit=may.MEMBER_UNFROZEN)
def member_unfreeze(member_id: str) -> Response:
    row = members.unfreeze(members.get(member_id))
    return go(url_for(".member", member_id=row.id), _("{name} may sign in again.").format(name=row.login))


def _reset_form(row: Member) -> Form:
    return Form(
        _("Reset the password of {name}?").format(name=row.login),
        url_for(".member_reset", member_id=row.id),
        _("Make a new password"),
        [],
        danger=True,
        body=_(
            "Sessions and tokens end at once. The new password is shown once and must be changed at the next sign-in."
        ),
    )


@dialog("/iam/members/<member_id>/reset-password", may.MEMBER_EDIT, may.MEMBER_RESET, _reset_form, members.get)
def member_reset(row: Member) -> Response:
    return _password_shown(members.reset_password(row))


@bp.post("/iam/members/<member_id>/leave")
@guard(may.MEMBER_EDIT, audit=may.MEMBER_LEFT)
def member_leave(member_id: str) -> Response:
    row = members.get(member_id)
    members.leave(row)
    return go(url_for(".member_list"), _("{name} has left this tenant.").format(name=row.login))


def _delete_form(row: Member) -> Form:
    return Form(
        _("Delete {name}?").format(name=row.login),
        url_for(".member_delete", member_id=row.id),
        _("Delete the member"),
        [],
        danger=True,
        body=_("The person, their roles and keys are gone for good; what they did stays in the audit."),
    )


@dialog("/iam/members/<member_id>/delete", may.MEMBER_EDIT, may.MEMBER_DELETED, _delete_form, members.get)
def member_delete(row: Member) -> Response:
    name = row.login
    members.remove(row)
    return go(url_for(".member_list"), DELETED.format(name=name))
