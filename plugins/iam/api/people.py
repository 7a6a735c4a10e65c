"""Tenants, workspaces, members, groups and service accounts."""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy import select

from app.contracts.shapes import doc
from app.db import scoped
from app.web.api import In, ListQuery, Page, page
from app.web.conflicts import need_version
from app.words import _
from plugins.iam import groups, shapes
from plugins.iam import permissions as may
from plugins.iam.api import api
from plugins.iam.models import GroupMember, Member, ServiceAccount, Tenant
from plugins.iam.service import accounts, handing, members, tenants
from plugins.iam.service import errors as e


class Joining(In):
    """Whom to add: login name or identifier."""

    login: Annotated[str, doc("Login name or identifier of the member.")]


class MemberQuery(ListQuery):
    """Filters of the list of members."""

    state: Annotated[str, doc("Only members in this state: `active` or `frozen`.")] = ""
    group: Annotated[str, doc("Only members of the group with this identifier.")] = ""


def _named(model: Any) -> dict[str, Any]:
    """How rows of *model* are sorted and told apart."""
    return {"sorts": {"name": model.name, "createdAt": model.created_at}, "key": model.id, "default": "name"}


@api.operation(
    "GET",
    "/iam/tenants",
    "iam.tenants.list",
    _("List tenants"),
    may.TENANT_READ,
    query=ListQuery,
    returns=Page[shapes.TenantOut],
)
def list_tenants(query: ListQuery) -> Page[shapes.TenantOut]:
    return page(tenants.visible(), query, shapes.tenant, search=(Tenant.name, Tenant.code), **_named(Tenant))


@api.operation(
    "POST",
    "/iam/tenants",
    "iam.tenants.create",
    _("Create a tenant"),
    may.SITE_TENANTS,
    audit=may.TENANT_CREATED,
    body=tenants.TenantWanted,
    returns=shapes.TenantOut,
    status=201,
    errors=(e.TAKEN,),
)
def create_tenant(body: tenants.TenantWanted) -> shapes.TenantOut:
    return shapes.tenant(tenants.create(body))


@api.operation(
    "GET", "/iam/tenants/<tenant_id>", "iam.tenants.get", _("Show a tenant"), may.TENANT_READ, returns=shapes.TenantOut
)
def get_tenant(tenant_id: shapes.TenantId) -> shapes.TenantOut:
    return shapes.tenant(tenants.get(tenant_id))


@api.operation(
    "PATCH",
    "/iam/tenants/<tenant_id>",
    "iam.tenants.update",
    _("Rename, enable or disable a tenant"),
    may.TENANT_EDIT,
    audit=may.TENANT_CHANGED,
    body=tenants.TenantChange,
    returns=shapes.TenantOut,
)
def change_tenant(tenant_id: shapes.TenantId, body: tenants.TenantChange) -> shapes.TenantOut:
    row = tenants.get(tenant_id)
    need_version(row)
    return shapes.tenant(tenants.change(row, body))


@api.operation(
    "DELETE",
    "/iam/tenants/<tenant_id>",
    "iam.tenants.delete",
    _("Delete an empty tenant"),
    may.SITE_TENANTS,
    audit=may.TENANT_DELETED,
    status=204,
    errors=(e.NOT_EMPTY,),
)
def delete_tenant(tenant_id: shapes.TenantId) -> None:
    tenants.remove(tenants.get(tenant_id))


@api.operation(
    "GET",
    "/iam/members",
    "iam.members.list",
    _("List members"),
    may.MEMBER_READ,
    query=MemberQuery,
    returns=Page[shapes.MemberOut],
)
def list_members(query: MemberQuery) -> Page[shapes.MemberOut]:
    wanted = members.of_tenant(handing.me().tenant_id)
    if query.state:
        wanted = wanted.where(Member.state == query.state)
    if query.group:
        wanted = wanted.where(
            Member.id.in_(select(GroupMember.member_id).where(GroupMember.group_id == groups.get(query.group).id))
        )
    sorts = {"login": Member.login, "name": Member.name, "createdAt": Member.created_at}
    search = (Member.login, Member.name, Member.nickname)
    return page(wanted, query, shapes.member, sorts=sorts, search=search, key=Member.id, default="login")


