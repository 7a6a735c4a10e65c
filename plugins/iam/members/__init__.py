"""Members: the people who work in a tenant (guide 3.4). What ends their access is in ``access``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec
from flask import Response, url_for
from sqlalchemy import ColumnElement, func, select

from app import audit
from app.auth import audience
from app.contracts.declarations import Found
from app.contracts.shapes import doc
from app.db import db, get_scoped, new_id, now, touch
from app.errors import NOT_FOUND, invalid
from app.web import shown
from app.web.frame import why_not
from app.web.listed import Once
from app.web.listing import Column, Filter, matching
from app.web.resources import Resource
from app.web.table import Action, Cell
from app.words import _, pgettext
from plugins.iam import components, delegation, directory, passwords, permissions
from plugins.iam.blueprint import api, bp
from plugins.iam.components import state_cell
from plugins.iam.errors import TAKEN
from plugins.iam.grants.cards import grant_rows
from plugins.iam.members.shapes import Joining, MemberId, MemberOut, NewMember, PersonalData, Profile, shaped
from plugins.iam.models import ACTIVE, FROZEN, MEMBER, Group, GroupMember, Member, Membership
from plugins.iam.permissions import MEMBER_EDIT
from plugins.iam.principals import members_of

WHAT = _("member")
LOGIN = r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]+$"


def _in_group(group_id: str) -> ColumnElement[bool]:
    group = get_scoped(Group, group_id, _("group"))
    return Member.id.in_(select(GroupMember.member_id).where(GroupMember.group_id == group.id))


def show_password(row: Member, password: str) -> Response:
    """The page that shows a password that was just made."""
    return components.secret_once(
        _("Password of {name}").format(name=row.login),
        _("Hand it over now: it is not shown again."),
        [(_("Login name"), row.login), (_("Password"), password)],
        members.url(row),
    )


members = Resource(
    api,
    bp,
    "member",
    "/iam/members",
    _("Members"),
    WHAT,
    Member,
    MemberOut,
    MemberId,
    permissions.MEMBER_READ,
    rows=lambda: members_of(delegation.me().tenant_id),
    shapes=shaped,
    name=lambda row: row.login,
    once=show_password,
    once_as="password",
)
get = members.get
members.listed(
    _("List members"),
    [
        Column("login", _("Login name"), lambda m: m.login, sort=Member.login, narrow=True),
        Column("name", pgettext("person", "Name"), lambda m: m.name, sort=Member.name),
        Column("nickname", _("Nickname"), lambda m: m.nickname, hidden=True),
        Column("mobile", _("Mobile"), lambda m: m.mobile if delegation.may_see_contact(m) else "", hidden=True),
        Column("state", _("State"), lambda m: state_cell(m.state), sort=Member.state, narrow=True),
        Column("last", _("Last sign-in"), lambda m: m.last_login_at, "time", Member.last_login_at, field="lastLoginAt"),
        Column(
            "created", _("Created"), lambda m: m.created_at, "time", Member.created_at, hidden=True, field="createdAt"
        ),
    ],
    search=(Member.login, Member.name, Member.nickname),
    filters=[
        Filter(
            "state",
            _("State"),
            Member.state,
            [(ACTIVE, _("Active")), (FROZEN, _("Frozen"))],
            doc("Only members in this state: `active` or `frozen`."),
        ),
        Filter("group", _("Group"), _in_group, doc=doc("Only members of the group with this identifier.")),
    ],
    sort="login",
    empty=_("Members are the people who work in this tenant."),
    search_hint=_("Login name or name"),
)


def link(row: Member) -> Cell:
    """Their login name, which leads to their page."""
    return Cell("link", text=row.login, href=members.url(row))


@members.shown(_("Show a member"))
def show(row: Member) -> Response:
    mine = select(Group).join(GroupMember, GroupMember.group_id == Group.id)
    mine = mine.where(GroupMember.member_id == row.id, Group.tenant_id == delegation.me().tenant_id).order_by(
        Group.name
    )
    groups = [
        [Cell("link", text=g.name, href=url_for(".group", group_id=g.id)), g.description]
        for g in db.session.scalars(mine.order_by(Group.name))
    ]
    mobile, landline = (row.mobile, row.landline) if delegation.may_see_contact(row) else ("", "")
    return shown.show(
        row.name,
        (members.title, members.url(None, "list")),
        badge=state_cell(row.state),
        actions=members.actions(row),
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


@members.offers
def grant_a_role(row: Member) -> Action:
    refused = why_not(permissions.GRANT_EDIT)
    url = url_for("iam.grant_new", type=MEMBER, id=row.id)
    return Action(_("Grant a role"), url, dialog=True, icon="shield", disabled_reason=refused)


@members.creates(
    _("Add a member to the tenant"),
    MEMBER_EDIT,
    permissions.MEMBER_JOINED,
    verb="join",
    title=_("Add an existing person"),
    submit=_("Add to this tenant"),
    said=_("{name} belongs to this tenant now."),
    icon="users",
)
def join(wanted: Joining) -> Member:
    """Add a person of the enterprise to this tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    audience.need_own_proof()
    asked = wanted.login
    named = (Member.login == asked.strip().lower()) | (Member.id == asked)
    row: Member | None = db.session.scalar(select(Member).where(named))
    if row is None:
        raise NOT_FOUND(what=WHAT)
    _join(row)
    audit.note(MEMBER, row.id, row.login)
    return row


