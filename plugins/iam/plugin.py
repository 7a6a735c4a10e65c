"""Identity and access: what this plugin adds to the console."""

from __future__ import annotations

from flask import url_for

from app.contracts.declarations import (
    ChecklistItem,
    Command,
    HealthCheck,
    NavItem,
    NavSection,
    ObjectLink,
    Periodic,
    Role,
    SearchProvider,
    Service,
)
from app.contracts.identity import Directory
from app.contracts.text import Text
from app.hooks import hookimpl
from plugins.iam import command, directory, permissions, seeding, sites, upkeep
from plugins.iam.api import api, people, rights  # noqa: F401 - importing declares their operations
from plugins.iam.oidc import authorize, logout, server
from plugins.iam.oidc import routes as oidc_routes
from plugins.iam.pages import bp, clients, grants, groups, members, own, places, programs, roles  # noqa: F401 - likewise
from plugins.iam.service import errors
from plugins.iam.service import grants as grant_service
from plugins.iam.signin import routes as signin_routes
from plugins.iam.signin import service as signin


@hookimpl
def register_blueprints():
    return [signin_routes.bp, oidc_routes.bp, bp]


@hookimpl
def register_apis():
    return [api]


@hookimpl
def register_permissions():
    return permissions.ALL


@hookimpl
def register_operations():
    return permissions.BY_THE_SITE


@hookimpl
def register_roles():
    own_rights = [p.name for p in permissions.ALL if not p.name.startswith(permissions.OF_THE_SITE)]
    return [
        Role(
            "tenant-administrator", Text("Tenant administrator", "空间管理员"), own_rights,
            Text("Runs a tenant: members, roles, security, audit.", "管理租户的成员、角色、安全与审计。"), grants=["*"],
        )
    ]  # fmt: skip


@hookimpl
def register_nav():
    may = permissions
    items = (
        (Text("Members", "成员"), "iam.member_list", may.MEMBER_READ, ["iam.member"]),
        (Text("Groups", "用户组"), "iam.group_list", may.GROUP_READ, ["iam.group"]),
        (Text("Service accounts", "服务账号"), "iam.account_list", may.ACCOUNT_READ, ["iam.account"]),
        (Text("Roles", "角色"), "iam.role_list", may.ROLE_READ, ["iam.role"]),
        (Text("Grants", "授权"), "iam.grant_list", may.GRANT_READ, ["iam.grant"]),
        (Text("Permissions", "权限"), "iam.permission_list", may.ROLE_READ, ["iam.why"]),
        (Text("Workspaces", "工作空间"), "iam.workspace_list", may.WORKSPACE_READ, ["iam.workspace"]),
        (Text("Tenants", "租户"), "iam.tenant_list", may.TENANT_READ, ["iam.tenant"]),
        (Text("OIDC clients", "OIDC 客户端"), "iam.client_list", may.CLIENT_READ, ["iam.client"]),
    )
    section = NavSection("iam", 80, Text("IAM", "身份与访问"), "users")
    entries = [NavItem("iam", place, *item) for place, item in enumerate(items)]
    return [section, *entries]


@hookimpl
def register_services():
    return [Service(Directory, directory.LocalDirectory, Text("The directory of people and keys", "人员与密钥目录"))]


@hookimpl
def register_jobs():
    return [logout.NOTIFY]


@hookimpl
def register_periodic():
    return [
        Periodic("iam.grants.sweep", Text("Remove roles that expired", "清理到期授权"), grant_service.sweep, every=60),
        Periodic("iam.keys.rotate", Text("Rotate signing keys", "轮换签名密钥"), upkeep.rotate_keys, every=600),
        Periodic("iam.tokens.sweep", Text("Remove expired codes, tokens and sessions", "清理过期授权码、令牌与会话"), upkeep.sweep, every=900),
    ]  # fmt: skip


@hookimpl
def register_search():
    return [
        SearchProvider(permissions.MEMBER_READ, upkeep.find_members),
        SearchProvider(permissions.GROUP_READ, upkeep.find_groups),
        SearchProvider(permissions.ROLE_READ, upkeep.find_roles),
    ]


@hookimpl
def register_checklist():
    return [
        ChecklistItem(
            10, Text("Bring in your people", "添加成员"),
            Text("Create members, or add those of other tenants, and grant them roles.", "创建成员或加入其他租户的成员，并授予角色。"),
            "iam.member_list", permissions.MEMBER_EDIT, upkeep.others_are_in,
        )
    ]  # fmt: skip


@hookimpl
def register_health_checks():
    return [HealthCheck("iam.signing-keys", upkeep.check_keys), HealthCheck("iam.clock", upkeep.check_clock)]


@hookimpl
def register_commands():
    return [Command(command.init), Command(command.join_site)]


@hookimpl
def register_object_links():
    def to(endpoint: str, argument: str):
        return lambda identifier: url_for(endpoint, **{argument: identifier})

    return [
        ObjectLink("member", Text("Member", "成员"), to("iam.member", "member_id")),
        ObjectLink("group", Text("Group", "用户组"), to("iam.group", "group_id")),
        ObjectLink("serviceAccount", Text("Service account", "服务账号"), to("iam.account", "account_id")),
        ObjectLink("role", Text("Role", "角色"), to("iam.role", "role_id")),
        ObjectLink("client", Text("OIDC client", "OIDC 客户端"), to("iam.client", "client_id")),
        ObjectLink("access-key", Text("AccessKey", "AccessKey")),
        ObjectLink("tenant", Text("Tenant", "租户")),
        ObjectLink("workspace", Text("Workspace", "工作空间")),
        ObjectLink("token", Text("Token", "令牌")),
        ObjectLink("authorization-code", Text("Authorization code", "授权码")),
        ObjectLink("session", Text("Session", "会话")),
    ]


@hookimpl
def register_errors():
    return [*signin.ERRORS, *errors.ALL, authorize.REFUSED, server.NOT_SECURE, sites.NOT_JOINED]


@hookimpl
def seed_site(seed):
    seeding.seed(seed)


@hookimpl
def register_app(app):
    server.install(app)
