"""Yunyou: delivery and operation of products; what this plugin adds to the console."""

from __future__ import annotations

from flask import url_for

from app.contracts.declarations import ChecklistItem, NavItem, NavSection, ObjectLink, Periodic, SearchProvider, Use
from app.contracts.text import Text
from app.hooks import hookimpl
from plugins.yunyou import (
    api,
    balancers,
    baselines,
    closing,
    environments,
    importing,
    jobs,
    lifecycle,
    order_api,
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
from plugins.yunyou.pages.orders import how_many_wait
from plugins.yunyou.steps import ERRORS as STEP_ERRORS
from plugins.yunyou.steps import KINDS


@hookimpl
def register_blueprints():
    return BLUEPRINTS


@hookimpl
def register_nav():
    return [
        NavSection("delivery", 10, Text("Delivery", "交付升级"), "rocket"),
        NavItem("delivery", 10, Text("Solutions", "解决方案"), "yunyou_solutions.solution_list", permissions.SOLUTION_READ,
                under=("yunyou_solutions", "yunyou_releases")),
        NavItem("delivery", 20, Text("Orders", "全部执行单"), "yunyou_orders.order_list", permissions.ORDER_READ,
                under=("yunyou_orders", "yunyou_rollbacks.order"), waits=how_many_wait),
        NavSection("operation", 20, Text("Operation", "产品运维"), "box"),
        NavItem("operation", 10, Text("Product baseline", "产品基线"), "yunyou_products.product_list", permissions.PRODUCT_READ,
                under=("yunyou_products.product", "yunyou_products.application", "yunyou_rollbacks.product")),
        NavItem("operation", 20, Text("Load balancers", "负载均衡"), "yunyou_products.balancer_list", permissions.RESOURCE_READ),
        NavItem("operation", 30, Text("Environments", "环境管理"), "yunyou_environments.environment_list", permissions.ENVIRONMENT_READ,
                under=("yunyou_environments",)),
    ]  # fmt: skip


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
        ChecklistItem(20, Text("Add an environment", "新增环境"), Text("A namespace of a cluster that products are delivered to.", "用于交付产品的集群命名空间。"),
                      "yunyou_environments.environment_new", permissions.ENVIRONMENT_EDIT, lambda: bool(environments.list_environments())),
        ChecklistItem(30, Text("Import a solution", "导入解决方案"), Text("The JSON file that describes what shall run.", "描述环境终态的 JSON 文件。"),
                      "yunyou_solutions.solution_new", permissions.SOLUTION_IMPORT, lambda: bool(solutions.list_solutions())),
        ChecklistItem(40, Text("Release it", "发布"), Text("Preview exactly what is sent, then watch it happen.", "预览将下发的内容，然后实时观察发布过程。"),
                      "yunyou_solutions.solution_list", permissions.RELEASE, searching.anything_ordered),
    ]  # fmt: skip


@hookimpl
def register_uses():
    return [Use("cluster", Text("environments", "环境"), environments.names_in_cluster)]


@hookimpl
def register_object_links():
    return [
        ObjectLink("order", Text("Order", "执行单"), lambda i: url_for("yunyou_orders.order_show", order_id=i)),
        ObjectLink(
            "solution", Text("Solution", "解决方案"), lambda i: url_for("yunyou_solutions.solution_show", solution_id=i)
        ),
        ObjectLink(
            "environment",
            Text("Environment", "环境"),
            lambda i: url_for("yunyou_environments.environment_show", environment_id=i),
            environments.name_of,
        ),
    ]


@hookimpl(tryfirst=True)  # the clusters and zones of other plugins are there by then
def seed_site(seed):
    seeding.seed_site(seed)


@hookimpl
def register_apis():
    return [api.api, order_api.api]


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
    return [lifecycle.TYPE]


@hookimpl
def register_periodic():
    return [
        Periodic("yunyou.balancers", Text("Addresses of load balancers", "负载均衡地址"), balancers.reconcile, every=30)
    ]


@hookimpl
def register_errors():
    return [
        *DOMAIN_ERRORS, *environments.ERRORS, *solutions.ERRORS, *importing.ERRORS, *closing.ERRORS, *planning.ERRORS, *registry.ERRORS, *baselines.ERRORS,
        *ownership.ERRORS, *targets.ERRORS, *orders.ERRORS, *lifecycle.ERRORS, *STEP_ERRORS, *resources.ERRORS,
    ]  # fmt: skip
