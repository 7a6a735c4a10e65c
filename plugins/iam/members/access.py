"""Members' access: freeze, reset, leave, delete (guide 3.4). Ending somebody's access ends it at once."""

from __future__ import annotations

from sqlalchemy import delete, select

from app import audit
from app.auth import audience, decisions
from app.auth.models import ConsoleSession
from app.db import db, now, touch
from app.web.buttons import Button
from app.web.listed import Once
from app.words import _
from plugins.iam import delegation, directory, grants, passwords, permissions
from plugins.iam.errors import ELSEWHERE_TOO, PERSON_ABOVE_YOU, STILL_ADMINISTRATOR, YOURSELF
from plugins.iam.members import members
from plugins.iam.models import ACTIVE, FROZEN, MEMBER, AccessKey, Grant, Group, GroupMember, Member, Membership
from plugins.iam.models.oidc import Consent
from plugins.iam.oidc import logout, tokens
from plugins.iam.permissions import MEMBER_EDIT, SITE_PEOPLE
from plugins.iam.seeding import TENANT_ADMIN
from plugins.iam.signin import throttle


@members.acts(
    "POST",
    "/reset-password",
    "resetPassword",
    _("Reset a password"),
    MEMBER_EDIT,
    permissions.MEMBER_RESET,
    Button(
        "reset",
        _("Reset password"),
        icon="key-round",
        danger=True,
        title=_("Reset the password of {name}?"),
        submit=_("Make a new password"),
        body=lambda _row: _(
            "Sessions and tokens end at once. The new password is shown once and must be changed at the next sign-in."
        ),
        menu=True,
    ),
)
def reset_password(member: Member) -> Once[Member]:
    """Give a person a new password, to be changed at the next sign-in; sessions and tokens end at once."""
    audience.need_own_proof()
    delegation.need_manageable(member)
    password = passwords.made()
    member.password_hash, member.must_reset, member.password_changed_at = passwords.hashed(password), True, now()
    member.failures, member.locked_until = 0, None
    throttle.forget(member.login)
    logout.end_member(member.id)
    audit.note(MEMBER, member.id, member.login)
    return Once(member, password)


@members.acts(
    "POST",
    "/unfreeze",
    "unfreeze",
    _("Unfreeze a member"),
    MEMBER_EDIT,
    permissions.MEMBER_UNFROZEN,
    Button(
        "unfreeze",
        _("Unfreeze"),
        _("{name} may sign in again."),
        "unlock",
        when=lambda row: row.state == FROZEN,
        menu=True,
    ),
)
def unfreeze(member: Member) -> Member:
    """Let a frozen person in again; whatever was locked is unlocked."""
    delegation.need_manageable(member)
    member.state, member.failures, member.locked_until = ACTIVE, 0, None
    throttle.forget(member.login)
    _changed(member)
    return member


@members.acts(
    "POST",
    "/freeze",
    "freeze",
    _("Freeze a member"),
    MEMBER_EDIT,
    permissions.MEMBER_FROZEN,
    Button(
        "freeze",
        _("Freeze"),
        _("{name} is frozen."),
        "lock",
        danger=True,
        confirm=_("Freeze {name}? Sessions and tokens end at once."),
        when=lambda row: row.state != FROZEN,
        menu=True,
    ),
    errors=[YOURSELF, PERSON_ABOVE_YOU],
)
def freeze(member: Member) -> Member:
    """Refuse a person from now on: sessions and tokens end at once."""
    delegation.need_manageable(member)
    member.state = FROZEN
    _changed(member)
    logout.end_member(member.id)
    return member


def _changed(member: Member) -> None:
    touch(member)
    for tenant in directory.LocalDirectory().tenants_of(f"{MEMBER}:{member.id}"):
        directory.bump(tenant.id)
    directory.bump(delegation.me().tenant_id)
    audit.note(MEMBER, member.id, member.login)


@members.acts(
    "POST",
    "/leave",
    "leave",
    _("Remove a member from the tenant"),
    MEMBER_EDIT,
    permissions.MEMBER_LEFT,
    Button(
        "leave",
        _("Remove from the tenant"),
        _("{name} has left this tenant."),
        "log-out",
        danger=True,
        confirm=_("Remove {name} from this tenant? Roles, groups and keys here are lost."),
        menu=True,
        leaves=True,
    ),
    errors=[STILL_ADMINISTRATOR],
)
def leave(member: Member) -> None:
    """Remove a person from this tenant: roles, groups, keys, sessions and tokens of it are gone at once.

    :raises ConsoleError: IAM/STILL_ADMINISTRATOR
    """
    tenant_id = delegation.me().tenant_id
    mine = (Grant.tenant_id == tenant_id) & (Grant.principal_type == MEMBER) & (Grant.principal_id == member.id)
    if db.session.scalar(select(Grant.id).where(mine, Grant.role == TENANT_ADMIN).limit(1)):
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


@members.removes(
    _("Delete a member"),
    MEMBER_EDIT,
    permissions.MEMBER_DELETED,
    Button(
        "delete",
        _("Delete"),
        _("{name} was deleted."),
        title=_("Delete {name}?"),
        submit=_("Delete the member"),
        body=lambda _row: _("The person, their roles and keys are gone for good; what they did stays in the audit."),
    ),
    errors=[ELSEWHERE_TOO, STILL_ADMINISTRATOR, YOURSELF],
)
def remove(member: Member) -> None:
    """Delete a person for good.

    :raises ConsoleError: see :func:`delegation.need_manageable`; IAM/STILL_ADMINISTRATOR
    """
    delegation.need_manageable(member)
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
