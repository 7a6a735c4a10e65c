"""Captain: the Kubernetes console; what this plugin adds."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Flask

from app.contracts.declarations import (
    ChecklistItem,
    HealthCheck,
    Metric,
    NavItem,
    NavSection,
    ObjectLink,
    Permission,
    SearchProvider,
)
from app.contracts.seed import Seed
from app.errors import ErrorCode
from app.guard import Operation
from app.hooks import hookimpl
from app.orders.steps import StepKind
from app.orders.types import OrderType
from app.web.api import Api
from app.words import _
from plugins.captain import blueprint, namespaces, permissions, workloads
from plugins.captain.clusters import api as cluster_api
from plugins.captain.clusters import health, seeding
from plugins.captain.clusters import views as cluster_views
from plugins.captain.nodes import api as node_api
from plugins.captain.nodes import orders as node_orders
from plugins.captain.nodes import views as node_views
from plugins.captain.objects import api as object_api
from plugins.captain.objects import search
from plugins.captain.objects import views as object_views
from plugins.captain.pods import api as pod_api
from plugins.captain.pods import eviction, logs, shell
from plugins.captain.pods import views as pod_views

# The modules of each subject that put pages on the blueprint and operations on the API.
SUBJECTS = (
    (cluster_views, cluster_api),
    (node_views, node_api, node_orders),
    (namespaces,),
    (workloads,),
    (pod_views, logs, shell, eviction, pod_api),
    (object_views, object_api),
)


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [blueprint.bp]


@hookimpl
def register_apis() -> list[Api]:
    return [blueprint.api]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.ALL


@hookimpl
def register_operations() -> list[Operation]:
    return [permissions.SHELL_OPENED, permissions.SHELL_CLOSED]


@hookimpl
def register_nav() -> list[NavSection | NavItem]:
    orders, read = {"plugin": "captain"}, permissions.NODE_READ
    return [
        NavSection("captain", 40, _("Clusters"), "server"),
        NavItem("captain", 10, _("Clusters"), "captain.cluster_list", permissions.CLUSTER_READ, under=("captain.",)),
        NavItem("captain", 20, _("Operation orders"), "orders.order_list", read, under=("orders.",), query=orders),
    ]


@hookimpl
def register_errors() -> list[ErrorCode]:
    return [*eviction.ERRORS, *shell.ERRORS, *node_orders.ERRORS]


@hookimpl
def register_order_types() -> list[OrderType]:
    return [node_orders.TYPE]


@hookimpl
def register_steps() -> Sequence[StepKind]:
    return node_orders.STEPS


@hookimpl
def register_search() -> list[SearchProvider]:
    return [health.SEARCH, *search.SEARCH]


@hookimpl
def register_metrics() -> list[Metric]:
    return [health.METRIC, *search.METRICS]


@hookimpl
def register_checklist() -> list[ChecklistItem]:
    return [health.FIRST_STEP]


@hookimpl
def register_health_checks() -> list[HealthCheck]:
    return [health.CHECK]


@hookimpl
def register_object_links() -> list[ObjectLink]:
    return [health.LINK, pod_views.LINK]


@hookimpl
def seed_site(seed: Seed) -> None:
    seeding.seed(seed)


@hookimpl
def register_app(app: Flask) -> None:
    shell.install(app)
