"""Where the pages of DNS and its operations of the API are."""

from flask import Blueprint

from app.web.api import Api
from app.words import _

api = Api("dns", _("DNS"))
bp = Blueprint("dns", __name__)
