"""Identity and access: what this plugin adds to the console."""

from __future__ import annotations

from app.contracts.declarations import Role, Service
from app.contracts.identity import Directory
from app.contracts.text import Text
from app.hooks import hookimpl
from plugins.iam import directory, permissions, seeding
from plugins.iam.api import api, people, rights  # noqa: F401 - importing declares their operations
from plugins.iam.oidc import authorize, logout, server
from plugins.iam.oidc import routes as oidc_routes
from plugins.iam.service import errors
from plugins.iam.signin import routes as signin_routes
from plugins.iam.signin import service as signin


@hookimpl
def register_blueprints():
    return [signin_routes.bp, oidc_routes.bp]


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
    own = [p.name for p in permissions.ALL if not p.name.startswith(permissions.OF_THE_SITE)]
    return [
        Role(
            "tenant-administrator", Text("Tenant administrator", "空间管理员"), own,
            Text("Runs a tenant: members, roles, security, audit.", "管理租户的成员、角色、安全与审计。"), grants=["*"],
        )
    ]  # fmt: skip


@hookimpl
def register_services():
    return [Service(Directory, directory.LocalDirectory)]


@hookimpl
def register_jobs():
    return [logout.NOTIFY]


@hookimpl
def register_errors():
    return [*directory.ERRORS, *signin.ERRORS, *errors.ALL, authorize.REFUSED, server.NOT_SECURE]


@hookimpl
def seed_site(seed):
    seeding.seed(seed)


@hookimpl
def register_app(app):
    server.install(app)
