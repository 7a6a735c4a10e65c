"""``/api/v1/yunyou``: orders, baselines, products and load balancers."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask import Response, request
from sqlalchemy import select

from app.auth import decisions
from app.contracts.shapes import doc
from app.db import db, get_scoped, rows, scoped
from app.orders import commands, verbs
from app.orders.models import Order, OrderEvent, OrderLog, OrderNode
from app.web.api import Api, In, ListQuery, Page, accepted, dry_run, page
from app.words import _
from plugins.yunyou import (
    baselines,
    environments,
    fields,
    lifecycle,
    orders,
    permissions,
    previews,
    products,
    shapes,
    targets,
)
from plugins.yunyou.models import BaselineProduct, LoadBalancer
from plugins.yunyou.order_shapes import EventOut, EventsOut, LogAfter, LogLine, LogOut, PreviewOut
from plugins.yunyou.product_shapes import ApplicationOut, BalancerOut, ContainerOut, ContainersOut
from plugins.yunyou.requests import OrderRequest, RollbackRequest

api = Api("yunyou_orders", _("Yunyou: orders and products"))
ORDER, NODE = _("order"), _("step")
ORDER_VERBS = ("pause", "resume", "cancel", "force-cancel", "retry", "skip")
NODE_VERBS = ("retry", "skip", "confirm")


def get_order(order_id: str) -> Order:
    """One order of Yunyou in the caller's tenant."""
    return get_scoped(Order, order_id, ORDER)


def nodes_of(order: Order) -> list[OrderNode]:
    """The nodes of an order."""
    return list(rows(select(OrderNode).where(OrderNode.order_id == order.id)))


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
    returns=Page[shapes.OrderItem],
)
def list_orders(query: OrderQuery) -> Page[shapes.OrderItem]:
    found = scoped(Order).where(Order.plugin == "yunyou")
    for column, value in (
        (Order.type, query.type),
        (Order.state, query.state),
        (Order.environment_id, query.environment),
        (Order.subject_id, query.solution),
    ):
        if value:
            found = found.where(column == value)
    return page(
        found,
        query,
        shapes.order_item,
        sorts={"createdAt": Order.created_at, "title": Order.title, "state": Order.state},
        search=(Order.title, Order.creator),
        key=Order.id,
        default="-createdAt",
    )


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
    returns=shapes.OrderOut,
    status=202,
    resource=decisions.later,
    errors=(*orders.ERRORS, *targets.ERRORS),
)
def create_order(body: OrderRequest) -> Response:
    order = orders.create(body)
    db.session.flush()
    where = "" if dry_run() else f"/api/v1/yunyou/orders/{order.id}"
    return accepted(shapes.order(order, nodes_of(order)), where)


@api.operation(
    "GET",
    "/yunyou/orders/<order_id>",
    "yunyou.orders.get",
    _("Show an order"),
    permissions.ORDER_READ,
    returns=shapes.OrderOut,
)
def show_order(order_id: fields.OrderId) -> shapes.OrderOut:
    order = get_order(order_id)
    return shapes.order(order, nodes_of(order))


class Told(In):
    """Why, and for a retry whether foreign objects are taken over."""

    reason: Annotated[str, doc("Why, for the history of the order.")] = ""
    adopt: Annotated[bool, doc("For a retry: whether objects that others made are taken over.")] = False


def _tell(order: Order, verb: str, node_id: str | None, body: Told) -> shapes.OrderOut:
    may_control(order)
    node = db.session.get(OrderNode, node_id) if node_id else None
    if body.adopt:
        lifecycle.adopt(order, node)
    commands.give(order, verb, node_id, body.reason)
    db.session.flush()
    return shapes.order(order, nodes_of(order))


def may_control(order: Order) -> None:
    """Refuse who may not control every product of the order.

    :raises ConsoleError: CORE/FORBIDDEN
    """
    for code in order.plan.get("products", {}) or {"": ""}:
        decisions.require(permissions.ORDER_CONTROL, {"product": code, "environment": order.environment_id or ""})


def _verb_operation(verb: str) -> None:
    @api.operation(
        "POST",
        f"/yunyou/orders/<order_id>/{verb}",
        f"yunyou.orders.{verb}",
        _("{verb} an order").format(verb=verbs.TITLES[verb]),
        permissions.ORDER_CONTROL,
        audit=permissions.ORDER_TOLD,
        body=Told,
        returns=shapes.OrderOut,
        resource=decisions.later,
    )
    def told(order_id: fields.OrderId, body: Told) -> shapes.OrderOut:
        return _tell(get_order(order_id), verb, None, body)


