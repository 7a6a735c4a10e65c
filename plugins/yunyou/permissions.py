"""Rights, roles and recorded operations of Yunyou: the table of the guide's 2.11.1 over its six modules."""

from app.contracts.declarations import Permission, Role
from app.guard import Operation
from app.words import _

ENVIRONMENT_READ = Permission("yunyou.environment.read", _("See environments"), reads=True)
ENVIRONMENT_EDIT = Permission("yunyou.environment.edit", _("Add and change environments"))
SOLUTION_READ = Permission("yunyou.solution.read", _("See solutions and their plans"), reads=True)
SOLUTION_IMPORT = Permission("yunyou.solution.import", _("Import and discard solutions"))
PLAN_EDIT = Permission("yunyou.plan.edit", _("Edit and confirm plans"))
PRODUCT_READ = Permission("yunyou.product.read", _("See products and the baseline"), reads=True)
RELEASE = Permission("yunyou.release-order.create", _("Release and roll back products"))
OPERATE = Permission("yunyou.operation-order.create", _("Restart, scale and resize applications"))
ORDER_READ = Permission("yunyou.order.read", _("See orders"), reads=True)
ORDER_CONTROL = Permission("yunyou.order.control", _("Retry, skip, confirm, pause and cancel orders"))
RESOURCE_READ = Permission("yunyou.resource.read", _("See resources"), reads=True)
LOG_READ = Permission("yunyou.log.read", _("Read the operation log"), reads=True)

ALL = (
    ENVIRONMENT_READ,
    ENVIRONMENT_EDIT,
    SOLUTION_READ,
    SOLUTION_IMPORT,
    PLAN_EDIT,
    PRODUCT_READ,
    RELEASE,
    OPERATE,
    ORDER_READ,
    ORDER_CONTROL,
    RESOURCE_READ,
    LOG_READ,
)

READS = ("yunyou.*:read", "captain.*:read", "dns.*:read", "core.job.read")
ROLES = (
    Role(
        "yunyou-environment-administrator",
        _("Environment administrator"),
        ("yunyou.*", "captain.*", "dns.*", "core.job.*", "core.audit.*"),
        _("Reads and changes everything of its environments, and grants every Yunyou role."),
        grants=(
            "yunyou-environment-administrator",
            "yunyou-delivery-engineer",
            "yunyou-operations-engineer",
            "yunyou-observer",
        ),
    ),
    Role(
        "yunyou-delivery-engineer",
        _("Delivery engineer"),
        ("yunyou.*", "captain.*:read", "dns.*:read", "core.job.*", "core.audit.read"),
        _("Delivers solutions and operates products."),
        grants=("yunyou-delivery-engineer", "yunyou-observer"),
    ),
    Role(
        "yunyou-operations-engineer",
        _("Operations engineer"),
        (
            *READS,
            "yunyou.release-order.create",
            "yunyou.operation-order.create",
            "yunyou.order.control",
            "yunyou.plan.edit",
        ),
        _("Reads everything and changes the products it is granted for."),
        grants=("yunyou-operations-engineer", "yunyou-observer"),
    ),
    Role(
        "yunyou-observer",
        _("Observer"),
        READS,
        _("Sees everything, changes nothing."),
    ),
)

ENVIRONMENT_ADDED = Operation("yunyou.environment.added", _("Added an environment"))
ENVIRONMENT_CHANGED = Operation("yunyou.environment.changed", _("Changed an environment"))
SOLUTION_IMPORTED = Operation("yunyou.solution.imported", _("Imported a solution"))
SOLUTION_DISCARDED = Operation("yunyou.solution.discarded", _("Discarded a solution"))
SOLUTION_COMPLETED = Operation("yunyou.solution.completed", _("Completed a deployment"))
PARAMETERS_EDITED = Operation("yunyou.plan.parameters_edited", _("Edited parameters"))
APPLICATIONS_EDITED = Operation("yunyou.plan.applications_edited", _("Edited application settings"))
DATABASES_EDITED = Operation("yunyou.plan.databases_edited", _("Named existing databases, caches and buckets"))
IMAGES_EDITED = Operation("yunyou.plan.images_edited", _("Checked or accepted images"))
PLAN_CONFIRMED = Operation("yunyou.plan.confirmed", _("Confirmed a pre-deployment task"))
ORDER_CREATED = Operation("yunyou.order.created", _("Created an order"))
ORDER_TOLD = Operation("yunyou.order.told", _("Controlled an order"))
ORDER_ROLLED_BACK = Operation("yunyou.order.rolled_back", _("Rolled an order back"))
BASELINE_IMPORTED = Operation("yunyou.baseline.imported", _("Imported a baseline"))
BASELINE_SYNCED = Operation("yunyou.baseline.synced", _("Synchronised with the baseline"))
