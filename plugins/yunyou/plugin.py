"""Yunyou: delivery and operation of products; what this plugin adds to the console."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, url_for

from app.contracts.declarations import (
    ChecklistItem,
    Job,
    NavItem,
    NavSection,
    ObjectLink,
    Periodic,
    Permission,
    Role,
    SearchProvider,
    Use,
)
from app.contracts.seed import Seed
from app.errors import ErrorCode
from app.hooks import hookimpl
from app.order_views.pages import how_many_wait
from app.orders.steps import StepKind
from app.orders.types import OrderType
from app.web.api import Api
from app.words import Text, _, pgettext
from plugins.yunyou import permissions, seeding
from plugins.yunyou.documents import error_codes as document_errors
from plugins.yunyou.environments import api as environments_api
from plugins.yunyou.environments import pages as environments_pages
from plugins.yunyou.environments import service as environments
from plugins.yunyou.environments.search import search_environments
from plugins.yunyou.orders import api as orders_api
from plugins.yunyou.orders import deprecated_api, object_ownership, operations, order_type, replanning, steps, targets
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders.pages import pods, redirects, releases, rollbacks
from plugins.yunyou.orders.rules import error_codes as order_errors
from plugins.yunyou.orders.search import anything_ordered, search_orders
from plugins.yunyou.planning import api as planning_api
from plugins.yunyou.planning import completion, databases, images, registry, solution_import
from plugins.yunyou.planning import pages as planning_pages
from plugins.yunyou.planning import service as planning
from plugins.yunyou.products import api as products_api
from plugins.yunyou.products import baseline
from plugins.yunyou.products import pages as products_pages
from plugins.yunyou.products.search import search_products
from plugins.yunyou.resources import load_balancers
from plugins.yunyou.solutions import api as solutions_api
from plugins.yunyou.solutions import pages as solutions_pages
from plugins.yunyou.solutions import service as solutions
from plugins.yunyou.solutions.search import search_solutions

PAGES = (
    environments_pages,
    load_balancers,
    solutions_pages,
    products_pages,
    planning_pages,
    operations,
    releases,
    rollbacks,
    pods,
    redirects,
)
APIS = (
    environments_api,
    solutions_api,
    planning_api,
    orders_api,
    products_api,
    operations,
    load_balancers,
    deprecated_api,
)
FAILING = (
    document_errors,
    order_errors,
    environments,
    solutions,
    solution_import,
    completion,
    planning,
    images,
    registry,
    databases,
    baseline,
    object_ownership,
    targets,
    orders,
    replanning,
    steps,
)


@hookimpl
def register_blueprints() -> Iterable[Blueprint]:
    return list(dict.fromkeys(module.bp for module in PAGES))


@hookimpl
def register_nav() -> Iterable[NavSection | NavItem]:
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
def register_search() -> Iterable[SearchProvider]:
    return [
        SearchProvider(permissions.SOLUTION_READ, search_solutions),
        SearchProvider(permissions.ORDER_READ, search_orders),
        SearchProvider(permissions.PRODUCT_READ, search_products),
        SearchProvider(permissions.ENVIRONMENT_READ, search_environments),
    ]


@hookimpl
def register_checklist() -> Iterable[ChecklistItem]:
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
            anything_ordered,
        ),
    ]


@hookimpl
def register_uses() -> Iterable[Use]:
    return [Use("cluster", _("environments"), environments.names_in_cluster)]


@hookimpl
def register_object_links() -> Iterable[ObjectLink]:
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
def seed_site(seed: Seed) -> None:
    seeding.seed_site(seed)


@hookimpl
def register_apis() -> Iterable[Api]:
    return list({module.api.area: module.api for module in APIS}.values())


@hookimpl
def register_permissions() -> Iterable[Permission]:
    return permissions.ALL


@hookimpl
def register_roles() -> Iterable[Role]:
    return permissions.ROLES


@hookimpl
def register_jobs() -> Iterable[Job]:
    return [images.CHECK_IMAGES]


@hookimpl
def register_steps() -> Iterable[StepKind]:
    return steps.KINDS


@hookimpl
def register_order_types() -> Iterable[OrderType]:
    return [order_type.TYPE]


@hookimpl
def register_periodic() -> Iterable[Periodic]:
    return [Periodic("yunyou.balancers", _("Addresses of load balancers"), load_balancers.reconcile, every=30)]


@hookimpl
def register_errors() -> Iterable[ErrorCode]:
    return [error for module in FAILING for error in module.ERRORS]
