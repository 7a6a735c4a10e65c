"""The paths that orders had below ``/yunyou/orders``: the same functions as below ``/orders``, which took over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.auth import decisions
from app.guard import Operation
from app.order_views import api as orders_api
from app.order_views.shapes import EventsOut, LogAfter, LogOut, OrderOut
from app.orders import verbs
from app.words import Text, _
from plugins.yunyou import permissions, routes
from plugins.yunyou.orders.requests import RollbackRequest

api = routes.operation


def _read(path: str, id: str, summary: Text, run: Callable[..., Any], returns: type, query: type | None = None) -> None:
    api.operation(
        "GET",
        f"/yunyou/orders/<order_id>{path}",
        f"yunyou.orders.{id}",
        summary,
        permissions.ORDER_READ,
        query=query,
        returns=returns,
        deprecated=True,
    )(run)


def _change(path: str, id: str, summary: Text, run: Callable[..., Any], audit: Operation, **more: Any) -> None:
    api.operation(
        "POST",
        f"/yunyou/orders/<order_id>{path}",
        f"yunyou.orders.{id}",
        summary,
        permissions.ORDER_CONTROL,
        audit=audit,
        returns=OrderOut,
        resource=decisions.later,
        deprecated=True,
        **more,
    )(run)


ROLLBACK = {"body": RollbackRequest, "raw_body": "application/json", "status": 202}
_read("", "get", _("Show an order"), orders_api.show_order, OrderOut)
_read("/nodes/<node_id>/log", "nodes.log", _("Log of a step"), orders_api.node_log, LogOut, LogAfter)
_read("/events", "events", _("History of an order"), orders_api.order_events, EventsOut)
for _verb in orders_api.ORDER_VERBS:
    _words, _run = _("{verb} an order").format(verb=verbs.TITLES[_verb]), orders_api.teller(_verb)
    _change(f"/{_verb}", _verb, _words, _run, permissions.ORDER_TOLD, body=orders_api.Told)
for _verb in orders_api.NODE_VERBS:
    _words, _run = _("{verb} a step").format(verb=verbs.TITLES[_verb]), orders_api.node_teller(_verb)
    _change(f"/nodes/<node_id>/{_verb}", f"nodes.{_verb}", _words, _run, permissions.ORDER_TOLD, body=orders_api.Told)
_change(
    "/rollback",
    "rollback",
    _("Roll an order back"),
    orders_api.rollback_order,
    permissions.ORDER_ROLLED_BACK,
    **ROLLBACK,
)
_change(
    "/nodes/<node_id>/rollback",
    "nodes.rollback",
    _("Roll a product or application back"),
    orders_api.rollback_node,
    permissions.ORDER_ROLLED_BACK,
    **ROLLBACK,
)
