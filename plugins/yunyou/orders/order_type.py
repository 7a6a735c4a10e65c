"""What Yunyou says of its orders: who may see and control them, their kinds of nodes, how they are taken back."""

from __future__ import annotations

from sqlalchemy import select

from app.db import db
from app.kube.errors import FIELD_CONFLICT
from app.orders import tree
from app.orders.models import Order, OrderNode
from app.orders.types import Details, NodeKind, OrderType, Rollback
from app.words import _, pgettext
from plugins.yunyou import permissions
from plugins.yunyou.orders import object_ownership, replanning, rollbacks
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders.pages.pods import details
from plugins.yunyou.orders.requests import RollbackRequest


def resources(order: Order) -> list[dict[str, str]]:
    """Every product of an order, in its environment."""
    codes = order.plan.get("products", {}) or {"": ""}
    return [{"product": code, "environment": order.environment_id or ""} for code in codes]


def adopt(order: Order, node: OrderNode | None) -> None:
    """A person chose to take over foreign objects and fields of a failed application (or of all that failed)."""
    failed = db.session.scalars(
        select(OrderNode).where(OrderNode.order_id == order.id, OrderNode.state == tree.FAILED, OrderNode.step != "")
    ).all()
    wanted = [leaf for leaf in failed if node is None or leaf.key.startswith(node.key)]
    keys = {
        str((leaf.error or {}).get("extra", {}).get("application") or leaf.spec.get("application", ""))
        for leaf in wanted
    }
    order.options = {**order.options, "adopt": sorted({*order.options.get("adopt", ()), *keys} - {""})}


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
    rollback=Rollback(RollbackRequest, rollbacks.roll_back, "yunyou_rollbacks.order_rollback"),
    details=Details("yunyou/_order_node.html", details, "yunyou/_order_failure.html"),
    about=lambda node: str(node.spec.get("application", "")),
    adopts_after=(object_ownership.FOREIGN.code, FIELD_CONFLICT.code),
    adopt=adopt,
    before_retry=replanning.before_retry,
    before_start=replanning.before_start,
)
