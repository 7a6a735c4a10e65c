"""Where the subjects of IAM declare their pages and their operations below ``/api/v1/iam``."""

from flask import Blueprint

from app.web.api import Api
from app.words import _

bp = Blueprint("iam", __name__)
api = Api("iam", _("Identity and access"))
