"""Every error that the rules of orders can raise or recognise, with its reason and remedy (guide 2.8.6)."""

from __future__ import annotations

from app.words import _
from plugins.yunyou.documents.error_codes import yunyou_error

ORDER_INVALID = yunyou_error(
    "ORDER_INVALID",
    422,
    _("After this order the environment would have {count} problem(s); nothing was ordered."),
    _("Order what is missing before it or together with it, or correct the solution and import it again."),
)
GROUPS_STRATEGY = yunyou_error(
    "GROUPS_STRATEGY_UNKNOWN",
    422,
    _("There is no grouping called {strategy}."),
    _("Choose one of: {known}."),
)
GROUPS_CUSTOM_PER_APPLICATION = yunyou_error(
    "GROUPS_CUSTOM_PER_APPLICATION",
    422,
    _("A custom grouping belongs to one application, not to a whole order."),
    _("Choose another grouping for the order, and set the custom one at its applications."),
)
GROUPS_COUNT = yunyou_error(
    "GROUPS_COUNT_REFUSED",
    422,
    _("{groups} groups cannot be made of {n} instance(s): there may be 2 to {most}."),
    _("Change the number of groups; the shares are then set anew."),
)
GROUPS_SHARES = yunyou_error(
    "GROUPS_SHARES_REFUSED",
    422,
    _("These shares cannot be used: {detail}"),
    _("Correct the shares, or reset them to even ones."),
)
SEQUENCE_CYCLE = yunyou_error(
    "DEPENDENCY_CYCLE",
    422,
    _("These depend on each other in a circle: {cycle}"),
    _("Remove one of these dependencies."),
)
SEQUENCE_REFUSED = yunyou_error(
    "SEQUENCE_REFUSED",
    422,
    _("This order of release cannot be used: {detail}"),
    _("Correct the sequence, or restore the default order."),
)
ROLLBACK_NOTHING = yunyou_error(
    "ROLLBACK_NOTHING_TO_RETURN_TO",
    409,
    _("{what} has no earlier successful record to return to."),
    _("Import a solution with the version wanted and release it."),
)
IMAGE_PULL_FAILED = yunyou_error(
    "IMAGE_PULL_FAILED",
    409,
    _("{pod} cannot pull the image {image}: {detail}"),
    _("Check that the image and tag are in the registry and that the pull secret may read them, then retry."),
)
IMAGE_NAME_INVALID = yunyou_error(
    "IMAGE_NAME_INVALID",
    409,
    _("{pod} has an image name that cannot be read: {image}"),
    _("Correct the image reference in the solution."),
)
CRASH_LOOP = yunyou_error(
    "CRASH_LOOP",
    409,
    _("The container {container} of {pod} keeps ending and was restarted {restarts} time(s): {detail}"),
    _("Read the log of the previous container; check parameters, command and what the application connects to."),
)
OUT_OF_MEMORY = yunyou_error(
    "OUT_OF_MEMORY",
    409,
    _("The container {container} of {pod} was ended because it used more memory than its limit."),
    _("Raise the memory limit (resize) or lower the application's heap."),
)
UNSCHEDULABLE = yunyou_error(
    "UNSCHEDULABLE",
    409,
    _("No node takes {pod}: {detail}"),
    _("Free or add capacity, or relax the requests, affinity, tolerations or spread of the application."),
)
MOUNT_FAILED = yunyou_error(
    "MOUNT_FAILED",
    409,
    _("A volume of {pod} cannot be mounted: {detail}"),
    _("Check that the claim is bound, the secret exists and no other node still holds the volume."),
)
PROBE_FAILED = yunyou_error(
    "PROBE_FAILED",
    409,
    _("{pod} runs, but its {probe} probe fails: {detail}"),
    _("Read the container's log; check the probe's port and path and how long the application needs to start."),
)
QUOTA_EXCEEDED = yunyou_error(
    "QUOTA_EXCEEDED",
    409,
    _("The namespace's quota does not allow another pod of {workload}: {detail}"),
    _("Raise the quota of the namespace, or lower requests or replicas."),
)
POD_REFUSED = yunyou_error(
    "POD_REFUSED",
    409,
    _("The cluster refuses to create pods of {workload}: {detail}"),
    _("Read what the cluster answers: an admission policy, a webhook or a security rule has to be met."),
)
CONTAINER_CREATE_FAILED = yunyou_error(
    "CONTAINER_CREATE_FAILED",
    409,
    _("The container {container} of {pod} cannot be made: {detail}"),
    _("Check that every Secret and ConfigMap it refers to exists, and its command."),
)
POD_FAILED = yunyou_error(
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
    ORDER_INVALID,
    GROUPS_STRATEGY,
    GROUPS_CUSTOM_PER_APPLICATION,
    GROUPS_COUNT,
    GROUPS_SHARES,
    SEQUENCE_CYCLE,
    SEQUENCE_REFUSED,
    ROLLBACK_NOTHING,
    *POD_ERRORS,
)
