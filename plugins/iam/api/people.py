"""Tenants, workspaces, members, groups and service accounts."""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy import select

from app.contracts.shapes import doc
from app.contracts.text import Text
from app.db import scoped
from app.web.api import In, ListQuery, Page, page
from app.web.conflicts import need_version
from plugins.iam import permissions as may
from plugins.iam import shapes
from plugins.iam.api import api
from plugins.iam.models import Group, GroupMember, Member, ServiceAccount, Tenant, Workspace
from plugins.iam.service import accounts, groups, handing, members, tenants
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


@api.operation("GET", "/iam/tenants", "iam.tenants.list", Text("List tenants", "租户列表"), may.TENANT_READ,
               query=ListQuery, returns=Page[shapes.TenantOut])  # fmt: skip
def list_tenants(query: ListQuery) -> Page[shapes.TenantOut]:
    return page(tenants.visible(), query, shapes.tenant, search=(Tenant.name, Tenant.code), **_named(Tenant))


@api.operation("POST", "/iam/tenants", "iam.tenants.create", Text("Create a tenant", "创建租户"), may.SITE_TENANTS,
               audit=may.TENANT_CREATED, body=tenants.TenantWanted, returns=shapes.TenantOut, status=201, errors=(e.TAKEN,))  # fmt: skip
def create_tenant(body: tenants.TenantWanted) -> shapes.TenantOut:
    return shapes.tenant(tenants.create(body))


@api.operation("GET", "/iam/tenants/<tenant_id>", "iam.tenants.get", Text("Show a tenant", "查看租户"), may.TENANT_READ,
               returns=shapes.TenantOut)  # fmt: skip
def get_tenant(tenant_id: shapes.TenantId) -> shapes.TenantOut:
    return shapes.tenant(tenants.get(tenant_id))


@api.operation("PATCH", "/iam/tenants/<tenant_id>", "iam.tenants.update", Text("Rename, enable or disable a tenant", "修改租户"),
               may.TENANT_EDIT, audit=may.TENANT_CHANGED, body=tenants.TenantChange, returns=shapes.TenantOut)  # fmt: skip
def change_tenant(tenant_id: shapes.TenantId, body: tenants.TenantChange) -> shapes.TenantOut:
    row = tenants.get(tenant_id)
    need_version(row)
    return shapes.tenant(tenants.change(row, body))


@api.operation("DELETE", "/iam/tenants/<tenant_id>", "iam.tenants.delete", Text("Delete an empty tenant", "删除空租户"),
               may.SITE_TENANTS, audit=may.TENANT_DELETED, status=204, errors=(e.NOT_EMPTY,))  # fmt: skip
def delete_tenant(tenant_id: shapes.TenantId) -> None:
    tenants.remove(tenants.get(tenant_id))


@api.operation("GET", "/iam/workspaces", "iam.workspaces.list", Text("List workspaces", "工作空间列表"), may.WORKSPACE_READ,
               query=ListQuery, returns=Page[shapes.WorkspaceOut])  # fmt: skip
def list_workspaces(query: ListQuery) -> Page[shapes.WorkspaceOut]:
    return page(scoped(Workspace), query, shapes.workspace, search=(Workspace.name,), **_named(Workspace))


@api.operation("POST", "/iam/workspaces", "iam.workspaces.create", Text("Create a workspace", "创建工作空间"), may.WORKSPACE_EDIT,
               audit=may.WORKSPACE_CREATED, body=tenants.WorkspaceWanted, returns=shapes.WorkspaceOut, status=201,
               errors=(e.TAKEN,))  # fmt: skip
def create_workspace(body: tenants.WorkspaceWanted) -> shapes.WorkspaceOut:
    return shapes.workspace(tenants.create_workspace(body))


@api.operation("PUT", "/iam/workspaces/<workspace_id>", "iam.workspaces.update", Text("Change a workspace", "修改工作空间"),
               may.WORKSPACE_EDIT, audit=may.WORKSPACE_CHANGED, body=tenants.WorkspaceWanted, returns=shapes.WorkspaceOut)  # fmt: skip
def change_workspace(workspace_id: shapes.WorkspaceId, body: tenants.WorkspaceWanted) -> shapes.WorkspaceOut:
    row = tenants.get_workspace(workspace_id)
    need_version(row)
    return shapes.workspace(tenants.change_workspace(row, body))


@api.operation("DELETE", "/iam/workspaces/<workspace_id>", "iam.workspaces.delete", Text("Delete an empty workspace", "删除空工作空间"),
               may.WORKSPACE_EDIT, audit=may.WORKSPACE_DELETED, status=204, errors=(e.NOT_EMPTY,))  # fmt: skip
def delete_workspace(workspace_id: shapes.WorkspaceId) -> None:
    tenants.remove_workspace(tenants.get_workspace(workspace_id))


