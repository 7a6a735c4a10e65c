"""Rights of the OpenAPI platform."""

from app.contracts.declarations import Permission
from app.contracts.text import Text

CATALOGUE_READ = Permission("openapi.catalogue.read", Text("See the catalogue of the API", "查看接口目录"), reads=True)
ALL = (CATALOGUE_READ,)
