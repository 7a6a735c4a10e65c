"""Yunyou: delivery and operation of products; what this plugin adds to the console."""

from __future__ import annotations

from flask import url_for

from app.contracts.declarations import ChecklistItem, NavItem, NavSection, ObjectLink, Periodic, SearchProvider, Use
from app.hooks import hookimpl
from app.order_views.pages import how_many_wait
from app.words import Text, _, pgettext
from plugins.yunyou import (
    api,
    balancers,
    baselines,
    closing,
    environments,
    importing,
    jobs,
    lifecycle,
    order_aliases,
    order_type,
    orders,
    ownership,
    permissions,
    planning,
    registry,
    resources,
    searching,
    seeding,
    solutions,
    targets,
)
from plugins.yunyou.domain.codes import ERRORS as DOMAIN_ERRORS
from plugins.yunyou.pages import BLUEPRINTS
from plugins.yunyou.steps import ERRORS as STEP_ERRORS
from plugins.yunyou.steps import KINDS


@hookimpl
def register_blueprints():
    return BLUEPRINTS


@hookimpl
def register_nav():
    return [
        NavSection("delivery", 10, _("Delivery"), "rocket"),
        NavItem(
            "delivery",
            10,
            _("Solutions"),
            "yunyou_solutions.solution_list",
            permissions.SOLUTION_READ,
            under=("yunyou_solutions", "yunyou_releases"),
        ),
        _orders(20, "release", _("All release orders")),
        _orders(30, "operation", _("All operation orders")),
        _orders(40, "test", _("Automated tests")),
        NavSection("operation", 20, pgettext("navigation", "Operation"), "box"),
        NavItem(
            "operation",
            10,
            _("Product baseline"),
            "yunyou_products.product_list",
            permissions.PRODUCT_READ,
            under=("yunyou_products.product", "yunyou_products.application", "yunyou_rollbacks.product"),
        ),
        NavItem("operation", 20, _("Load balancers"), "yunyou_products.balancer_list", permissions.RESOURCE_READ),
        NavItem(
            "operation",
            30,
            _("Environments"),
            "yunyou_environments.environment_list",
            permissions.ENVIRONMENT_READ,
            under=("yunyou_environments",),
        ),
    ]


def _orders(place: int, type: str, title: Text) -> NavItem:
    """The view of a type of orders in the list of all."""
    query = {"plugin": orders.PLUGIN, "type": type}
    return NavItem(
        "delivery",
        place,
        title,
        "orders.order_list",
        permissions.ORDER_READ,
        under=("orders.", "yunyou_rollbacks.order"),
        waits=lambda: how_many_wait(orders.PLUGIN, type),
        query=query,
    )


@hookimpl
def register_search():
    return [
        SearchProvider(permissions.SOLUTION_READ, searching.solutions),
        SearchProvider(permissions.ORDER_READ, searching.orders),
        SearchProvider(permissions.PRODUCT_READ, searching.applications),
        SearchProvider(permissions.ENVIRONMENT_READ, searching.environments),
    ]


@hookimpl
def register_checklist():
    return [
        ChecklistItem(
            20,
            _("Add an environment"),
            _("A namespace of a cluster that products are delivered to."),
            "yunyou_environments.environment_new",
            permissions.ENVIRONMENT_EDIT,
            lambda: bool(environments.list_environments()),
        ),
        ChecklistItem(
            30,
            _("Import a solution"),
            _("The JSON file that describes what shall run."),
            "yunyou_solutions.solution_new",
            permissions.SOLUTION_IMPORT,
            lambda: bool(solutions.list_solutions()),
        ),
        ChecklistItem(
            40,
            _("Release it"),
            _("Preview exactly what is sent, then watch it happen."),
            "yunyou_solutions.solution_list",
            permissions.RELEASE,
            searching.anything_ordered,
        ),
    ]


@hookimpl
def register_uses():
    return [Use("cluster", _("environments"), environments.names_in_cluster)]


@hookimpl
def register_object_links():
    return [
        ObjectLink("solution", _("Solution"), lambda i: url_for("yunyou_solutions.solution_show", solution_id=i)),
        ObjectLink(
            "environment",
            _("Environment"),
            lambda i: url_for("yunyou_environments.environment_show", environment_id=i),
            environments.name_of,
        ),
    ]


@hookimpl(tryfirst=True)  # the clusters and zones of other plugins are there by then
def seed_site(seed):
    seeding.seed_site(seed)


@hookimpl
def register_apis():
    return [api.api, order_aliases.api]


@hookimpl
def register_permissions():
    return permissions.ALL


@hookimpl
def register_roles():
    return permissions.ROLES


@hookimpl
def register_jobs():
    return [jobs.CHECK_IMAGES]


@hookimpl
def register_steps():
    return KINDS


@hookimpl
def register_order_types():
    return [order_type.TYPE]


@hookimpl
def register_periodic():
    return [Periodic("yunyou.balancers", _("Addresses of load balancers"), balancers.reconcile, every=30)]


@hookimpl
def register_errors():
    return [
        *DOMAIN_ERRORS,
        *environments.ERRORS,
        *solutions.ERRORS,
        *importing.ERRORS,
        *closing.ERRORS,
        *planning.ERRORS,
        *registry.ERRORS,
        *baselines.ERRORS,
        *ownership.ERRORS,
        *targets.ERRORS,
        *orders.ERRORS,
        *lifecycle.ERRORS,
        *STEP_ERRORS,
        *resources.ERRORS,
    ]
