"""Changing a running pod's resources in place (docs: "Resize CPU and Memory Resources assigned to Containers")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.controllers.common import PODS
from sandbox.errors import denied, invalid
from sandbox.objects.admission import _qos as qos_of
from sandbox.objects.validate_pod import pod_spec
from sandbox.writes import How

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

Obj = dict[str, Any]


def accept(cluster: Cluster, there: Obj, wanted: Obj, how: How) -> Obj:
    """Write new resources of a pod's containers; the kubelet takes them over.

    :raises ApiError: something else was changed, or the QoS class would
    """
    resource = cluster.known(PODS)
    name = there["metadata"]["name"]
    new = {container["name"]: container for container in wanted["spec"].get("containers", ())}
    made = cluster.writer.load(resource, there["metadata"]["namespace"], name)
    for container in made["spec"]["containers"]:
        if container["name"] in new:
            container["resources"] = new[container["name"]].get("resources") or {}
            if new[container["name"]].get("image") != container.get("image"):
                raise invalid(resource, name, [denied("spec", "only cpu and memory resources are mutable")])
    causes = pod_spec(made["spec"], "spec")
    if qos_of(made["spec"]) != there.get("status", {}).get("qosClass"):
        causes.append(denied("metadata", "Pod QOS Class may not change as a result of resizing"))
    if causes:
        raise invalid(resource, name, causes)
    if how.dry_run:
        return made
    made["metadata"]["generation"] = made["metadata"].get("generation", 1) + 1
    cluster.store.write(PODS, made)
    cluster.controllers.scheduler.retake(made["metadata"]["uid"], made)
    item = ((made["metadata"]["namespace"], name), made["metadata"]["uid"])
    cluster.queue.after(cluster.delay(0.2, 0.5), cluster.controllers.kubelet_resize, item)
    return made


def apply(cluster: Cluster, item: tuple[tuple[str, str], str]) -> None:
    """The kubelet's part: what the container has now."""
    key, uid = item
    pod = cluster.get(PODS, *key)
    if pod is None or pod["metadata"]["uid"] != uid or pod.get("status", {}).get("phase") != "Running":
        return
    by_name = {container["name"]: container for container in pod["spec"]["containers"]}
    for one in pod["status"].get("containerStatuses", ()):
        amounts = by_name[one["name"]].get("resources", {})
        one["resources"] = {part: dict(amounts[part]) for part in ("limits", "requests") if part in amounts}
        one["allocatedResources"] = dict(amounts.get("requests", {}))
    pod["status"]["observedGeneration"] = pod["metadata"].get("generation", 1)
    cluster.store.write(PODS, pod)
