"""What the palette finds of products."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from app.contracts.declarations import Found
from app.db import rows, scoped
from app.web.listing import matching
from app.words import _
from plugins.yunyou.products.models import BaselineApplication, BaselineProduct


def search_products(text: str, limit: int) -> Sequence[Found]:
    """Products and applications that run."""
    products = rows(
        scoped(BaselineProduct).where(matching(text, (BaselineProduct.code, BaselineProduct.name))).limit(limit)
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
    running = rows(scoped(BaselineApplication).where(matching(text, (BaselineApplication.name,))).limit(limit))
    return found + [
        Found(
            _("Application"),
            a.name,
            url_for("yunyou_products.application_show", environment_id=a.environment_id, code=a.product, name=a.name),
            a.image,
        )
        for a in running
    ]
