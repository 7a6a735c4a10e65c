"""Who may hand out what: nobody gives more than they may give (guide 3.4), nobody touches whoever stands above them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from app import caller, site
from app.auth import decisions
from app.contracts.identity import SYSTEM, Principal
from app.db import db, scoped
from app.errors import SIGNED_OUT
from plugins.iam import catalogue
from plugins.iam.catalogue import role_of, roles_of
from plugins.iam.directory import LocalDirectory
from plugins.iam.errors import ABOVE_YOU, ELSEWHERE_TOO, PERSON_ABOVE_YOU, YOURSELF
from plugins.iam.models import Grant, Member, Membership
from plugins.iam.permissions import OF_THE_SITE, SITE_PEOPLE

ANY = "*"


def me() -> Principal:
    """The caller.

    :raises ConsoleError: CORE/SIGNED_OUT
    """
    principal = caller.current().principal
    if principal is None:
        raise SIGNED_OUT()
    return principal


def may_hand_out(permissions: Iterable[str]) -> bool:
    """Whether the caller may put these permissions into a role, or give a role that holds them."""
    if me().type == SYSTEM:
        return True
    held = set(decisions.snapshot(LocalDirectory(), me()).plain)
    beyond = {name for name in permissions if name not in held}
    if not beyond:
        return True
    return ANY in _grantable() and not any(name.startswith(OF_THE_SITE) for name in beyond)


def may_grant(role: str) -> bool:
    """Whether the caller may grant and revoke this role."""
    return role in grantable({role})


def grantable(roles: Collection[str]) -> set[str]:
    """Those of these roles that the caller may grant and revoke; read at once."""
    free = _grantable()
    found = roles_of(me().tenant_id, roles)
    return {role for role in found if role in free or may_hand_out(_reach(role, found[role][1]))}


def _reach(role: str, permissions: frozenset[str]) -> set[str]:
    """All that a role allows, on this site and on those that joined it."""
    built_in = catalogue.roles().get(role)
    elsewhere = permissions & set(catalogue.permissions())
    return decisions.expand(permissions) | elsewhere | set(built_in.permissions if built_in else ())


def need_grantable(role: str) -> None:
    """Refuse a role that is above the caller.

    :raises ConsoleError: IAM/ROLE_ABOVE_YOURS
    """
    if not may_grant(role):
        found = role_of(me().tenant_id, role)
        raise ABOVE_YOU(role=found[0] if found else role)


def need_all_grantable(kind: str, identifier: str) -> None:
    """Refuse to act as or for a group or program of this tenant that holds a role above the caller.

    :raises ConsoleError: IAM/ROLE_ABOVE_YOURS
    """
    held = scoped(Grant).where(Grant.principal_type == kind, Grant.principal_id == identifier)
    for grant in db.session.scalars(held).all():
        if role_of(grant.tenant_id, grant.role) is not None:
            need_grantable(grant.role)


def need_manageable(member: Member) -> None:
    """Refuse to act on oneself, on somebody of other tenants too, or on somebody above the caller.

    :raises ConsoleError: IAM/NOT_TO_YOURSELF, IAM/MEMBER_OF_OTHER_TENANTS, IAM/PERSON_ABOVE_YOU
    """
    if me().key == f"member:{member.id}":
        raise YOURSELF()
    directory = LocalDirectory()
    if belongs_elsewhere(member) and not decisions.allows(SITE_PEOPLE):
        raise ELSEWHERE_TOO(name=member.name)
    principal = Principal("member", member.id, member.name, member.login, me().tenant_id)
    if not all(may_grant(grant.role) for grant in directory.grants(principal)):
        raise PERSON_ABOVE_YOU(name=member.name)


def belongs_elsewhere(member: Member) -> bool:
    """Whether somebody belongs to another tenant too; one that is disabled keeps its people."""
    other = (Membership.member_id == member.id) & (Membership.tenant_id != me().tenant_id)
    return db.session.scalar(select(Membership.id).where(other).limit(1)) is not None


def may_see_contact(member: Member) -> bool:
    """Whether phone numbers of a person are the caller's business: not those of somebody of other tenants, whom anybody
    who knows a login name can add to a tenant."""
    return me().key == f"member:{member.id}" or member.places < 2 or decisions.allows(SITE_PEOPLE)


def _grantable() -> set[str]:
    """Roles that the caller's own roles allow to grant; a role under conditions allows none."""
    found: set[str] = set()
    for grant in decisions.held_by(me()):
        role = site.catalogue().roles.get(grant.role)
        if role is not None and not grant.conditions:
            found |= set(role.grants)
    return found
