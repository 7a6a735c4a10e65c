"""Rights and recorded operations of the core."""

from app.contracts.declarations import Permission
from app.contracts.text import Text
from app.guard import SIGNED_IN, Operation

JOB_READ = Permission("core.job.read", Text("See jobs", "查看任务"), reads=True)
JOB_MANAGE = Permission("core.job.manage", Text("Cancel and retry jobs", "取消与重试任务"))
SITE_READ = Permission(
    "core.site.read", Text("See queues, workers and periodic work", "查看队列、工作进程与定时任务"), reads=True
)
SITE_MANAGE = Permission("core.site.manage", Text("Run periodic work, remove jobs", "运行定时任务、移除任务"))
AUDIT_READ = Permission("core.audit.read", Text("Read the audit", "查看审计"), reads=True)
AUDIT_EXPORT = Permission("core.audit.export", Text("Export the audit", "导出审计"), reads=True)
AUDIT_VERIFY = Permission("core.audit.verify", Text("Verify the audit chain", "校验审计链"), reads=True)
PERMISSION_EXPLAIN = Permission(
    "core.permission.explain", Text("See why a decision is what it is", "查看鉴权依据"), reads=True
)

ALL = (
    SIGNED_IN, JOB_READ, JOB_MANAGE, SITE_READ, SITE_MANAGE, AUDIT_READ, AUDIT_EXPORT, AUDIT_VERIFY, PERMISSION_EXPLAIN,
)  # fmt: skip

OF_THE_SITE = "core.site."
OF_A_TENANT = tuple(permission.name for permission in ALL if not permission.name.startswith(OF_THE_SITE))

SIGN_IN = Operation("core.session.started", Text("Signed in", "登录"))
SIGN_OUT = Operation("core.session.ended", Text("Signed out", "退出登录"))
TENANT_CHOSEN = Operation("core.session.tenant_chosen", Text("Chose tenant and workspace", "选择租户与工作空间"))
SESSION_ENDED = Operation("core.session.revoked", Text("Ended a session", "结束会话"))
JOB_CANCELLED = Operation("core.job.cancelled", Text("Cancelled a job", "取消任务"))
JOB_RETRIED = Operation("core.job.retried", Text("Retried a job", "重试任务"))
PERIODIC_RUN = Operation("core.periodic.run", Text("Ran periodic work now", "立即运行定时任务"))
AUDIT_VERIFIED = Operation("core.audit.verified", Text("Verified the audit chain", "校验审计链"))
