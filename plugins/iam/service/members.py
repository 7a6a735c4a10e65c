"""Members: create, change, freeze, reset, join, leave, delete (guide 3.4). Ending somebody's access ends it at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import msgspec
from sqlalchemy import Select, delete, select

from app import audit
from app.auth import audience, decisions
from app.auth.models import ConsoleSession
from app.contracts.shapes import doc
from app.db import db, new_id, now, touch
from app.errors import NOT_FOUND, invalid
from app.web.api import In
from app.words import _
from plugins.iam import directory, passwords, throttle
from plugins.iam.models import ACTIVE, FROZEN, MEMBER, AccessKey, Grant, Group, GroupMember, Member, Membership
from plugins.iam.oidc import logout, tokens
from plugins.iam.oidc.models import Consent
from plugins.iam.permissions import SITE_PEOPLE
from plugins.iam.service import grants, handing
from plugins.iam.service.errors import STILL_ADMINISTRATOR, TAKEN

WHAT = _("member")
LOGIN = r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]+$"
ADMINISTRATOR = "tenant-administrator"


class NewMember(In):
    """Somebody new. The login name is an e-mail address."""

    login: Annotated[str, doc("Login name, an e-mail address; unique on the site.")] = msgspec.field()
    name: Annotated[str, doc("Name of the person.")] = msgspec.field()
    nickname: Annotated[str, doc("Nickname.")] = ""
    mobile: Annotated[str, doc("Mobile number.")] = ""
    landline: Annotated[str, doc("Landline number.")] = ""
    staff_number: Annotated[str, doc("Staff number.")] = ""
    must_reset: Annotated[bool, doc("Whether the password must be changed at the first sign-in.")] = True


class Profile(In):
    """What may be changed of a person; what is left out stays."""

    name: Annotated[str | None, doc("Name of the person.")] = None
    nickname: Annotated[str | None, doc("Nickname.")] = None
    mobile: Annotated[str | None, doc("Mobile number.")] = None
    landline: Annotated[str | None, doc("Landline number.")] = None
    staff_number: Annotated[str | None, doc("Staff number.")] = None


@dataclass(frozen=True, slots=True)
class WithPassword:
    """A member with the password that was just made for them, to be shown once."""

    member: Member
    password: str


def of_tenant(tenant_id: str) -> Select[Member]:
    """Members of a tenant."""
    return select(Member).join(Membership, Membership.member_id == Member.id).where(Membership.tenant_id == tenant_id)


def get(member_id: str) -> Member:
    """A member of the caller's tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    row = db.session.scalar(of_tenant(handing.me().tenant_id).where(Member.id == member_id))
    if row is None:
        raise NOT_FOUND(what=WHAT)
    return row


def create(wanted: NewMember) -> WithPassword:
    """A new person of this tenant, with a password that an administrator hands over.

    :raises ConsoleError: CORE/INVALID_INPUT, IAM/NAME_TAKEN
    """
    audience.need_own_proof()
    login = wanted.login.strip().lower()
    problems = {}
    if not re.match(LOGIN, login) or len(login) > 255:
        problems["login"] = _("An e-mail address such as name@company.com.")
    if not wanted.name.strip():
        problems["name"] = _("This is required.")
    if problems:
        raise invalid(problems)
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
    return WithPassword(row, password)


def change(member: Member, wanted: Profile) -> Member:
    """Change personal information: one's own, or of somebody whom the caller manages.

    :raises ConsoleError: see :func:`handing.need_manageable`; CORE/INVALID_INPUT
    """
    if handing.me().key != f"{MEMBER}:{member.id}":
        handing.need_manageable(member)
    given = {k: v.strip() for k, v in msgspec.structs.asdict(wanted).items() if v is not None}
    if given.get("name") == "":
        raise invalid({"name": _("This is required.")})
    for key, value in given.items():
        setattr(member, key, value)
    touch(member)
    audit.note(MEMBER, member.id, member.login, changed=given)
    return member


def freeze(member: Member) -> Member:
    """Refuse a person from now on: sessions and tokens end at once."""
    handing.need_manageable(member)
    member.state = FROZEN
    _changed(member)
    logout.end_member(member.id)
    return member


