"""What Yunyou says of its orders: who may see and control them, their kinds of nodes, how they are taken back."""

from __future__ import annotations

from app.kube.errors import FIELD_CONFLICT
from app.orders.models import Order
from app.orders.types import Details, NodeKind, OrderType, Rollback
from app.words import _, pgettext
from plugins.yunyou import lifecycle, orders, ownership, permissions
from plugins.yunyou.pages.order_pods import details
from plugins.yunyou.requests import RollbackRequest


def resources(order: Order) -> list[dict[str, str]]:
    """Every product of an order, in its environment."""
    codes = order.plan.get("products", {}) or {"": ""}
    return [{"product": code, "environment": order.environment_id or ""} for code in codes]


TYPE = OrderType(
    orders.PLUGIN,
    permissions.ORDER_READ,
    permissions.ORDER_CONTROL,
    resources,
    titles={"release": pgettext("order", "Release"), "operation": pgettext("order", "Operation"), "test": _("Test")},
    kinds={
        "product": NodeKind(whole=True, rolls_back=True),
        "stage": NodeKind(opens=True),
        "application": NodeKind(whole=True, rolls_back=True, closed=True, counted=_("Applications by state")),
        "group": NodeKind(rolls_back=True),
    },
    rollback=Rollback(RollbackRequest, orders.roll_back, "yunyou_rollbacks.order_rollback"),
    details=Details("yunyou/_order_node.html", details, "yunyou/_order_failure.html"),
    about=lambda node: str(node.spec.get("application", "")),
    adopts_after=(ownership.FOREIGN.code, FIELD_CONFLICT.code),
    adopt=lifecycle.adopt,
    before_retry=lifecycle.before_retry,
    before_start=lifecycle.before_start,
)
