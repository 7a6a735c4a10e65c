"""Rights and recorded operations of the core."""

from app.contracts.declarations import Permission
from app.guard import SIGNED_IN, Operation
from app.orders import types as orders
from app.orders.types import CONTROL as ORDER_CONTROL
from app.words import _

JOB_READ = Permission("core.job.read", _("See jobs"), reads=True)
JOB_MANAGE = Permission("core.job.manage", _("Cancel and retry jobs"))
SITE_READ = Permission("core.site.read", _("See queues, workers and periodic work"), reads=True)
SITE_MANAGE = Permission("core.site.manage", _("Run periodic work, remove jobs"))
AUDIT_READ = Permission("core.audit.read", _("Read the audit"), reads=True)
AUDIT_EXPORT = Permission("core.audit.export", _("Export the audit"), reads=True)
AUDIT_VERIFY = Permission("core.audit.verify", _("Verify the audit chain"), reads=True)
PERMISSION_EXPLAIN = Permission("core.permission.explain", _("See why a decision is what it is"), reads=True)

ALL = (
    SIGNED_IN,
    JOB_READ,
    JOB_MANAGE,
    SITE_READ,
    SITE_MANAGE,
    AUDIT_READ,
    AUDIT_EXPORT,
    AUDIT_VERIFY,
    PERMISSION_EXPLAIN,
    orders.READ,
    ORDER_CONTROL,
)

OF_THE_SITE = "core.site."
OF_A_TENANT = tuple(permission.name for permission in ALL if not permission.name.startswith(OF_THE_SITE))

SIGN_IN = Operation("core.session.started", _("Signed in"))
SIGN_OUT = Operation("core.session.ended", _("Signed out"))
TENANT_CHOSEN = Operation("core.session.tenant_chosen", _("Chose tenant and workspace"))
SESSION_ENDED = Operation("core.session.revoked", _("Ended a session"))
JOB_CANCELLED = Operation("core.job.cancelled", _("Cancelled a job"))
JOB_RETRIED = Operation("core.job.retried", _("Retried a job"))
PERIODIC_RUN = Operation("core.periodic.run", _("Ran periodic work now"))
AUDIT_VERIFIED = Operation("core.audit.verified", _("Verified the audit chain"))
