"""Work of Yunyou that runs on workers."""

from app.contracts.declarations import Job
from app.words import _
from plugins.yunyou import permissions, registry

CHECK_IMAGES = Job(
    "yunyou.images.check",
    registry.check_solution,
    _("Check images in the registry"),
    permissions.PLAN_EDIT,
    timeout=600,
)
