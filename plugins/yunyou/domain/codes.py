"""Every error that the rules of delivery can raise or recognise, with its reason and remedy (guide 2.8.6)."""

from __future__ import annotations

from app.errors import ErrorCode
from app.words import Text, _


def _code(reason: str, status: int, why: Text, remedy: Text) -> ErrorCode:
    return ErrorCode(f"YUNYOU/{reason}", status, why, remedy)


SOLUTION_TOO_LARGE = _code(
    "SOLUTION_TOO_LARGE",
    413,
    _("The file has {size} MB; at most {limit} MB are taken."),
    _("Split the solution by product, then import the parts."),
)
SOLUTION_UNREADABLE = _code(
    "SOLUTION_UNREADABLE",
    422,
    _("The file cannot be read: {detail}"),
    _("Export the solution again, or correct the file at the place named, and import it anew."),
)
SOLUTION_INVALID = _code(
    "SOLUTION_INVALID",
    422,
    _("The solution has {count} problem(s), and is refused as a whole."),
    _("Correct every place that is listed, then import it again."),
)
ORDER_INVALID = _code(
    "ORDER_INVALID",
    422,
    _("After this order the environment would have {count} problem(s); nothing was ordered."),
    _("Order what is missing before it or together with it, or correct the solution and import it again."),
)
PARAMETERS_NOT_READY = _code(
    "PARAMETERS_NOT_READY",
    409,
    _("Parameters are not ready to be confirmed: {names}"),
    _("Fill in what is missing, resolve the conflicts, correct the errors and render again."),
)
PARAMETER_UNKNOWN = _code(
    "PARAMETER_UNKNOWN",
    404,
    _("There is no parameter {name} in this plan."),
    _("Reload the page; the solution may have been imported anew."),
)
PARAMETER_VALUE = _code(
    "PARAMETER_VALUE_REFUSED",
    422,
    _("The value of {name} cannot be taken: {detail}"),
    _("Enter a value of the parameter's type."),
)
PARAMETER_UNRESOLVED = _code(
    "PARAMETER_UNRESOLVED",
    409,
    _("{name} needs {reference}, which the environment doesn't give yet."),
    _("See whether the step that makes this resource has succeeded, then retry."),
)

GROUPS_STRATEGY = _code(
    "GROUPS_STRATEGY_UNKNOWN",
    422,
    _("There is no grouping called {strategy}."),
    _("Choose one of: {known}."),
)
GROUPS_CUSTOM_PER_APPLICATION = _code(
    "GROUPS_CUSTOM_PER_APPLICATION",
    422,
    _("A custom grouping belongs to one application, not to a whole order."),
    _("Choose another grouping for the order, and set the custom one at its applications."),
)
GROUPS_COUNT = _code(
    "GROUPS_COUNT_REFUSED",
    422,
    _("{groups} groups cannot be made of {n} instance(s): there may be 2 to {most}."),
    _("Change the number of groups; the shares are then set anew."),
)
GROUPS_SHARES = _code(
    "GROUPS_SHARES_REFUSED",
    422,
    _("These shares cannot be used: {detail}"),
    _("Correct the shares, or reset them to even ones."),
)

SEQUENCE_CYCLE = _code(
    "DEPENDENCY_CYCLE",
    422,
    _("These depend on each other in a circle: {cycle}"),
    _("Remove one of these dependencies."),
)
SEQUENCE_REFUSED = _code(
    "SEQUENCE_REFUSED",
    422,
    _("This order of release cannot be used: {detail}"),
    _("Correct the sequence, or restore the default order."),
)
ROLLBACK_NOTHING = _code(
    "ROLLBACK_NOTHING_TO_RETURN_TO",
    409,
    _("{what} has no earlier successful record to return to."),
    _("Import a solution with the version wanted and release it."),
)

IMAGE_PULL_FAILED = _code(
    "IMAGE_PULL_FAILED",
    409,
    _("{pod} cannot pull the image {image}: {detail}"),
    _("Check that the image and tag are in the registry and that the pull secret may read them, then retry."),
)
IMAGE_NAME_INVALID = _code(
    "IMAGE_NAME_INVALID",
    409,
    _("{pod} has an image name that cannot be read: {image}"),
    _("Correct the image reference in the solution."),
)
CRASH_LOOP = _code(
    "CRASH_LOOP",
    409,
    _("The container {container} of {pod} keeps ending and was restarted {restarts} time(s): {detail}"),
    _("Read the log of the previous container; check parameters, command and what the application connects to."),
)
OUT_OF_MEMORY = _code(
    "OUT_OF_MEMORY",
    409,
    _("The container {container} of {pod} was ended because it used more memory than its limit."),
    _("Raise the memory limit (resize) or lower the application's heap."),
)
UNSCHEDULABLE = _code(
    "UNSCHEDULABLE",
    409,
    _("No node takes {pod}: {detail}"),
    _("Free or add capacity, or relax the requests, affinity, tolerations or spread of the application."),
)
MOUNT_FAILED = _code(
    "MOUNT_FAILED",
    409,
    _("A volume of {pod} cannot be mounted: {detail}"),
    _("Check that the claim is bound, the secret exists and no other node still holds the volume."),
)
PROBE_FAILED = _code(
    "PROBE_FAILED",
    409,
    _("{pod} runs, but its {probe} probe fails: {detail}"),
    _("Read the container's log; check the probe's port and path and how long the application needs to start."),
)
QUOTA_EXCEEDED = _code(
    "QUOTA_EXCEEDED",
    409,
    _("The namespace's quota does not allow another pod of {workload}: {detail}"),
    _("Raise the quota of the namespace, or lower requests or replicas."),
)
POD_REFUSED = _code(
    "POD_REFUSED",
    409,
    _("The cluster refuses to create pods of {workload}: {detail}"),
    _("Read what the cluster answers: an admission policy, a webhook or a security rule has to be met."),
)
CONTAINER_CREATE_FAILED = _code(
    "CONTAINER_CREATE_FAILED",
    409,
    _("The container {container} of {pod} cannot be made: {detail}"),
    _("Check that every Secret and ConfigMap it refers to exists, and its command."),
)
POD_FAILED = _code(
    "POD_FAILED",
    409,
    _("{pod} has ended with a failure: {detail}"),
    _("Read the pod's events and last log lines, then retry."),
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
