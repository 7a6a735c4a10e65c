"""Rights, roles and recorded operations of Yunyou: the table of the guide's 2.11.1 over its six modules."""

from app.contracts.declarations import Permission, Role
from app.contracts.text import Text
from app.guard import Operation

ENVIRONMENT_READ = Permission("yunyou.environment.read", Text("See environments", "查看环境"), reads=True)
ENVIRONMENT_EDIT = Permission("yunyou.environment.edit", Text("Add and change environments", "新增与修改环境"))
SOLUTION_READ = Permission(
    "yunyou.solution.read", Text("See solutions and their plans", "查看解决方案与规划"), reads=True
)
SOLUTION_IMPORT = Permission("yunyou.solution.import", Text("Import and discard solutions", "导入与废弃解决方案"))
PLAN_EDIT = Permission("yunyou.plan.edit", Text("Edit and confirm plans", "编辑与确认规划"))
PRODUCT_READ = Permission("yunyou.product.read", Text("See products and the baseline", "查看产品与基线"), reads=True)
RELEASE = Permission("yunyou.release-order.create", Text("Release and roll back products", "发布与回滚产品"))
OPERATE = Permission(
    "yunyou.operation-order.create", Text("Restart, scale and resize applications", "重启、扩缩容与变配应用")
)
ORDER_READ = Permission("yunyou.order.read", Text("See orders", "查看执行单"), reads=True)
ORDER_CONTROL = Permission(
    "yunyou.order.control", Text("Retry, skip, confirm, pause and cancel orders", "重试、跳过、确认、暂停与取消执行单")
)
RESOURCE_READ = Permission("yunyou.resource.read", Text("See resources", "查看资源"), reads=True)
LOG_READ = Permission("yunyou.log.read", Text("Read the operation log", "查看操作日志"), reads=True)

ALL = (
    ENVIRONMENT_READ, ENVIRONMENT_EDIT, SOLUTION_READ, SOLUTION_IMPORT, PLAN_EDIT, PRODUCT_READ, RELEASE, OPERATE,
    ORDER_READ, ORDER_CONTROL, RESOURCE_READ, LOG_READ,
)  # fmt: skip

READS = ("yunyou.*:read", "captain.*:read", "dns.*:read", "core.job.read")
ROLES = (
    Role(
        "yunyou-environment-administrator", Text("Environment administrator", "环境管理员"),
        ("yunyou.*", "captain.*", "dns.*", "core.job.*", "core.audit.*"),
        Text("Reads and changes everything of its environments, and grants every Yunyou role.", "可读写环境的全部模块，并可授予所有云游角色。"),
        grants=("yunyou-environment-administrator", "yunyou-delivery-engineer", "yunyou-operations-engineer", "yunyou-observer"),
    ),
    Role(
        "yunyou-delivery-engineer", Text("Delivery engineer", "交付工程师"),
        ("yunyou.*", "captain.*:read", "dns.*:read", "core.job.*", "core.audit.read"),
        Text("Delivers solutions and operates products.", "交付解决方案并运维产品。"),
        grants=("yunyou-delivery-engineer", "yunyou-observer"),
    ),
    Role(
        "yunyou-operations-engineer", Text("Operations engineer", "运维工程师"),
        (*READS, "yunyou.release-order.create", "yunyou.operation-order.create", "yunyou.order.control", "yunyou.plan.edit"),
        Text("Reads everything and changes the products it is granted for.", "只读全部内容，可修改被授权的产品。"),
        grants=("yunyou-operations-engineer", "yunyou-observer"),
    ),
    Role(
        "yunyou-observer", Text("Observer", "云游观察者"), READS,
        Text("Sees everything, changes nothing.", "可查看全部内容，不可修改。"),
    ),
)  # fmt: skip

ENVIRONMENT_ADDED = Operation("yunyou.environment.added", Text("Added an environment", "新增环境"))
ENVIRONMENT_CHANGED = Operation("yunyou.environment.changed", Text("Changed an environment", "修改环境"))
SOLUTION_IMPORTED = Operation("yunyou.solution.imported", Text("Imported a solution", "导入解决方案"))
SOLUTION_DISCARDED = Operation("yunyou.solution.discarded", Text("Discarded a solution", "废弃解决方案"))
SOLUTION_COMPLETED = Operation("yunyou.solution.completed", Text("Completed a deployment", "完成部署"))
PARAMETERS_EDITED = Operation("yunyou.plan.parameters_edited", Text("Edited parameters", "编辑参数"))
APPLICATIONS_EDITED = Operation("yunyou.plan.applications_edited", Text("Edited application settings", "编辑应用配置"))
DATABASES_EDITED = Operation(
    "yunyou.plan.databases_edited", Text("Named existing databases, caches and buckets", "填写已有数据库、缓存与存储桶")
)
IMAGES_EDITED = Operation("yunyou.plan.images_edited", Text("Checked or accepted images", "检查或确认镜像"))
PLAN_CONFIRMED = Operation("yunyou.plan.confirmed", Text("Confirmed a pre-deployment task", "确认部署前置任务"))
ORDER_CREATED = Operation("yunyou.order.created", Text("Created an order", "创建执行单"))
ORDER_TOLD = Operation("yunyou.order.told", Text("Controlled an order", "操作执行单"))
ORDER_ROLLED_BACK = Operation("yunyou.order.rolled_back", Text("Rolled an order back", "回滚执行单"))
BASELINE_IMPORTED = Operation("yunyou.baseline.imported", Text("Imported a baseline", "导入基线"))
BASELINE_SYNCED = Operation("yunyou.baseline.synced", Text("Synchronised with the baseline", "与基线同步"))