@api.operation(
    "POST",
    "/iam/members",
    "iam.members.create",
    _("Create a member"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_CREATED,
    body=members.NewMember,
    returns=shapes.MemberOut,
    status=201,
    errors=(e.TAKEN,),
)
def create_member(body: members.NewMember) -> shapes.MemberOut:
    made = members.create(body)
    return shapes.member(made.member, made.password)


@api.operation(
    "POST",
    "/iam/members/join",
    "iam.members.join",
    _("Add a member to the tenant"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_JOINED,
    body=Joining,
    returns=shapes.MemberOut,
)
def join_member(body: Joining) -> shapes.MemberOut:
    return shapes.member(members.join(body.login))


@api.operation(
    "GET", "/iam/members/<member_id>", "iam.members.get", _("Show a member"), may.MEMBER_READ, returns=shapes.MemberOut
)
def get_member(member_id: shapes.MemberId) -> shapes.MemberOut:
    return shapes.member(members.get(member_id))


@api.operation(
    "PATCH",
    "/iam/members/<member_id>",
    "iam.members.update",
    _("Change a member"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_CHANGED,
    body=members.Profile,
    returns=shapes.MemberOut,
)
def change_member(member_id: shapes.MemberId, body: members.Profile) -> shapes.MemberOut:
    row = members.get(member_id)
    need_version(row)
    return shapes.member(members.change(row, body))


@api.operation(
    "DELETE",
    "/iam/members/<member_id>",
    "iam.members.delete",
    _("Delete a member"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_DELETED,
    status=204,
    errors=(e.ELSEWHERE_TOO, e.STILL_ADMINISTRATOR, e.YOURSELF),
)
def delete_member(member_id: shapes.MemberId) -> None:
    members.remove(members.get(member_id))


@api.operation(
    "POST",
    "/iam/members/<member_id>/freeze",
    "iam.members.freeze",
    _("Freeze a member"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_FROZEN,
    returns=shapes.MemberOut,
    errors=(e.YOURSELF, e.PERSON_ABOVE_YOU),
)
def freeze_member(member_id: shapes.MemberId) -> shapes.MemberOut:
    return shapes.member(members.freeze(members.get(member_id)))


@api.operation(
    "POST",
    "/iam/members/<member_id>/unfreeze",
    "iam.members.unfreeze",
    _("Unfreeze a member"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_UNFROZEN,
    returns=shapes.MemberOut,
)
def unfreeze_member(member_id: shapes.MemberId) -> shapes.MemberOut:
    return shapes.member(members.unfreeze(members.get(member_id)))


@api.operation(
    "POST",
    "/iam/members/<member_id>/reset-password",
    "iam.members.resetPassword",
    _("Reset a password"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_RESET,
    returns=shapes.MemberOut,
)
def reset_password(member_id: shapes.MemberId) -> shapes.MemberOut:
    made = members.reset_password(members.get(member_id))
    return shapes.member(made.member, made.password)


@api.operation(
    "POST",
    "/iam/members/<member_id>/leave",
    "iam.members.leave",
    _("Remove a member from the tenant"),
    may.MEMBER_EDIT,
    audit=may.MEMBER_LEFT,
    status=204,
    errors=(e.STILL_ADMINISTRATOR,),
)
def leave_tenant(member_id: shapes.MemberId) -> None:
    members.leave(members.get(member_id))


@api.operation(
    "GET",
    "/iam/service-accounts",
    "iam.serviceAccounts.list",
    _("List service accounts"),
    may.ACCOUNT_READ,
    query=ListQuery,
    returns=Page[shapes.AccountOut],
)
def list_accounts(query: ListQuery) -> Page[shapes.AccountOut]:
    return page(scoped(ServiceAccount), query, shapes.account, search=(ServiceAccount.name,), **_named(ServiceAccount))


@api.operation(
    "POST",
    "/iam/service-accounts",
    "iam.serviceAccounts.create",
    _("Create a service account"),
    may.ACCOUNT_EDIT,
    audit=may.ACCOUNT_CREATED,
    body=accounts.AccountWanted,
    returns=shapes.AccountOut,
    status=201,
    errors=(e.TAKEN,),
)
def create_account(body: accounts.AccountWanted) -> shapes.AccountOut:
    return shapes.account(accounts.create(body))


@api.operation(
    "GET",
    "/iam/service-accounts/<account_id>",
    "iam.serviceAccounts.get",
    _("Show a service account"),
    may.ACCOUNT_READ,
    returns=shapes.AccountOut,
)
def get_account(account_id: shapes.AccountId) -> shapes.AccountOut:
    return shapes.account(accounts.get(account_id))


@api.operation(
    "PUT",
    "/iam/service-accounts/<account_id>",
    "iam.serviceAccounts.update",
    _("Change a service account"),
    may.ACCOUNT_EDIT,
    audit=may.ACCOUNT_CHANGED,
    body=accounts.AccountWanted,
    returns=shapes.AccountOut,
)
def change_account(account_id: shapes.AccountId, body: accounts.AccountWanted) -> shapes.AccountOut:
    row = accounts.get(account_id)
    need_version(row)
    return shapes.account(accounts.change(row, body))


@api.operation(
    "DELETE",
    "/iam/service-accounts/<account_id>",
    "iam.serviceAccounts.delete",
    _("Delete a service account"),
    may.ACCOUNT_EDIT,
    audit=may.ACCOUNT_DELETED,
    status=204,
)
def delete_account(account_id: shapes.AccountId) -> None:
    accounts.remove(accounts.get(account_id))