def unfreeze(member: Member) -> Member:
    """Let a frozen person in again; whatever was locked is unlocked."""
    handing.need_manageable(member)
    member.state, member.failures, member.locked_until = ACTIVE, 0, None
    throttle.forget(member.login)
    _changed(member)
    return member


def reset_password(member: Member) -> WithPassword:
    """Give a person a new password, to be changed at the next sign-in; sessions and tokens end at once."""
    audience.need_own_proof()
    handing.need_manageable(member)
    password = passwords.made()
    member.password_hash, member.must_reset, member.password_changed_at = passwords.hashed(password), True, now()
    member.failures, member.locked_until = 0, None
    throttle.forget(member.login)
    logout.end_member(member.id)
    audit.note(MEMBER, member.id, member.login)
    return WithPassword(member, password)


def join(login: str) -> Member:
    """Add a person of the enterprise to this tenant.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    audience.need_own_proof()
    row = db.session.scalar(select(Member).where((Member.login == login.strip().lower()) | (Member.id == login)))
    if row is None:
        raise NOT_FOUND(what=WHAT)
    _join(row)
    audit.note(MEMBER, row.id, row.login)
    return row


def leave(member: Member) -> None:
    """Remove a person from this tenant: roles, groups, keys, sessions and tokens of it are gone at once.

    :raises ConsoleError: IAM/STILL_ADMINISTRATOR
    """
    tenant_id = handing.me().tenant_id
    mine = (Grant.tenant_id == tenant_id) & (Grant.principal_type == MEMBER) & (Grant.principal_id == member.id)
    if db.session.scalar(select(Grant.id).where(mine, Grant.role == ADMINISTRATOR).limit(1)):
        raise STILL_ADMINISTRATOR(name=member.name)
    audit.note(MEMBER, member.id, member.login)
    grants.take_all(tenant_id, MEMBER, member.id)
    groups = select(Group.id).where(Group.tenant_id == tenant_id)
    keys = delete(AccessKey).where(AccessKey.tenant_id == tenant_id, AccessKey.owner_type == MEMBER)
    here = (ConsoleSession.principal_key == f"{MEMBER}:{member.id}") & (ConsoleSession.tenant_id == tenant_id)
    for change_ in (
        delete(GroupMember).where(GroupMember.member_id == member.id, GroupMember.group_id.in_(groups)),
        keys.where(AccessKey.owner_id == member.id),
        delete(ConsoleSession).where(here),
        delete(Membership).where(Membership.tenant_id == tenant_id, Membership.member_id == member.id),
    ):
        db.session.execute(change_)
    tokens.revoke_member(member.id, tenant_id)


def remove(member: Member) -> None:
    """Delete a person for good.

    :raises ConsoleError: see :func:`handing.need_manageable`; IAM/STILL_ADMINISTRATOR
    """
    handing.need_manageable(member)
    if not decisions.allows(SITE_PEOPLE):
        leave(member)
    audit.note(MEMBER, member.id, member.login)
    logout.end_member(member.id)
    for tenant in directory.LocalDirectory().tenants_of(f"{MEMBER}:{member.id}"):
        grants.take_all(tenant.id, MEMBER, member.id)
    for change_ in (
        delete(GroupMember).where(GroupMember.member_id == member.id),
        delete(AccessKey).where(AccessKey.owner_type == MEMBER, AccessKey.owner_id == member.id),
        delete(Membership).where(Membership.member_id == member.id),
        delete(Grant).where(Grant.principal_type == MEMBER, Grant.principal_id == member.id),
        delete(Consent).where(Consent.member_id == member.id),
    ):
        db.session.execute(change_)
    db.session.delete(member)


def _join(row: Member) -> None:
    tenant_id = handing.me().tenant_id
    here = select(Membership.id).where(Membership.tenant_id == tenant_id, Membership.member_id == row.id)
    if db.session.scalar(here) is None:
        db.session.add(Membership(id=new_id(), tenant_id=tenant_id, member_id=row.id))
        db.session.flush()
        db.session.expire(row, ["places"])
        directory.bump(tenant_id)


def _changed(member: Member) -> None:
    touch(member)
    for tenant in directory.LocalDirectory().tenants_of(f"{MEMBER}:{member.id}"):
        directory.bump(tenant.id)
    directory.bump(handing.me().tenant_id)
    audit.note(MEMBER, member.id, member.login)
