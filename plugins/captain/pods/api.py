"""``/api/v1/captain``: the list of pods, and one."""

from __future__ import annotations

from app.kube.clusters import get_cluster
from app.web.api import Page
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import ONE, api
from plugins.captain.objects import live
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.mirror import get_object, listed
from plugins.captain.objects.object_list import page_of_objects
from plugins.captain.objects.shapes import ClusterId, Namespace, ObjectName, ObjectQuery
from plugins.captain.pods.shapes import IN_API, SEARCH, PodDetail, PodOut, pod


@api.operation(
    "GET",
    f"{ONE}/pods",
    "captain.pods.list",
    _("List pods"),
    permissions.POD_READ,
    query=ObjectQuery,
    returns=Page[PodOut],
    resource=permissions.place,
)
def list_pods(cluster_id: ClusterId, query: ObjectQuery) -> Page[PodOut]:
    return page_of_objects(listed(get_cluster(cluster_id).id, "pods"), query, pod, SEARCH)


@api.operation(
    "GET",
    IN_API,
    "captain.pods.get",
    _("Show a pod"),
    permissions.POD_READ,
    returns=PodDetail,
    resource=permissions.place,
)
def get_pod(cluster_id: ClusterId, namespace: Namespace, name: ObjectName) -> PodDetail:
    cluster = get_cluster(cluster_id)
    row = get_object(cluster.id, KINDS["pods"], namespace, name)
    item, error = live.find(cluster, "Pod", namespace, name)
    return PodDetail(pod(row), item or None, error.code if error else None)
