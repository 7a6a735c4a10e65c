"""Identity and access: what this plugin adds to the console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Flask, url_for

from app.contracts.declarations import (
    ChecklistItem,
    Command,
    HealthCheck,
    Job,
    NavItem,
    NavSection,
    ObjectLink,
    Periodic,
    Permission,
    Role,
    SearchProvider,
    Service,
)
from app.contracts.identity import Directory
from app.contracts.seed import Seed
from app.errors import ErrorCode
from app.guard import Operation
from app.hooks import hookimpl
from app.web.api import Api
from app.words import _
from plugins.iam import (  # noqa: F401 - some only declare what is theirs
    access_keys,
    commands,
    directory,
    errors,
    explain,
    grants,
    groups,
    joined_sites,
    members,
    oidc_clients,
    permissions,
    profile,
    roles,
    seeding,
    service_accounts,
    tenants,
    workspaces,
)
from plugins.iam.blueprint import api, bp
from plugins.iam.members import access  # noqa: F401 - importing declares their operations
from plugins.iam.members import imports as member_imports  # noqa: F401 - likewise
from plugins.iam.oidc import authorize, logout, maintenance, server
from plugins.iam.oidc import routes as oidc_routes
from plugins.iam.roles import views as role_views  # noqa: F401 - likewise
from plugins.iam.signin import routes as signin_routes
from plugins.iam.signin import service as signin


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [signin_routes.bp, oidc_routes.bp, bp]


@hookimpl
def register_apis() -> list[Api]:
    return [api]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.ALL


@hookimpl
def register_operations() -> Sequence[Operation]:
    return permissions.BY_THE_SITE


@hookimpl
def register_roles() -> list[Role]:
    own_rights = [p.name for p in permissions.ALL if not p.name.startswith(permissions.OF_THE_SITE)]
    return [
        Role(
            "tenant-administrator",
            _("Tenant administrator"),
            own_rights,
            _("Runs a tenant: members, roles, security, audit."),
            grants=["*"],
        )
    ]


@hookimpl
def register_nav() -> list[NavSection | NavItem]:
    may = permissions
    items = (
        (_("Members"), "iam.member_list", may.MEMBER_READ, ["iam.member"]),
        (_("Groups"), "iam.group_list", may.GROUP_READ, ["iam.group"]),
        (_("Service accounts"), "iam.account_list", may.ACCOUNT_READ, ["iam.account"]),
        (_("Roles"), "iam.role_list", may.ROLE_READ, ["iam.role"]),
        (_("Grants"), "iam.grant_list", may.GRANT_READ, ["iam.grant"]),
        (_("Permissions"), "iam.permission_list", may.ROLE_READ, ["iam.why"]),
        (_("Workspaces"), "iam.workspace_list", may.WORKSPACE_READ, ["iam.workspace"]),
        (_("Tenants"), "iam.tenant_list", may.TENANT_READ, ["iam.tenant"]),
        (_("OIDC clients"), "iam.client_list", may.CLIENT_READ, ["iam.client"]),
    )
    section = NavSection("iam", 80, _("IAM"), "users")
    entries = [NavItem("iam", place, *item) for place, item in enumerate(items)]
    return [section, *entries]


@hookimpl
def register_services() -> list[Service]:
    return [Service(Directory, directory.LocalDirectory, _("The directory of people and keys"))]


@hookimpl
def register_jobs() -> list[Job]:
    return [logout.NOTIFY]


@hookimpl
def register_periodic() -> list[Periodic]:
    return [
        Periodic("iam.grants.sweep", _("Remove roles that expired"), grants.sweep, every=60),
        Periodic("iam.keys.rotate", _("Rotate signing keys"), maintenance.rotate_keys, every=600),
        Periodic("iam.tokens.sweep", _("Remove expired codes, tokens and sessions"), maintenance.sweep, every=900),
    ]


@hookimpl
def register_search() -> list[SearchProvider]:
    return [
        SearchProvider(permissions.MEMBER_READ, members.find_members),
        SearchProvider(permissions.GROUP_READ, groups.find_groups),
        SearchProvider(permissions.ROLE_READ, roles.find_roles),
    ]


@hookimpl
def register_checklist() -> list[ChecklistItem]:
    return [
        ChecklistItem(
            10,
            _("Bring in your people"),
            _("Create members, or add those of other tenants, and grant them roles."),
            "iam.member_list",
            permissions.MEMBER_EDIT,
            members.others_are_in,
        )
    ]


@hookimpl
def register_health_checks() -> list[HealthCheck]:
    return [HealthCheck("iam.signing-keys", maintenance.check_keys), HealthCheck("iam.clock", maintenance.check_clock)]


@hookimpl
def register_commands() -> list[Command]:
    return [Command(commands.init), Command(commands.join_site)]


@hookimpl
def register_object_links() -> list[ObjectLink]:
    def to(endpoint: str, argument: str) -> Callable[[str], str]:
        values: Callable[[str], dict[str, Any]] = lambda identifier: {argument: identifier}  # noqa: E731
        return lambda identifier: url_for(endpoint, **values(identifier))

    return [
        ObjectLink("member", _("Member"), to("iam.member", "member_id")),
        ObjectLink("group", _("Group"), to("iam.group", "group_id")),
        ObjectLink("serviceAccount", _("Service account"), to("iam.account", "account_id")),
        ObjectLink("role", _("Role"), to("iam.role", "role_id")),
        ObjectLink("client", _("OIDC client"), to("iam.client", "client_id")),
        ObjectLink("access-key", _("AccessKey")),
        ObjectLink("tenant", _("Tenant")),
        ObjectLink("workspace", _("Workspace")),
        ObjectLink("token", _("Token")),
        ObjectLink("authorization-code", _("Authorization code")),
        ObjectLink("session", _("Session")),
    ]


@hookimpl
def register_errors() -> list[ErrorCode]:
    return [*signin.ERRORS, *errors.ALL, authorize.REFUSED, server.NOT_SECURE, joined_sites.NOT_JOINED]


@hookimpl
def seed_site(seed: Seed) -> None:
    seeding.seed(seed)


@hookimpl
def register_app(app: Flask) -> None:
    server.install(app)
