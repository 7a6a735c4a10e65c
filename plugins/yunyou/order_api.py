"""``/api/v1/yunyou``: orders, baselines, products and load balancers."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask import Response, request

from app.auth import decisions
from app.contracts.shapes import doc
from app.db import db, scoped
from app.order_views import api as order_views
from app.order_views.access import get_order
from app.order_views.api import shape_of
from app.order_views.shapes import NodeId, OrderId, OrderItem, OrderOut
from app.orders.models import Order
from app.web.api import Api, In, ListQuery, Page, accepted, dry_run, page
from app.words import _
from plugins.yunyou import (
    baselines,
    environments,
    fields,
    orders,
    permissions,
    previews,
    products,
    shapes,
    targets,
)
from plugins.yunyou.models import BaselineProduct, LoadBalancer
from plugins.yunyou.order_shapes import PreviewOut
from plugins.yunyou.product_shapes import ApplicationOut, BalancerOut, ContainerOut, ContainersOut
from plugins.yunyou.requests import OrderRequest, RollbackRequest

api = Api("yunyou_orders", _("Yunyou: orders and products"))


class OrderQuery(ListQuery):
    """Filters of the list of orders."""

    type: Annotated[str, doc("Only orders of this type: `release`, `operation` or `test`.")] = ""
    state: Annotated[str, doc("Only orders in this state.")] = ""
    environment: Annotated[str, doc("Only orders in the environment with this identifier.")] = ""
    solution: Annotated[str, doc("Only orders of the solution with this identifier.")] = ""


@api.operation(
    "GET",
    "/yunyou/orders",
    "yunyou.orders.list",
    _("List orders"),
    permissions.ORDER_READ,
    query=OrderQuery,
    returns=Page[OrderItem],
)
def list_orders(query: OrderQuery) -> Page[OrderItem]:
    found = scoped(Order).where(Order.plugin == orders.PLUGIN)
    for column, value in (
        (Order.type, query.type),
        (Order.state, query.state),
        (Order.environment_id, query.environment),
        (Order.subject_id, query.solution),
    ):
        if value:
            found = found.where(column == value)
    return order_views.page_of_orders(found, query)


@api.operation(
    "POST",
    "/yunyou/orders/preview",
    "yunyou.orders.preview",
    _("Preview an order"),
    permissions.ORDER_READ,
    body=OrderRequest,
    returns=PreviewOut,
    resource=decisions.later,
    public="a preview changes nothing",
    errors=(*orders.ERRORS, *targets.ERRORS),
)
def preview_order(body: OrderRequest) -> PreviewOut:
    return msgspec.convert(previews.preview(orders.draft(body)), PreviewOut)


@api.operation(
    "POST",
    "/yunyou/orders",
    "yunyou.orders.create",
    _("Create an order"),
    permissions.ORDER_READ,
    audit=permissions.ORDER_CREATED,
    body=OrderRequest,
    returns=OrderOut,
    status=202,
    resource=decisions.later,
    errors=(*orders.ERRORS, *targets.ERRORS),
)
def create_order(body: OrderRequest) -> Response:
    order = orders.create(body)
    db.session.flush()
    where = "" if dry_run() else f"/api/v1/orders/{order.id}"
    return accepted(shape_of(order), where)


def rollback_draft(order: Order, body: RollbackRequest, node_id: str = "") -> orders.Draft:
    """What the rollback of an order, or of what is below one of its nodes, would send."""
    return orders.draft_rollback(order, *orders.rollback_wanted(order, body, node_id))


def _rollback_preview(path: str, operation_id: str) -> None:
    @api.operation(
        "POST",
        f"{path}/rollback/preview",
        operation_id,
        _("Preview a rollback"),
        permissions.ORDER_READ,
        body=RollbackRequest,
        returns=PreviewOut,
        resource=decisions.later,
        public="a preview changes nothing",
    )
    def previewed(order_id: OrderId, body: RollbackRequest, node_id: NodeId = "") -> PreviewOut:
        return msgspec.convert(previews.preview(rollback_draft(get_order(order_id), body, node_id)), PreviewOut)


_rollback_preview("/yunyou/orders/<order_id>", "yunyou.orders.rollback.preview")
_rollback_preview("/yunyou/orders/<order_id>/nodes/<node_id>", "yunyou.orders.nodes.rollback.preview")


class Whose(In):
    """The environment that something is for."""

    environment: fields.EnvironmentId


@api.operation(
    "GET",
    "/yunyou/baseline",
    "yunyou.baseline.get",
    _("Export the baseline"),
    permissions.PRODUCT_READ,
    query=Whose,
    returns=shapes.BaselineDocument,
    errors=baselines.ERRORS,
)
def get_baseline(query: Whose) -> dict[str, Any]:
    return baselines.export(environments.get_environment(query.environment))


@api.operation(
    "POST",
    "/yunyou/baseline",
    "yunyou.baseline.import",
    _("Import a baseline"),
    permissions.ENVIRONMENT_EDIT,
    audit=permissions.BASELINE_IMPORTED,
    query=Whose,
    body=shapes.BaselineDocument,
    raw_body="application/json",
    returns=shapes.BaselineDocument,
    status=201,
    errors=baselines.ERRORS,
)
def import_baseline(query: Whose) -> dict[str, Any]:
    environment = environments.get_environment(query.environment)
    baselines.import_baseline(environment, request.get_data(cache=True))
    return baselines.export(environment)


class Sync(In):
    """Applications whose drift is put right."""

    environment: fields.EnvironmentId
    applications: Annotated[list[str], doc("Applications, as `PRODUCT/app`; all that differ where none is named.")] = []


@api.operation(
    "POST",
    "/yunyou/baseline/sync",
    "yunyou.baseline.sync",
    _("Synchronise with the baseline"),
    permissions.OPERATE,
    audit=permissions.BASELINE_SYNCED,
    body=Sync,
    returns=OrderOut,
    status=202,
    resource=decisions.later,
)
def sync_baseline(body: Sync) -> Response:
    made = products.sync(environments.get_environment(body.environment), body.applications)
    db.session.flush()
    return accepted(shape_of(made), f"/api/v1/orders/{made.id}")


class ProductQuery(ListQuery):
    """Filters of the product list."""

    environment: Annotated[str, doc("Identifier of the environment; without it, all of them.")] = ""


@api.operation(
    "GET",
    "/yunyou/products",
    "yunyou.products.list",
    _("Products that run"),
    permissions.PRODUCT_READ,
    query=ProductQuery,
    returns=Page[shapes.ProductOut],
)
def list_products(query: ProductQuery) -> Page[shapes.ProductOut]:
    found = scoped(BaselineProduct)
    if query.environment:
        found = found.where(BaselineProduct.environment_id == query.environment)
    return page(
        found,
        query,
        lambda row: shapes.product(row, [], []),
        sorts={"code": BaselineProduct.code, "name": BaselineProduct.name},
        search=(BaselineProduct.code, BaselineProduct.name),
        key=BaselineProduct.id,
        default="code",
    )


@api.operation(
    "GET",
    "/yunyou/products/<code>",
    "yunyou.products.get",
    _("Show a product"),
    permissions.PRODUCT_READ,
    query=ProductQuery,
    returns=shapes.ProductOut,
)
def show_product(code: fields.ProductCode, query: ProductQuery) -> shapes.ProductOut:
    row = products.get_product(code, query.environment)
    return shapes.product(row, products.applications_of(row), products.records_of(row))


@api.operation(
    "GET",
    "/yunyou/applications/<product>/<app>",
    "yunyou.applications.get",
    _("Show an application"),
    permissions.PRODUCT_READ,
    query=ProductQuery,
    returns=ApplicationOut,
)
def show_application(product: fields.ProductCode, app: fields.ApplicationName, query: ProductQuery) -> ApplicationOut:
    return msgspec.convert(
        products.application(products.get_application(product, app, query.environment)), ApplicationOut
    )


@api.operation(
    "GET",
    "/yunyou/applications/<product>/<app>/containers",
    "yunyou.applications.containers",
    _("Containers of an application"),
    permissions.PRODUCT_READ,
    query=ProductQuery,
    returns=ContainersOut,
)
def list_containers(product: fields.ProductCode, app: fields.ApplicationName, query: ProductQuery) -> ContainersOut:
    found = products.containers(products.get_application(product, app, query.environment))
    return ContainersOut(msgspec.convert(found, list[ContainerOut]))


@api.operation(
    "GET",
    "/yunyou/resources/load-balancers",
    "yunyou.load-balancers.list",
    _("Load balancers"),
    permissions.RESOURCE_READ,
    query=ProductQuery,
    returns=Page[BalancerOut],
)
def list_balancers(query: ProductQuery) -> Page[BalancerOut]:
    found = scoped(LoadBalancer)
    if query.environment:
        found = found.where(LoadBalancer.environment_id == query.environment)
    return page(
        found,
        query,
        _balancer,
        sorts={"name": LoadBalancer.name},
        search=(LoadBalancer.name, LoadBalancer.domain),
        key=LoadBalancer.id,
        default="name",
    )


def _balancer(row: LoadBalancer) -> BalancerOut:
    return msgspec.convert(products.balancer(row), BalancerOut)
