"""``/api/v1/captain``: the list of nodes, and one."""

from __future__ import annotations

from app.kube.clusters import get_cluster
from app.web.api import Page
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import ONE, api
from plugins.captain.nodes.shapes import SEARCH, NodeOut, node
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.mirror import get_object, listed
from plugins.captain.objects.object_list import page_of_objects
from plugins.captain.objects.shapes import ClusterId, ObjectName, ObjectQuery


@api.operation(
    "GET",
    f"{ONE}/nodes",
    "captain.nodes.list",
    _("List nodes"),
    permissions.NODE_READ,
    query=ObjectQuery,
    returns=Page[NodeOut],
    resource=permissions.place,
)
def list_nodes(cluster_id: ClusterId, query: ObjectQuery) -> Page[NodeOut]:
    return page_of_objects(listed(get_cluster(cluster_id).id, "nodes", whole=True), query, node, SEARCH)


@api.operation(
    "GET",
    f"{ONE}/nodes/<name>",
    "captain.nodes.get",
    _("Show a node"),
    permissions.NODE_READ,
    returns=NodeOut,
    resource=permissions.place,
)
def get_node(cluster_id: ClusterId, name: ObjectName) -> NodeOut:
    return node(get_object(get_cluster(cluster_id).id, KINDS["nodes"], "", name))