def _join(row: Member) -> None:
    tenant_id = delegation.me().tenant_id
    here = select(Membership.id).where(Membership.tenant_id == tenant_id, Membership.member_id == row.id)
    if db.session.scalar(here) is None:
        db.session.add(Membership(id=new_id(), tenant_id=tenant_id, member_id=row.id))
        db.session.flush()
        db.session.expire(row, ["places"])
        directory.bump(tenant_id)


@members.creates(
    _("Create a member"),
    MEMBER_EDIT,
    permissions.MEMBER_CREATED,
    title=_("New member"),
    submit=_("Create the member"),
    icon="user-plus",
    errors=[TAKEN],
)
def create(wanted: NewMember) -> Once[Member]:
    """A new person of this tenant, with a password that an administrator hands over.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    audience.need_own_proof()
    login = checked_login(wanted)
    if db.session.scalar(select(Member.id).where(Member.login == login)):
        raise TAKEN(what=_("The login name"), name=login)
    password = passwords.made()
    row = Member(
        id=new_id(),
        login=login,
        name=wanted.name.strip(),
        nickname=wanted.nickname,
        mobile=wanted.mobile,
        landline=wanted.landline,
        staff_number=wanted.staff_number,
        must_reset=wanted.must_reset,
        password_hash=passwords.hashed(password),
        password_changed_at=now(),
        state=ACTIVE,
    )
    db.session.add(row)
    db.session.flush()
    _join(row)
    audit.note(MEMBER, row.id, row.login, person=row.name)
    return Once(row, password)


def checked_login(wanted: PersonalData) -> str:
    """The login name of somebody who also has a name.

    :raises ConsoleError: CORE/INVALID_INPUT
    """
    login, problems = wanted.login.strip().lower(), {}
    alike = not login.isprintable() or unicodedata.normalize("NFKC", login) != login  # another looks as this one does
    if not re.match(LOGIN, login) or alike or len(login) > 255:
        problems["login"] = _("An e-mail address such as name@company.com.")
    if not wanted.name.strip():
        problems["name"] = _("This is required.")
    if problems:
        raise invalid(problems)
    return login


@members.changes(
    _("Change a member"),
    MEMBER_EDIT,
    permissions.MEMBER_CHANGED,
    method="PATCH",
    before=delegation.need_manageable,
)
def change(member: Member, wanted: Profile) -> Member:
    """Change personal information: one's own, or of somebody whom the caller manages.

    :raises ConsoleError: see :func:`delegation.need_manageable`; CORE/INVALID_INPUT
    """
    if delegation.me().key != f"{MEMBER}:{member.id}":
        delegation.need_manageable(member)
    given = {k: v.strip() for k, v in msgspec.structs.asdict(wanted).items() if v is not None}
    if given.get("name") == "":
        raise invalid({"name": _("This is required.")})
    for key, value in given.items():
        setattr(member, key, value)
    touch(member)
    audit.note(MEMBER, member.id, member.login, changed=given)
    return member


def find_members(text: str, limit: int) -> Sequence[Found]:
    """Members by name or login."""
    query = (
        members_of(delegation.me().tenant_id).where(matching(text, (Member.login, Member.name)))
        if text.strip()
        else None
    )
    rows = db.session.scalars(query.order_by(Member.login).limit(limit)).all() if query is not None else ()
    return [Found(_("Member"), m.name, url_for("iam.member", member_id=m.id), m.login) for m in rows]


def others_are_in() -> bool:
    """Whether the tenant has more than its first member."""
    mine = select(func.count()).where(Membership.tenant_id == delegation.me().tenant_id)
    return (db.session.scalar(mine) or 0) > 1
