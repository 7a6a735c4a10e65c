"""Rights of the OpenAPI platform."""

from app.contracts.declarations import Permission
from app.words import _

CATALOGUE_READ = Permission("openapi.catalogue.read", _("See the catalogue of the API"), reads=True)
ALL = (CATALOGUE_READ,)
