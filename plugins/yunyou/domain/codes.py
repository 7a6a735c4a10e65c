"""Every error that the rules of delivery can raise or recognise, with its reason and remedy (guide 2.8.6)."""

from __future__ import annotations

from app.contracts.text import Text
from app.errors import ErrorCode


def _code(reason: str, status: int, why: Text, remedy: Text) -> ErrorCode:
    return ErrorCode(f"YUNYOU/{reason}", status, why, remedy)


SOLUTION_TOO_LARGE = _code(
    "SOLUTION_TOO_LARGE",
    413,
    Text("The file has {size} MB; at most {limit} MB are taken.", "文件大小为 {size} MB，超过了 {limit} MB 的上限。"),
    Text("Split the solution by product, then import the parts.", "请按产品拆分解决方案后分别导入。"),
)
SOLUTION_UNREADABLE = _code(
    "SOLUTION_UNREADABLE",
    422,
    Text("The file cannot be read: {detail}", "无法读取该文件：{detail}"),
    Text(
        "Export the solution again, or correct the file at the place named, and import it anew.",
        "请重新导出解决方案，或修正文件中指出的位置后再次导入。",
    ),
)
SOLUTION_INVALID = _code(
    "SOLUTION_INVALID",
    422,
    Text(
        "The solution has {count} problem(s), and is refused as a whole.",
        "该解决方案存在 {count} 个问题，整体未被接受。",
    ),
    Text("Correct every place that is listed, then import it again.", "请修正列出的每一处问题后重新导入。"),
)
ORDER_INVALID = _code(
    "ORDER_INVALID",
    422,
    Text(
        "After this order the environment would have {count} problem(s); nothing was ordered.",
        "执行该单后环境将存在 {count} 个问题，因此未创建执行单。",
    ),
    Text(
        "Order what is missing before it or together with it, or correct the solution and import it again.",
        "请先行或一并部署缺少的内容，或修正解决方案后重新导入。",
    ),
)
PARAMETERS_NOT_READY = _code(
    "PARAMETERS_NOT_READY",
    409,
    Text("Parameters are not ready to be confirmed: {names}", "以下参数尚不能确认：{names}"),
    Text(
        "Fill in what is missing, resolve the conflicts, correct the errors and render again.",
        "请补齐缺失的参数、解决冲突、修正错误并重新渲染。",
    ),
)
PARAMETER_UNKNOWN = _code(
    "PARAMETER_UNKNOWN",
    404,
    Text("There is no parameter {name} in this plan.", "此规划中没有参数 {name}。"),
    Text("Reload the page; the solution may have been imported anew.", "请刷新页面，解决方案可能已重新导入。"),
)
PARAMETER_VALUE = _code(
    "PARAMETER_VALUE_REFUSED",
    422,
    Text("The value of {name} cannot be taken: {detail}", "无法接受参数 {name} 的值：{detail}"),
    Text("Enter a value of the parameter's type.", "请输入与参数类型相符的值。"),
)
PARAMETER_UNRESOLVED = _code(
    "PARAMETER_UNRESOLVED",
    409,
    Text(
        "{name} needs {reference}, which the environment doesn't give yet.",
        "参数 {name} 需要 {reference}，但环境尚未提供。",
    ),
    Text(
        "See whether the step that makes this resource has succeeded, then retry.",
        "请确认创建该资源的步骤已成功，然后重试。",
    ),
)

GROUPS_STRATEGY = _code(
    "GROUPS_STRATEGY_UNKNOWN",
    422,
    Text("There is no grouping called {strategy}.", "没有名为 {strategy} 的分组策略。"),
    Text("Choose one of: {known}.", "请从以下策略中选择：{known}。"),
)
GROUPS_CUSTOM_PER_APPLICATION = _code(
    "GROUPS_CUSTOM_PER_APPLICATION",
    422,
    Text(
        "A custom grouping belongs to one application, not to a whole order.",
        "自定义分组只能针对单个应用配置，不能用于整个执行单。",
    ),
    Text(
        "Choose another grouping for the order, and set the custom one at its applications.",
        "请为执行单选择其他策略，并在应用中单独设置自定义分组。",
    ),
)
GROUPS_COUNT = _code(
    "GROUPS_COUNT_REFUSED",
    422,
    Text(
        "{groups} groups cannot be made of {n} instance(s): there may be 2 to {most}.",
        "{n} 个实例不能分为 {groups} 组：允许 2 至 {most} 组。",
    ),
    Text("Change the number of groups; the shares are then set anew.", "请调整分组数量，各组占比将重新均分。"),
)
GROUPS_SHARES = _code(
    "GROUPS_SHARES_REFUSED",
    422,
    Text("These shares cannot be used: {detail}", "无法使用这些占比：{detail}"),
    Text("Correct the shares, or reset them to even ones.", "请修正各组占比，或重置为平均分配。"),
)

SEQUENCE_CYCLE = _code(
    "DEPENDENCY_CYCLE",
    422,
    Text("These depend on each other in a circle: {cycle}", "存在循环依赖：{cycle}"),
    Text("Remove one of these dependencies.", "请移除其中一个依赖关系。"),
)
SEQUENCE_REFUSED = _code(
    "SEQUENCE_REFUSED",
    422,
    Text("This order of release cannot be used: {detail}", "无法使用该发布顺序：{detail}"),
    Text("Correct the sequence, or restore the default order.", "请修正顺序，或恢复默认发布顺序。"),
)
ROLLBACK_NOTHING = _code(
    "ROLLBACK_NOTHING_TO_RETURN_TO",
    409,
    Text("{what} has no earlier successful record to return to.", "{what}没有可回滚到的成功记录。"),
    Text("Import a solution with the version wanted and release it.", "请导入目标版本的解决方案并发布。"),
)

