"""The addresses that orders had below ``/yunyou/orders``: they are below ``/orders`` now."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request, url_for

from app.guard import guard
from app.order_views.access import get_order
from plugins.yunyou import permissions
from plugins.yunyou.orders import service as orders

bp = Blueprint("yunyou_orders", __name__, url_prefix="/yunyou/orders")


@bp.get("")
@guard(permissions.ORDER_READ)
def order_list() -> Response:
    return _moved(url_for("orders.order_list", plugin=orders.PLUGIN))


@bp.get("/<order_id>")
@guard(permissions.ORDER_READ)
def order_show(order_id: str) -> Response:
    return _moved(url_for("orders.order_show", order_id=get_order(order_id).id))


def _moved(address: str) -> Response:
    """To *address*, with what else the query string says."""
    more = request.query_string.decode("ascii", "replace")
    return make_response(redirect(f"{address}{'&' if '?' in address else '?'}{more}" if more else address, 308))
