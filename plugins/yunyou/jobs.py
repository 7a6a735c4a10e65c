"""Work of Yunyou that runs on workers."""

from app.contracts.declarations import Job
from app.contracts.text import Text
from plugins.yunyou import permissions, registry

CHECK_IMAGES = Job(
    "yunyou.images.check",
    registry.check_solution,
    Text("Check images in the registry", "检查镜像"),
    permissions.PLAN_EDIT,
    timeout=600,
)