IMAGE_PULL_FAILED = _code(
    "IMAGE_PULL_FAILED",
    409,
    Text("{pod} cannot pull the image {image}: {detail}", "{pod} 无法拉取镜像 {image}：{detail}"),
    Text(
        "Check that the image and tag are in the registry and that the pull secret may read them, then retry.",
        "请确认镜像及标签已在镜像仓库中且拉取凭证有权限，然后重试。",
    ),
)
IMAGE_NAME_INVALID = _code(
    "IMAGE_NAME_INVALID",
    409,
    Text("{pod} has an image name that cannot be read: {image}", "{pod} 的镜像名称无法解析：{image}"),
    Text("Correct the image reference in the solution.", "请在解决方案中修正镜像地址。"),
)
CRASH_LOOP = _code(
    "CRASH_LOOP",
    409,
    Text(
        "The container {container} of {pod} keeps ending and was restarted {restarts} time(s): {detail}",
        "{pod} 的容器 {container} 反复退出，已重启 {restarts} 次：{detail}",
    ),
    Text(
        "Read the log of the previous container; check parameters, command and what the application connects to.",
        "请查看上一个容器的日志，检查参数、启动命令及其所连接的服务。",
    ),
)
OUT_OF_MEMORY = _code(
    "OUT_OF_MEMORY",
    409,
    Text(
        "The container {container} of {pod} was ended because it used more memory than its limit.",
        "{pod} 的容器 {container} 因内存超出上限而被终止。",
    ),
    Text(
        "Raise the memory limit (resize) or lower the application's heap.",
        "请提高内存上限（容器变配）或调低应用堆内存。",
    ),
)
UNSCHEDULABLE = _code(
    "UNSCHEDULABLE",
    409,
    Text("No node takes {pod}: {detail}", "没有节点可以调度 {pod}：{detail}"),
    Text(
        "Free or add capacity, or relax the requests, affinity, tolerations or spread of the application.",
        "请释放或增加集群容量，或放宽应用的资源请求、亲和性、容忍度与打散约束。",
    ),
)
MOUNT_FAILED = _code(
    "MOUNT_FAILED",
    409,
    Text("A volume of {pod} cannot be mounted: {detail}", "{pod} 的存储卷无法挂载：{detail}"),
    Text(
        "Check that the claim is bound, the secret exists and no other node still holds the volume.",
        "请确认存储声明已绑定、所引用的 Secret 存在，且没有其他节点占用该卷。",
    ),
)
PROBE_FAILED = _code(
    "PROBE_FAILED",
    409,
    Text("{pod} runs, but its {probe} probe fails: {detail}", "{pod} 已运行，但{probe}探针失败：{detail}"),
    Text(
        "Read the container's log; check the probe's port and path and how long the application needs to start.",
        "请查看容器日志，检查探针端口与路径以及应用所需的启动时间。",
    ),
)
QUOTA_EXCEEDED = _code(
    "QUOTA_EXCEEDED",
    409,
    Text(
        "The namespace's quota does not allow another pod of {workload}: {detail}",
        "命名空间配额不允许 {workload} 再创建 Pod：{detail}",
    ),
    Text(
        "Raise the quota of the namespace, or lower requests or replicas.",
        "请提高命名空间配额，或降低资源请求或副本数。",
    ),
)
POD_REFUSED = _code(
    "POD_REFUSED",
    409,
    Text("The cluster refuses to create pods of {workload}: {detail}", "集群拒绝为 {workload} 创建 Pod：{detail}"),
    Text(
        "Read what the cluster answers: an admission policy, a webhook or a security rule has to be met.",
        "请查看集群的返回信息：需要满足准入策略、Webhook 或安全规则。",
    ),
)
CONTAINER_CREATE_FAILED = _code(
    "CONTAINER_CREATE_FAILED",
    409,
    Text("The container {container} of {pod} cannot be made: {detail}", "无法创建 {pod} 的容器 {container}：{detail}"),
    Text(
        "Check that every Secret and ConfigMap it refers to exists, and its command.",
        "请确认其引用的 Secret、ConfigMap 均存在，并检查启动命令。",
    ),
)
POD_FAILED = _code(
    "POD_FAILED",
    409,
    Text("{pod} has ended with a failure: {detail}", "{pod} 已失败退出：{detail}"),
    Text("Read the pod's events and last log lines, then retry.", "请查看 Pod 的事件与最后的日志，然后重试。"),
)

POD_ERRORS = (
    IMAGE_PULL_FAILED,
    IMAGE_NAME_INVALID,
    CRASH_LOOP,
    OUT_OF_MEMORY,
    UNSCHEDULABLE,
    MOUNT_FAILED,
    PROBE_FAILED,
    QUOTA_EXCEEDED,
    POD_REFUSED,
    CONTAINER_CREATE_FAILED,
    POD_FAILED,
)
ERRORS = (
    SOLUTION_TOO_LARGE,
    SOLUTION_UNREADABLE,
    SOLUTION_INVALID,
    ORDER_INVALID,
    PARAMETERS_NOT_READY,
    PARAMETER_UNKNOWN,
    PARAMETER_VALUE,
    PARAMETER_UNRESOLVED,
    GROUPS_STRATEGY,
    GROUPS_CUSTOM_PER_APPLICATION,
    GROUPS_COUNT,
    GROUPS_SHARES,
    SEQUENCE_CYCLE,
    SEQUENCE_REFUSED,
    ROLLBACK_NOTHING,
    *POD_ERRORS,
)
