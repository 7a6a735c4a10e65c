"""Captain: the Kubernetes console; what this plugin adds."""

from __future__ import annotations

from app.contracts.declarations import NavItem, NavSection
from app.hooks import hookimpl
from app.words import _
from plugins.captain import (
    actions,
    api,
    object_routes,
    pages,
    pod_routes,
    routes,
    seeding,
    shell,
    watchers,
)
from plugins.captain import permissions as rights

# Their views are on one blueprint; importing them puts them there.
PAGES = (routes, object_routes, pod_routes)


@hookimpl
def register_blueprints():
    return [pages.bp]


@hookimpl
def register_apis():
    return [api.api]


@hookimpl
def register_permissions():
    return rights.ALL


@hookimpl
def register_operations():
    return [rights.SHELL_OPENED, rights.SHELL_CLOSED]


@hookimpl
def register_nav():
    return [
        NavSection("captain", 40, _("Clusters"), "server"),
        NavItem("captain", 10, _("Clusters"), "captain.cluster_list", rights.CLUSTER_READ, under=("captain.",)),
    ]


@hookimpl
def register_errors():
    return [*actions.ERRORS, *shell.ERRORS]


@hookimpl
def register_search():
    return watchers.providers()


@hookimpl
def register_metrics():
    return watchers.metrics()


@hookimpl
def register_checklist():
    return watchers.checklist()


@hookimpl
def register_health_checks():
    return watchers.checks()


@hookimpl
def register_object_links():
    return watchers.links()


@hookimpl
def seed_site(seed):
    seeding.seed(seed)


@hookimpl
def register_app(app):
    pod_routes.install(app)
