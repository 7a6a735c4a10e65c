"""What the palette finds of Yunyou: solutions, orders, applications, environments."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from sqlalchemy import ColumnElement, true

from app.contracts.declarations import Found
from app.db import db, rows, scoped
from app.orders.models import Order
from app.web.listing import Expression, matching
from app.words import _
from plugins.yunyou.models import BaselineApplication, BaselineProduct, Environment, Solution


def solutions(text: str, limit: int) -> Sequence[Found]:
    """Solutions by name and version."""
    found = rows(
        scoped(Solution)
        .where(_matching(text, Solution.name, Solution.release))
        .order_by(Solution.id.desc())
        .limit(limit)
    )
    kind = _("Solution")
    return [
        Found(kind, f"{s.name} {s.release}", url_for("yunyou_solutions.solution_show", solution_id=s.id), s.state)
        for s in found
    ]


def orders(text: str, limit: int) -> Sequence[Found]:
    """Orders by title."""
    query = scoped(Order).where(Order.plugin == "yunyou", _matching(text, Order.title))
    kind = _("Order")
    found = rows(query.order_by(Order.id.desc()).limit(limit))
    return [Found(kind, o.title, url_for("orders.order_show", order_id=o.id), o.state) for o in found]


def applications(text: str, limit: int) -> Sequence[Found]:
    """Products and applications that run."""
    products = rows(
        scoped(BaselineProduct).where(_matching(text, BaselineProduct.code, BaselineProduct.name)).limit(limit)
    )
    found = [
        Found(
            _("Product"),
            p.code,
            url_for("yunyou_products.product_show", environment_id=p.environment_id, code=p.code),
            p.release,
        )
        for p in products
    ]
    running = rows(scoped(BaselineApplication).where(_matching(text, BaselineApplication.name)).limit(limit))
    return found + [
        Found(
            _("Application"),
            a.name,
            url_for("yunyou_products.application_show", environment_id=a.environment_id, code=a.product, name=a.name),
            a.image,
        )
        for a in running
    ]


def environments(text: str, limit: int) -> Sequence[Found]:
    """Environments by name and namespace."""
    found = rows(scoped(Environment).where(_matching(text, Environment.name, Environment.namespace)).limit(limit))
    kind = _("Environment")
    return [
        Found(kind, e.name, url_for("yunyou_environments.environment_show", environment_id=e.id), e.namespace)
        for e in found
    ]


def anything_ordered() -> bool:
    """Whether the tenant ever made an order."""
    return db.session.scalar(scoped(Order).limit(1)) is not None


def _matching(text: str, *columns: Expression) -> ColumnElement[bool]:
    return matching(text, columns) if text else true()
