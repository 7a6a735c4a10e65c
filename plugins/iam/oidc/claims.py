"""What the provider says about a person: claims of ID tokens and of userinfo (OpenID Connect Core 1.0, 5.1 and 5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.db import db
from plugins.iam import principals
from plugins.iam.models import ACTIVE, Group, GroupMember, Member

Claims = dict[str, object]


def live_member(member_id: str) -> Member | None:
    """The member, unless frozen or gone."""
    member = db.session.get(Member, member_id)
    return member if member is not None and member.state == ACTIVE else None


def tenant_for(member_id: str, wanted: str | None) -> str | None:
    """The tenant that a token is for: the client's; without one, the only tenant that the person has.

    :returns: None when there is no such membership
    """
    mine = [tenant.id for tenant in principals.tenants_of(f"member:{member_id}")]
    if wanted:
        return wanted if wanted in mine else None
    return mine[0] if len(mine) == 1 else None


def about(member: Member, scope: str, tenant_id: str | None) -> Claims:
    """The claims that the scopes ask for."""
    scopes = scope.split()
    found: Claims = {"sub": member.id}
    if "profile" in scopes:
        found |= {"name": member.name, "preferred_username": member.login}
        if member.nickname:
            found["nickname"] = member.nickname
    if "email" in scopes and "@" in member.login:
        found |= {"email": member.login, "email_verified": True}
    if tenant_id:
        found |= _place(member, scopes, tenant_id)
    return found


def _place(member: Member, scopes: Sequence[str], tenant_id: str) -> Claims:
    found: Claims = {"tenant": tenant_id}
    spaces = principals.workspaces_of(tenant_id)
    if len(spaces) == 1:
        found["workspace"] = spaces[0].id
    if "groups" in scopes:
        mine = select(Group.name).join(GroupMember, GroupMember.group_id == Group.id)
        mine = mine.where(GroupMember.member_id == member.id, Group.tenant_id == tenant_id).order_by(Group.name)
        found["groups"] = list(db.session.scalars(mine))
    principal = principals.find_principal(f"member:{member.id}", tenant_id)
    if "roles" in scopes and principal is not None:
        found["roles"] = sorted({grant.role for grant in principals.grants_of(principal)})
    return found


def seconds(moment: datetime | None) -> int:
    """A NumericDate (RFC 7519)."""
    return int(moment.timestamp()) if moment else 0
