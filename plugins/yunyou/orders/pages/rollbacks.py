"""Rollbacks: what returns to what it was, seen exactly before anything is sent; of an order, a part of it, or a
product.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request, url_for

from app.auth import decisions
from app.contracts.json import Json
from app.errors import ConsoleError
from app.guard import guard
from app.order_views.access import get_order, require_control
from app.web.forms import check
from app.web.language import exact
from app.web.render import go, render
from app.words import _
from plugins.yunyou import permissions
from plugins.yunyou.orders import previews, rollbacks
from plugins.yunyou.orders import service as orders
from plugins.yunyou.orders.api import api
from plugins.yunyou.orders.pages.releases import STRATEGIES
from plugins.yunyou.orders.requests import OrderRequest, RollbackRequest
from plugins.yunyou.products import service as products

bp = Blueprint("yunyou_rollbacks", __name__, url_prefix="/yunyou")


def _settings() -> Json:
    """How the rollback is to go, from the query of the page or the form that creates it."""
    given = request.values
    return {
        "grouping": {"strategy": given.get("strategy", "recommended")},
        "beta": given.get("beta") == "1",
        "preview": given.get("preview", ""),
    }


def _page(subject: str, draft: Callable[[], orders.Draft], fields: dict[str, str], **context: Any) -> Response:
    """The settings and what they come to, or why it can't be done."""
    found, error = None, None
    try:
        found = previews.preview(draft())
    except ConsoleError as refused:
        error = refused
    return render(
        "yunyou/rollback.html",
        fragment="preview",
        subject=subject,
        preview=found,
        error=error,
        fields=fields,
        applications=previews.worst_first(found) if found else [],
        strategies=STRATEGIES,
        settings=_settings(),
        **context,
    )


def _made(order_id: str) -> Response:
    words = _("The rollback was created as an order of its own.")
    return go(url_for("orders.order_show", order_id=order_id), words)


@bp.get("/orders/<order_id>/rollback")
@guard(permissions.ORDER_READ)
def order_rollback(order_id: str) -> Response:
    order, node_id = get_order(order_id), request.args.get("node", "")
    body = check(RollbackRequest, _settings())
    return _page(
        order.title,
        lambda: rollbacks.rollback_draft(order, body, node_id),
        {"node": node_id},
        back=url_for("orders.order_show", order_id=order.id, node=node_id or None),
        ends=order.state == "failed",
    )


@bp.post("/orders/<order_id>/rollback")
@guard(permissions.ORDER_CONTROL, audit=permissions.ORDER_ROLLED_BACK, resource=decisions.later)
def order_rollback_create(order_id: str) -> Response:
    order = get_order(order_id)
    require_control(order)
    body = check(RollbackRequest, _settings())
    return _made(rollbacks.roll_back(order, body, request.form.get("node", "")).id)


@bp.get("/environments/<environment_id>/products/<code>/rollback")
@guard(permissions.PRODUCT_READ)
def product_rollback(environment_id: str, code: str) -> Response:
    product = products.get_product(code, environment_id)
    earlier = products.records_of(product)[1:]
    record = request.args.get("record") or (earlier[0].id if earlier else "")
    wanted = _of_product(environment_id, code, record)
    choices = [(r.id, f"{r.version} · {exact(datetime.fromisoformat(r.at))} · {r.creator}") for r in earlier]
    return _page(
        f"{product.code} {product.release}",
        lambda: orders.draft(wanted),
        {},
        back=url_for("yunyou_products.product_show", environment_id=environment_id, code=code),
        records=choices,
        record=record,
        parts=[(row.name, row.name) for row in products.applications_of(product) if row.role == "standard"],
        chosen=request.args.getlist("application"),
    )


@bp.post("/environments/<environment_id>/products/<code>/rollback")
@api.guard("yunyou.orders.create")
def product_rollback_create(environment_id: str, code: str) -> Response:
    return _made(orders.create(_of_product(environment_id, code, request.form.get("record", ""))).id)


def _of_product(environment_id: str, code: str, record: str) -> OrderRequest:
    chosen = [f"{code}/{name}" for name in request.values.getlist("application")]
    asked = {
        "type": "operation",
        "operation": "rollback",
        "environment": environment_id,
        "product": code,
        "record": record,
    }
    return check(OrderRequest, {**asked, **_settings(), "force": chosen})
