"""``/api/v1/yunyou/orders``: list, preview, create; previews of rollbacks."""

from __future__ import annotations

from typing import Annotated

from flask import Response

from app.auth import decisions
from app.contracts.shapes import doc
from app.db import db, scoped
from app.order_views import api as order_views
from app.order_views.access import get_order
from app.order_views.api import shape_of
from app.order_views.shapes import NodeId, OrderId, OrderItem, OrderOut
from app.orders.models import Order
from app.web.api import ListQuery, Page, accepted, dry_run
from app.words import _
from plugins.yunyou import permissions, routes
from plugins.yunyou.orders import previews, targets
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders.requests import OrderRequest, RollbackRequest
from plugins.yunyou.orders.rollbacks import rollback_draft
from plugins.yunyou.orders.shapes import PreviewOut

api = routes.operation


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
    return previews.preview(orders.draft(body))


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
        return previews.preview(rollback_draft(get_order(order_id), body, node_id))


_rollback_preview("/yunyou/orders/<order_id>", "yunyou.orders.rollback.preview")
_rollback_preview("/yunyou/orders/<order_id>/nodes/<node_id>", "yunyou.orders.nodes.rollback.preview")