@api.operation("GET", "/iam/members", "iam.members.list", Text("List members", "成员列表"), may.MEMBER_READ,
               query=MemberQuery, returns=Page[shapes.MemberOut])  # fmt: skip
def list_members(query: MemberQuery) -> Page[shapes.MemberOut]:
    wanted = members.of_tenant(handing.me().tenant_id)
    if query.state:
        wanted = wanted.where(Member.state == query.state)
    if query.group:
        wanted = wanted.where(Member.id.in_(select(GroupMember.member_id).where(GroupMember.group_id == groups.get(query.group).id)))
    sorts = {"login": Member.login, "name": Member.name, "createdAt": Member.created_at}
    search = (Member.login, Member.name, Member.nickname)
    return page(wanted, query, shapes.member, sorts=sorts, search=search, key=Member.id, default="login")


@api.operation("POST", "/iam/members", "iam.members.create", Text("Create a member", "创建成员"), may.MEMBER_EDIT,
               audit=may.MEMBER_CREATED, body=members.NewMember, returns=shapes.MemberOut, status=201, errors=(e.TAKEN,))  # fmt: skip
def create_member(body: members.NewMember) -> shapes.MemberOut:
    made = members.create(body)
    return shapes.member(made.member, made.password)


@api.operation("POST", "/iam/members/join", "iam.members.join", Text("Add a member to the tenant", "成员加入租户"), may.MEMBER_EDIT,
               audit=may.MEMBER_JOINED, body=Joining, returns=shapes.MemberOut)  # fmt: skip
def join_member(body: Joining) -> shapes.MemberOut:
    return shapes.member(members.join(body.login))


@api.operation("GET", "/iam/members/<member_id>", "iam.members.get", Text("Show a member", "查看成员"), may.MEMBER_READ,
               returns=shapes.MemberOut)  # fmt: skip
def get_member(member_id: shapes.MemberId) -> shapes.MemberOut:
    return shapes.member(members.get(member_id))


@api.operation("PATCH", "/iam/members/<member_id>", "iam.members.update", Text("Change a member", "修改成员"), may.MEMBER_EDIT,
               audit=may.MEMBER_CHANGED, body=members.Profile, returns=shapes.MemberOut)  # fmt: skip
def change_member(member_id: shapes.MemberId, body: members.Profile) -> shapes.MemberOut:
    row = members.get(member_id)
    need_version(row)
    return shapes.member(members.change(row, body))


@api.operation("DELETE", "/iam/members/<member_id>", "iam.members.delete", Text("Delete a member", "删除成员"), may.MEMBER_EDIT,
               audit=may.MEMBER_DELETED, status=204, errors=(e.ELSEWHERE_TOO, e.STILL_ADMINISTRATOR, e.YOURSELF))  # fmt: skip
def delete_member(member_id: shapes.MemberId) -> None:
    members.remove(members.get(member_id))


@api.operation("POST", "/iam/members/<member_id>/freeze", "iam.members.freeze", Text("Freeze a member", "冻结成员"), may.MEMBER_EDIT,
               audit=may.MEMBER_FROZEN, returns=shapes.MemberOut, errors=(e.YOURSELF, e.PERSON_ABOVE_YOU))  # fmt: skip
def freeze_member(member_id: shapes.MemberId) -> shapes.MemberOut:
    return shapes.member(members.freeze(members.get(member_id)))


@api.operation("POST", "/iam/members/<member_id>/unfreeze", "iam.members.unfreeze", Text("Unfreeze a member", "解冻成员"),
               may.MEMBER_EDIT, audit=may.MEMBER_UNFROZEN, returns=shapes.MemberOut)  # fmt: skip
def unfreeze_member(member_id: shapes.MemberId) -> shapes.MemberOut:
    return shapes.member(members.unfreeze(members.get(member_id)))


@api.operation("POST", "/iam/members/<member_id>/reset-password", "iam.members.resetPassword", Text("Reset a password", "重置密码"),
               may.MEMBER_EDIT, audit=may.MEMBER_RESET, returns=shapes.MemberOut)  # fmt: skip
def reset_password(member_id: shapes.MemberId) -> shapes.MemberOut:
    made = members.reset_password(members.get(member_id))
    return shapes.member(made.member, made.password)


@api.operation("POST", "/iam/members/<member_id>/leave", "iam.members.leave", Text("Remove a member from the tenant", "成员移出租户"),
               may.MEMBER_EDIT, audit=may.MEMBER_LEFT, status=204, errors=(e.STILL_ADMINISTRATOR,))  # fmt: skip
def leave_tenant(member_id: shapes.MemberId) -> None:
    members.leave(members.get(member_id))


@api.operation("GET", "/iam/groups", "iam.groups.list", Text("List groups", "用户组列表"), may.GROUP_READ, query=ListQuery,
               returns=Page[shapes.GroupOut])  # fmt: skip
def list_groups(query: ListQuery) -> Page[shapes.GroupOut]:
    return page(scoped(Group), query, shapes.group, search=(Group.name, Group.description), **_named(Group))


