"""Where the pages and operations of Yunyou are mounted; each subject adds its own."""

from __future__ import annotations

from flask import Blueprint

from app.web.api import Api
from app.words import _

environments = Blueprint("yunyou_environments", __name__)
solutions = Blueprint("yunyou_solutions", __name__)
products = Blueprint("yunyou_products", __name__)

delivery = Api("yunyou", _("Yunyou: delivery and operation"))
operation = Api("yunyou_orders", _("Yunyou: orders and products"))
