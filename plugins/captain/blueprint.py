"""The one blueprint and the one API of Captain: each subject puts its pages and operations on them."""

from __future__ import annotations

from flask import Blueprint

from app.web.api import Api
from app.words import _

bp = Blueprint("captain", __name__, url_prefix="/captain/clusters")
api = Api("captain", _("Captain: Kubernetes clusters"))
ONE = "/captain/clusters/<cluster_id>"  # of a cluster in the API
