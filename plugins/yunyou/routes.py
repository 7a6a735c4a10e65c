"""Where the pages and operations of Yunyou are mounted; each subject adds its own."""

from __future__ import annotations

from flask import Blueprint

from app.web.api import Api
from app.words import _

environments = Blueprint("yunyou_environments", __name__, url_prefix="/yunyou/environments")
solutions = Blueprint("yunyou_solutions", __name__, url_prefix="/yunyou/solutions")
products = Blueprint("yunyou_products", __name__, url_prefix="/yunyou")

delivery = Api("yunyou", _("Yunyou: delivery and operation"))
operation = Api("yunyou_orders", _("Yunyou: orders and products"))
