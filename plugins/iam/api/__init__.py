"""``/api/v1/iam``."""

from app.web.api import Api
from app.words import _

api = Api("iam", _("Identity and access"))
