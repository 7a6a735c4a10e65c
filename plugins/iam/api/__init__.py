"""``/api/v1/iam``."""

from app.contracts.text import Text
from app.web.api import Api

api = Api("iam", Text("Identity and access", "身份与访问"))