def _node_operation(verb: str) -> None:
    @api.operation(
        "POST",
        f"/yunyou/orders/<order_id>/nodes/<node_id>/{verb}",
        f"yunyou.orders.nodes.{verb}",
        _("{verb} a step").format(verb=verbs.TITLES[verb]),
        permissions.ORDER_CONTROL,
        audit=permissions.ORDER_TOLD,
        body=Told,
        returns=shapes.OrderOut,
        resource=decisions.later,
    )
    def told(order_id: fields.OrderId, node_id: fields.NodeId, body: Told) -> shapes.OrderOut:
        return _tell(get_order(order_id), verb, node_id, body)


for _verb in ORDER_VERBS:
    _verb_operation(_verb)
for _verb in NODE_VERBS:
    _node_operation(_verb)


def rollback_draft(order: Order, body: RollbackRequest, node_id: fields.NodeId = "") -> orders.Draft:
    """What the rollback of an order, or of what is below one of its nodes, would send."""
    return orders.draft_rollback(order, *_rollback(order, body, node_id))


def roll_back(order: Order, body: RollbackRequest, node_id: fields.NodeId = "") -> Order:
    """Make the order that returns what *order* changed."""
    may_control(order)
    return orders.create_rollback(order, *_rollback(order, body, node_id))


def _rollback(order: Order, body: RollbackRequest, node_id: fields.NodeId) -> tuple[OrderRequest, list[str]]:
    asked = OrderRequest(type="release", grouping=body.grouping, beta=body.beta, name=body.name, preview=body.preview)
    return asked, orders.applications_under(order, node_id) if node_id else body.applications


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
    def previewed(order_id: fields.OrderId, body: RollbackRequest, node_id: fields.NodeId = "") -> PreviewOut:
        return msgspec.convert(previews.preview(rollback_draft(get_order(order_id), body, node_id)), PreviewOut)


_rollback_preview("/yunyou/orders/<order_id>", "yunyou.orders.rollback.preview")
_rollback_preview("/yunyou/orders/<order_id>/nodes/<node_id>", "yunyou.orders.nodes.rollback.preview")


@api.operation(
    "POST",
    "/yunyou/orders/<order_id>/rollback",
    "yunyou.orders.rollback",
    _("Roll an order back"),
    permissions.ORDER_CONTROL,
    audit=permissions.ORDER_ROLLED_BACK,
    body=RollbackRequest,
    returns=shapes.OrderOut,
    status=202,
    resource=decisions.later,
)
def rollback_order(order_id: fields.OrderId, body: RollbackRequest) -> Response:
    made = roll_back(get_order(order_id), body)
    db.session.flush()
    return accepted(shapes.order(made, nodes_of(made)), f"/api/v1/yunyou/orders/{made.id}")


@api.operation(
    "POST",
    "/yunyou/orders/<order_id>/nodes/<node_id>/rollback",
    "yunyou.orders.nodes.rollback",
    _("Roll a product or application back"),
    permissions.ORDER_CONTROL,
    audit=permissions.ORDER_ROLLED_BACK,
    body=RollbackRequest,
    returns=shapes.OrderOut,
    status=202,
    resource=decisions.later,
)
def rollback_node(order_id: fields.OrderId, node_id: fields.NodeId, body: RollbackRequest) -> Response:
    made = roll_back(get_order(order_id), body, node_id)
    db.session.flush()
    return accepted(shapes.order(made, nodes_of(made)), f"/api/v1/yunyou/orders/{made.id}")


@api.operation(
    "GET",
    "/yunyou/orders/<order_id>/nodes/<node_id>/log",
    "yunyou.orders.nodes.log",
    _("Log of a step"),
    permissions.ORDER_READ,
    query=LogAfter,
    returns=LogOut,
)
def node_log(order_id: fields.OrderId, node_id: fields.NodeId, query: LogAfter) -> LogOut:
    order = get_order(order_id)
    wanted = orders.leaves_under(order, node_id)
    lines = rows(
        select(OrderLog)
        .where(OrderLog.order_id == order.id, OrderLog.node_id.in_(wanted), OrderLog.id > query.after)
        .order_by(OrderLog.id)
        .limit(2000)
    )
    shown = [LogLine(line.id, line.at.isoformat(), line.level, line.line) for line in lines]
    return LogOut(shown, lines[-1].id if lines else query.after)


@api.operation(
    "GET",
    "/yunyou/orders/<order_id>/events",
    "yunyou.orders.events",
    _("History of an order"),
    permissions.ORDER_READ,
    returns=EventsOut,
)
def order_events(order_id: fields.OrderId) -> EventsOut:
    order = get_order(order_id)
    found = rows(select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.id).limit(5000))
    shown = [EventOut(e.id, e.node_id, e.at.isoformat(), e.what, e.before, e.after, e.actor, e.detail) for e in found]
    return EventsOut(shown)


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
    returns=shapes.OrderOut,
    status=202,
    resource=decisions.later,
)
def sync_baseline(body: Sync) -> Response:
    made = products.sync(environments.get_environment(body.environment), body.applications)
    db.session.flush()
    return accepted(shapes.order(made, nodes_of(made)), f"/api/v1/yunyou/orders/{made.id}")


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
