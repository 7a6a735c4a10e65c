"""Pages of tenants and workspaces."""

from __future__ import annotations

from flask import Response, request, url_for

from app.contracts.text import Text
from app.db import scoped
from app.guard import guard
from app.web.forms import parse
from app.web.frame import why_not
from app.web.listing import Column, Listing
from app.web.render import go
from app.web.table import Action, Empty
from plugins.iam import permissions as may
from plugins.iam.models import ACTIVE, Tenant, Workspace
from plugins.iam.pages import bp, common
from plugins.iam.pages.common import CREATED, DELETED, EDIT, SAVE, SAVED, Form, act, date_cell, dialog, state_cell
from plugins.iam.pages.programs import FIELDS
from plugins.iam.service import tenants

TENANTS, SPACES = Text("Tenants", "租户"), Text("Workspaces", "工作空间")


@bp.get("/iam/tenants")
@guard(may.TENANT_READ)
def tenant_list() -> Response:
    listing = Listing(
        "tenants",
        tenants.visible(),
        [
            Column("name", Text("Name", "名称"), lambda r: r.name, sort=Tenant.name, narrow=True),
            Column("code", Text("Code", "编码"), lambda r: r.code, kind="mono", sort=Tenant.code),
            Column("id", Text("Tenant ID", "租户 ID"), lambda r: r.id, kind="mono"),
            Column("state", Text("State", "状态"), lambda r: state_cell(r.state), sort=Tenant.state, narrow=True),
            Column("created", Text("Created", "创建时间"), lambda r: date_cell(r.created_at), sort=Tenant.created_at),
        ],
        search=(Tenant.name, Tenant.code, Tenant.id),
        default_sort="name",
        actions=_tenant_actions,
        empty=Empty(TENANTS, Text("A tenant is a subsidiary or department with its own people and rights.", "租户是拥有独立人员与权限的子公司或部门。")),
    )  # fmt: skip
    reason = why_not(may.SITE_TENANTS)
    new = Action(Text("New tenant", "新建租户"), url_for(".tenant_new"), dialog=True, primary=True, icon="plus", disabled_reason=reason)
    return common.listed(listing, TENANTS, [new])


def _tenant_actions(row: Tenant) -> list[Action]:
    edit = why_not(may.TENANT_EDIT)
    site = why_not(may.SITE_TENANTS)
    off = row.state == ACTIVE
    question = Text("Disable {name}? Everybody in it is signed out at once.", "停用 {name}？其全部人员将立即退出。").format(name=row.name)
    return [
        act(Text("Rename", "重命名"), url_for(".tenant_edit", tenant_id=row.id), dialog=True, icon="pencil", disabled_reason=edit),
        act(Text("Disable", "停用") if off else Text("Enable", "启用"), url_for(".tenant_state", tenant_id=row.id, enabled=0 if off else 1),
            danger=off, confirm=question if off else None, icon="power", disabled_reason=site),
        act(Text("Delete", "删除"), url_for(".tenant_delete", tenant_id=row.id), danger=True, icon="trash-2", disabled_reason=site,
            confirm=Text("Delete the tenant {name}? Only an empty one can be deleted.", "删除租户 {name}？仅可删除空租户。").format(name=row.name)),
    ]  # fmt: skip


def _tenant_form(row: Tenant | None = None) -> Form:
    name = {"name": "name", "label": Text("Name", "名称"), "required": True}
    if row is not None:
        title = Text("Rename {name}", "重命名 {name}").format(name=row.name)
        return Form(title, url_for(".tenant_edit", tenant_id=row.id), SAVE, [name], values={"name": row.name}, row=row)
    return Form(
        Text("New tenant", "新建租户"), url_for(".tenant_new"), Text("Create the tenant", "创建租户"),
        [name, {"name": "code", "label": Text("Code", "编码"), "required": True, "mono": True,
            "help": Text("Letters, digits and hyphens. Stays for ever.", "字母、数字与连字符，创建后不可修改。")},
         {"name": "administrator", "label": Text("First administrator", "首位管理员"), "help": Text("The login name of a member.", "成员的登录名。")}],
    )  # fmt: skip


@dialog("/iam/tenants/new", may.SITE_TENANTS, may.TENANT_CREATED, _tenant_form)
def tenant_new() -> Response:
    row = tenants.create(parse(tenants.TenantWanted))
    return common.done(url_for(".tenant_list"), CREATED.format(name=row.name))