@api.operation("POST", "/iam/groups", "iam.groups.create", Text("Create a group", "创建用户组"), may.GROUP_EDIT,
               audit=may.GROUP_CREATED, body=groups.GroupWanted, returns=shapes.GroupOut, status=201, errors=(e.TAKEN,))  # fmt: skip
def create_group(body: groups.GroupWanted) -> shapes.GroupOut:
    return shapes.group(groups.create(body))


@api.operation("GET", "/iam/groups/<group_id>", "iam.groups.get", Text("Show a group", "查看用户组"), may.GROUP_READ,
               returns=shapes.GroupOut)  # fmt: skip
def get_group(group_id: shapes.GroupId) -> shapes.GroupOut:
    return shapes.group(groups.get(group_id))


@api.operation("PUT", "/iam/groups/<group_id>", "iam.groups.update", Text("Change a group", "修改用户组"), may.GROUP_EDIT,
               audit=may.GROUP_CHANGED, body=groups.GroupWanted, returns=shapes.GroupOut, errors=(e.TAKEN,))  # fmt: skip
def change_group(group_id: shapes.GroupId, body: groups.GroupWanted) -> shapes.GroupOut:
    row = groups.get(group_id)
    need_version(row)
    return shapes.group(groups.change(row, body))


@api.operation("DELETE", "/iam/groups/<group_id>", "iam.groups.delete", Text("Dissolve a group", "解散用户组"), may.GROUP_EDIT,
               audit=may.GROUP_DISSOLVED, status=204, errors=(e.ABOVE_YOU,))  # fmt: skip
def dissolve_group(group_id: shapes.GroupId) -> None:
    groups.dissolve(groups.get(group_id))


@api.operation("PUT", "/iam/groups/<group_id>/members/<member_id>", "iam.groups.addMember", Text("Put a member into a group", "用户组加入成员"),
               may.GROUP_EDIT, audit=may.GROUP_MEMBER_ADDED, status=204, errors=(e.ABOVE_YOU,))  # fmt: skip
def add_to_group(group_id: shapes.GroupId, member_id: shapes.MemberId) -> None:
    groups.add(groups.get(group_id), member_id)


@api.operation("DELETE", "/iam/groups/<group_id>/members/<member_id>", "iam.groups.removeMember", Text("Take a member out of a group", "用户组移出成员"),
               may.GROUP_EDIT, audit=may.GROUP_MEMBER_REMOVED, status=204, errors=(e.ABOVE_YOU,))  # fmt: skip
def take_out_of_group(group_id: shapes.GroupId, member_id: shapes.MemberId) -> None:
    groups.take_out(groups.get(group_id), member_id)


@api.operation("GET", "/iam/service-accounts", "iam.serviceAccounts.list", Text("List service accounts", "服务账号列表"),
               may.ACCOUNT_READ, query=ListQuery, returns=Page[shapes.AccountOut])  # fmt: skip
def list_accounts(query: ListQuery) -> Page[shapes.AccountOut]:
    return page(scoped(ServiceAccount), query, shapes.account, search=(ServiceAccount.name,), **_named(ServiceAccount))


@api.operation("POST", "/iam/service-accounts", "iam.serviceAccounts.create", Text("Create a service account", "创建服务账号"),
               may.ACCOUNT_EDIT, audit=may.ACCOUNT_CREATED, body=accounts.AccountWanted, returns=shapes.AccountOut, status=201,
               errors=(e.TAKEN,))  # fmt: skip
def create_account(body: accounts.AccountWanted) -> shapes.AccountOut:
    return shapes.account(accounts.create(body))


@api.operation("GET", "/iam/service-accounts/<account_id>", "iam.serviceAccounts.get", Text("Show a service account", "查看服务账号"),
               may.ACCOUNT_READ, returns=shapes.AccountOut)  # fmt: skip
def get_account(account_id: shapes.AccountId) -> shapes.AccountOut:
    return shapes.account(accounts.get(account_id))


@api.operation("PUT", "/iam/service-accounts/<account_id>", "iam.serviceAccounts.update", Text("Change a service account", "修改服务账号"),
               may.ACCOUNT_EDIT, audit=may.ACCOUNT_CHANGED, body=accounts.AccountWanted, returns=shapes.AccountOut)  # fmt: skip
def change_account(account_id: shapes.AccountId, body: accounts.AccountWanted) -> shapes.AccountOut:
    row = accounts.get(account_id)
    need_version(row)
    return shapes.account(accounts.change(row, body))


@api.operation("DELETE", "/iam/service-accounts/<account_id>", "iam.serviceAccounts.delete", Text("Delete a service account", "删除服务账号"),
               may.ACCOUNT_EDIT, audit=may.ACCOUNT_DELETED, status=204)  # fmt: skip
def delete_account(account_id: shapes.AccountId) -> None:
    accounts.remove(accounts.get(account_id))