@dialog("/iam/tenants/<tenant_id>/edit", may.TENANT_EDIT, may.TENANT_CHANGED, _tenant_form, tenants.get)
def tenant_edit(row: Tenant) -> Response:
    tenants.change(row, tenants.TenantChange(name=request.form.get("name", "")))
    return common.done(url_for(".tenant_list"), SAVED)


@bp.post("/iam/tenants/<tenant_id>/state")
@guard(may.SITE_TENANTS, audit=may.TENANT_CHANGED)
def tenant_state(tenant_id: str) -> Response:
    row = tenants.change(tenants.get(tenant_id), tenants.TenantChange(enabled=request.args.get("enabled") == "1"))
    on = Text("{name} is enabled.", "{name} 已启用。") if row.state == ACTIVE else Text("{name} is disabled.", "{name} 已停用。")
    return go(url_for(".tenant_list"), on.format(name=row.name))


@bp.post("/iam/tenants/<tenant_id>/delete")
@guard(may.SITE_TENANTS, audit=may.TENANT_DELETED)
def tenant_delete(tenant_id: str) -> Response:
    row = tenants.get(tenant_id)
    name = row.name
    tenants.remove(row)
    return go(url_for(".tenant_list"), DELETED.format(name=name))


@bp.get("/iam/workspaces")
@guard(may.WORKSPACE_READ)
def workspace_list() -> Response:
    listing = Listing(
        "workspaces",
        scoped(Workspace),
        [
            Column("name", Text("Name", "名称"), lambda r: r.name, sort=Workspace.name, narrow=True),
            Column("description", Text("Description", "描述"), lambda r: r.description),
            Column("id", Text("Workspace ID", "工作空间 ID"), lambda r: r.id, kind="mono"),
            Column("created", Text("Created", "创建时间"), lambda r: date_cell(r.created_at), sort=Workspace.created_at),
        ],
        search=(Workspace.name, Workspace.description),
        default_sort="name",
        actions=_space_actions,
        empty=Empty(SPACES, Text("A workspace separates what one tenant runs, such as production and test.", "工作空间用于隔离租户内的环境，例如生产与测试。")),
    )  # fmt: skip
    new = Action(Text("New workspace", "新建工作空间"), url_for(".workspace_new"), dialog=True, primary=True, icon="plus", disabled_reason=why_not(may.WORKSPACE_EDIT))
    return common.listed(listing, SPACES, [new])


def _space_actions(row: Workspace) -> list[Action]:
    return [
        act(Text("Edit", "编辑"), url_for(".workspace_edit", workspace_id=row.id), dialog=True, icon="pencil", disabled_reason=why_not(may.WORKSPACE_EDIT)),
        act(Text("Delete", "删除"), url_for(".workspace_delete", workspace_id=row.id), danger=True, icon="trash-2", disabled_reason=why_not(may.WORKSPACE_EDIT),
            confirm=Text("Delete the workspace {name}? Only an empty one can be deleted.", "删除工作空间 {name}？仅可删除空的工作空间。").format(name=row.name)),
    ]  # fmt: skip


def _space_form(row: Workspace | None = None) -> Form:
    if row is None:
        return Form(Text("New workspace", "新建工作空间"), url_for(".workspace_new"), Text("Create the workspace", "创建工作空间"), FIELDS)
    title = EDIT.format(name=row.name)
    values = {"name": row.name, "description": row.description}
    return Form(title, url_for(".workspace_edit", workspace_id=row.id), SAVE, FIELDS, values=values, row=row)


@dialog("/iam/workspaces/new", may.WORKSPACE_EDIT, may.WORKSPACE_CREATED, _space_form)
def workspace_new() -> Response:
    row = tenants.create_workspace(parse(tenants.WorkspaceWanted))
    return common.done(url_for(".workspace_list"), CREATED.format(name=row.name))


@dialog("/iam/workspaces/<workspace_id>/edit", may.WORKSPACE_EDIT, may.WORKSPACE_CHANGED, _space_form, tenants.get_workspace)
def workspace_edit(row: Workspace) -> Response:
    tenants.change_workspace(row, parse(tenants.WorkspaceWanted))
    return common.done(url_for(".workspace_list"), SAVED)


@bp.post("/iam/workspaces/<workspace_id>/delete")
@guard(may.WORKSPACE_EDIT, audit=may.WORKSPACE_DELETED)
def workspace_delete(workspace_id: str) -> Response:
    row = tenants.get_workspace(workspace_id)
    name = row.name
    tenants.remove_workspace(row)
    return go(url_for(".workspace_list"), DELETED.format(name=name))
