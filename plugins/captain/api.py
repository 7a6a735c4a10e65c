"""``/api/v1/captain``: what the pages show and do, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import Select

from app.auth import decisions
from app.contracts.shapes import doc
from app.db import scoped
from app.errors import invalid
from app.kube import clusters, paths
from app.kube.client import kube
from app.kube.clusters import get_cluster
from app.kube.errors import ERRORS as KUBE_ERRORS
from app.kube.errors import IN_USE
from app.kube.models import Cluster, KubeObject
from app.web import pod_logs as logs
from app.web.api import Api, In, ListQuery, Out, Page, page, page_together
from app.web.conflicts import need_version
from app.web.pod_logs import LogQuery
from app.words import _
from plugins.captain import actions, live, permissions, queries, registration, shapes
from plugins.captain.kinds import BY_NAME, KINDS, workload
from plugins.captain.registration import ChangedCluster, NewCluster

api = Api("captain", _("Captain: Kubernetes clusters"))
CLUSTERS, ONE = "/captain/clusters", "/captain/clusters/<cluster_id>"
POD = f"{ONE}/pods/<namespace>/<name>"
SORTS: dict[str, Any] = {
    "name": KubeObject.name,
    "namespace": KubeObject.namespace,
    "state": KubeObject.state,
    "createdAt": KubeObject.created_at,
    "restarts": KubeObject.restarts,
    "node": KubeObject.node,
}


class ObjectQuery(ListQuery):
    """Filters of the lists of objects."""

    namespace: Annotated[str, doc("Only objects in this namespace.")] = ""
    state: Annotated[str, doc("Only objects in this state.")] = ""
    node: Annotated[str, doc("Only what is on this node.")] = ""


class Which(In):
    """Which object."""

    api_version: Annotated[str, doc("Version of the API, such as `apps/v1`.")] = "v1"
    kind: Annotated[str, doc("Kind, such as `Deployment`.")] = ""
    namespace: Annotated[str, doc("Namespace, where the kind lives in one.")] = ""
    name: Annotated[str, doc("Name; left out for all of the kind.")] = ""


class Uid(In):
    """The pod that is meant: a new one of the same name has another UID."""

    uid: Annotated[str, doc("UID of the pod that is meant; another one of its name is left alone.")]


class LogOut(Out):
    """Lines of a log; ``next`` is what ``after`` takes to go on, ``ended`` tells that nothing more will come."""

    lines: Annotated[list[str], doc("The lines, oldest first.")]
    next: Annotated[str, doc("What `after` takes to go on from here.")]
    ended: Annotated[bool, doc("Whether nothing more will come.")]


def _clusters(found: Sequence[Cluster]) -> list[shapes.ClusterOut]:
    identifiers = [row.id for row in found]
    used, mirrors = queries.usage(identifiers), queries.mirrors(identifiers)
    return [shapes.cluster(row, used[row.id], mirrors[row.id]) for row in found]


def _cluster(row: Cluster) -> shapes.ClusterOut:
    return _clusters([row])[0]


@api.operation(
    "GET",
    CLUSTERS,
    "captain.clusters.list",
    _("List clusters"),
    permissions.CLUSTER_READ,
    query=ListQuery,
    returns=Page[shapes.ClusterOut],
)
def list_clusters(query: ListQuery) -> Page[shapes.ClusterOut]:
    return page_together(
        scoped(Cluster),
        query,
        _clusters,
        sorts={"name": Cluster.name, "createdAt": Cluster.created_at, "state": Cluster.state},
        search=(Cluster.name, Cluster.server, Cluster.description),
        key=Cluster.id,
        default="name",
    )


@api.operation(
    "POST",
    CLUSTERS,
    "captain.clusters.create",
    _("Register a cluster"),
    permissions.CLUSTER_EDIT,
    audit=permissions.CLUSTER_ADDED,
    body=NewCluster,
    returns=shapes.ClusterOut,
    status=201,
    errors=KUBE_ERRORS,
)
def create_cluster(body: NewCluster) -> shapes.ClusterOut:
    return _cluster(registration.register(body))


@api.operation(
    "GET",
    ONE,
    "captain.clusters.get",
    _("Show a cluster"),
    permissions.CLUSTER_READ,
    returns=shapes.ClusterOut,
    resource=permissions.place,
)
def show_cluster(cluster_id: shapes.ClusterId) -> shapes.ClusterOut:
    return _cluster(get_cluster(cluster_id))


@api.operation(
    "PATCH",
    ONE,
    "captain.clusters.update",
    _("Change a cluster"),
    permissions.CLUSTER_EDIT,
    audit=permissions.CLUSTER_CHANGED,
    body=ChangedCluster,
    returns=shapes.ClusterOut,
    errors=KUBE_ERRORS,
    resource=permissions.place,
)
def change_cluster(cluster_id: shapes.ClusterId, body: ChangedCluster) -> shapes.ClusterOut:
    row = get_cluster(cluster_id)
    need_version(row)
    return _cluster(registration.change(row, body))


@api.operation(
    "DELETE",
    ONE,
    "captain.clusters.delete",
    _("Remove a cluster"),
    permissions.CLUSTER_EDIT,
    audit=permissions.CLUSTER_REMOVED,
    status=204,
    errors=(IN_USE,),
    resource=permissions.place,
)
def remove_cluster(cluster_id: shapes.ClusterId) -> None:
    clusters.remove(get_cluster(cluster_id))


@api.operation(
    "GET",
    f"{ONE}/overview",
    "captain.overview.get",
    _("Numbers of a cluster"),
    permissions.CLUSTER_READ,
    returns=shapes.OverviewOut,
    resource=permissions.place,
)
def get_overview(cluster_id: shapes.ClusterId) -> shapes.OverviewOut:
    identifier = get_cluster(cluster_id).id

    def counts(plural: shapes.Plural) -> list[shapes.Count]:
        return [shapes.Count(state, number) for state, __, number in queries.by_state(identifier, plural)]

    kinds = [kind.plural for kind in KINDS.values() if kind.workload and kind.tab]
    used = shapes.usage(queries.usage([identifier])[identifier])
    return shapes.OverviewOut(used, counts("nodes"), counts("pods"), {plural: counts(plural) for plural in kinds})


@api.operation(
    "GET",
    f"{ONE}/warnings",
    "captain.warnings.list",
    _("Recent warnings of a cluster"),
    permissions.CLUSTER_READ,
    returns=list[live.Seen],
    errors=KUBE_ERRORS,
    resource=permissions.place,
)
def get_warnings(cluster_id: shapes.ClusterId) -> Sequence[live.Seen]:
    return live.warnings(get_cluster(cluster_id))


@api.operation(
    "GET",
    f"{ONE}/nodes",
    "captain.nodes.list",
    _("List nodes"),
    permissions.NODE_READ,
    query=ObjectQuery,
    returns=Page[shapes.NodeOut],
    resource=permissions.place,
)
def list_nodes(cluster_id: shapes.ClusterId, query: ObjectQuery) -> Page[shapes.NodeOut]:
    return _page(queries.listed(get_cluster(cluster_id).id, "nodes", whole=True), query, shapes.node)


@api.operation(
    "GET",
    f"{ONE}/nodes/<name>",
    "captain.nodes.get",
    _("Show a node"),
    permissions.NODE_READ,
    returns=shapes.NodeOut,
    resource=permissions.place,
)
def get_node(cluster_id: shapes.ClusterId, name: shapes.ObjectName) -> shapes.NodeOut:
    return shapes.node(queries.get_object(get_cluster(cluster_id).id, KINDS["nodes"], "", name))


@api.operation(
    "GET",
    f"{ONE}/namespaces",
    "captain.namespaces.list",
    _("List namespaces"),
    permissions.NAMESPACE_READ,
    query=ObjectQuery,
    returns=Page[shapes.NamespaceOut],
    resource=permissions.place,
)
def list_namespaces(cluster_id: shapes.ClusterId, query: ObjectQuery) -> Page[shapes.NamespaceOut]:
    return _page(queries.listed(get_cluster(cluster_id).id, "namespaces", whole=True), query, shapes.namespace)


@api.operation(
    "GET",
    f"{ONE}/namespaces/<name>",
    "captain.namespaces.get",
    _("Show a namespace"),
    permissions.NAMESPACE_READ,
    returns=shapes.NamespaceOut,
    resource=permissions.place,
)
def get_namespace(cluster_id: shapes.ClusterId, name: shapes.ObjectName) -> shapes.NamespaceOut:
    return shapes.namespace(queries.get_object(get_cluster(cluster_id).id, KINDS["namespaces"], "", name))


@api.operation(
    "GET",
    f"{ONE}/workloads/<plural>",
    "captain.workloads.list",
    _("List workloads of a kind"),
    permissions.WORKLOAD_READ,
    query=ObjectQuery,
    returns=Page[shapes.WorkloadOut],
    resource=permissions.place,
)
def list_workloads(cluster_id: shapes.ClusterId, plural: shapes.Plural, query: ObjectQuery) -> Page[shapes.WorkloadOut]:
    search = (KubeObject.name, KubeObject.images, KubeObject.application, KubeObject.product)
    return _page(queries.listed(get_cluster(cluster_id).id, workload(plural).plural), query, shapes.workload, search)


@api.operation(
    "GET",
    f"{ONE}/workloads/<plural>/<namespace>/<name>",
    "captain.workloads.get",
    _("Show a workload"),
    permissions.WORKLOAD_READ,
    returns=shapes.WorkloadOut,
    resource=permissions.place,
)
def get_workload(
    cluster_id: shapes.ClusterId, plural: shapes.Plural, namespace: shapes.Namespace, name: shapes.ObjectName
) -> shapes.WorkloadOut:
    return shapes.workload(queries.get_object(get_cluster(cluster_id).id, workload(plural), namespace, name))


@api.operation(
    "GET",
    f"{ONE}/workloads/<plural>/<namespace>/<name>/pods",
    "captain.workloads.pods",
    _("Pods of a workload"),
    permissions.WORKLOAD_READ,
    query=ObjectQuery,
    returns=Page[shapes.PodOut],
    resource=permissions.place,
)
def list_workload_pods(
    cluster_id: shapes.ClusterId,
    plural: shapes.Plural,
    namespace: shapes.Namespace,
    name: shapes.ObjectName,
    query: ObjectQuery,
) -> Page[shapes.PodOut]:
    decisions.require(permissions.POD_READ, {"cluster": cluster_id, "namespace": namespace})
    row = queries.get_object(get_cluster(cluster_id).id, workload(plural), namespace, name)
    return _page(queries.pods_of(row), query, shapes.pod)


@api.operation(
    "GET",
    f"{ONE}/pods",
    "captain.pods.list",
    _("List pods"),
    permissions.POD_READ,
    query=ObjectQuery,
    returns=Page[shapes.PodOut],
    resource=permissions.place,
)
def list_pods(cluster_id: shapes.ClusterId, query: ObjectQuery) -> Page[shapes.PodOut]:
    search = (KubeObject.name, KubeObject.ip, KubeObject.node, KubeObject.images)
    return _page(queries.listed(get_cluster(cluster_id).id, "pods"), query, shapes.pod, search)


@api.operation(
    "GET",
    POD,
    "captain.pods.get",
    _("Show a pod"),
    permissions.POD_READ,
    returns=shapes.PodDetail,
    resource=permissions.place,
)
def get_pod(cluster_id: shapes.ClusterId, namespace: shapes.Namespace, name: shapes.ObjectName) -> shapes.PodDetail:
    cluster = get_cluster(cluster_id)
    row = queries.get_object(cluster.id, KINDS["pods"], namespace, name)
    item, error = live.find(cluster, "Pod", namespace, name)
    return shapes.PodDetail(shapes.pod(row), item or None, error.code if error else None)


@api.operation(
    "GET",
    f"{POD}/log",
    "captain.pods.log",
    _("Read a container's log"),
    permissions.POD_LOG,
    query=LogQuery,
    returns=LogOut,
    errors=(*logs.ERRORS, *KUBE_ERRORS),
    resource=permissions.place,
)
def get_log(
    cluster_id: shapes.ClusterId, namespace: shapes.Namespace, name: shapes.ObjectName, query: LogQuery
) -> LogOut:
    client = kube(get_cluster(cluster_id))
    lines = logs.read(client, namespace, name, logs.checked(query))
    last = logs.last_stamp(lines) or query.after
    ended = query.previous or (not lines and logs.has_ended(client, namespace, name, query.container))
    return LogOut([logs.shown(line, query.timestamps) for line in lines], last, ended)


@api.operation(
    "DELETE",
    POD,
    "captain.pods.delete",
    _("Delete a pod"),
    permissions.POD_DELETE,
    audit=permissions.POD_DELETED,
    query=Uid,
    status=204,
    errors=(*actions.ERRORS, *KUBE_ERRORS),
    resource=permissions.place,
    external=True,
)
def delete_pod(cluster_id: shapes.ClusterId, namespace: shapes.Namespace, name: shapes.ObjectName, query: Uid) -> None:
    actions.delete_pod(get_cluster(cluster_id), namespace, name, query.uid)


@api.operation(
    "POST",
    f"{POD}/evict",
    "captain.pods.evict",
    _("Evict a pod"),
    permissions.POD_DELETE,
    audit=permissions.POD_EVICTED,
    body=Uid,
    status=204,
    errors=(*actions.ERRORS, *KUBE_ERRORS),
    resource=permissions.place,
    external=True,
)
def evict_pod(cluster_id: shapes.ClusterId, namespace: shapes.Namespace, name: shapes.ObjectName, body: Uid) -> None:
    actions.evict_pod(get_cluster(cluster_id), namespace, name, body.uid)


@api.operation(
    "GET",
    f"{ONE}/objects",
    "captain.objects.get",
    _("Objects as the cluster has them"),
    permissions.CLUSTER_READ,
    query=Which,
    returns=shapes.KubernetesObject,
    errors=KUBE_ERRORS,
    resource=permissions.place,
)
def get_objects(cluster_id: shapes.ClusterId, query: Which) -> dict[str, Any]:
    """One object, or with no name the list of a kind; values of Secrets are masked."""
    cluster = get_cluster(cluster_id)
    path = _path(query)
    known = BY_NAME.get(query.kind)
    place = {"cluster": cluster.id} | ({"namespace": query.namespace} if query.namespace else {})
    decisions.require(known.permission if known else permissions.WORKLOAD_READ, place)
    return live.masked(live.get(cluster, path, None if query.name else {"limit": 500}))


@api.operation(
    "GET",
    f"{ONE}/events",
    "captain.events.list",
    _("Events about an object"),
    permissions.CLUSTER_READ,
    query=Which,
    returns=list[live.Seen],
    errors=KUBE_ERRORS,
    resource=permissions.place,
)
def get_events(cluster_id: shapes.ClusterId, query: Which) -> Sequence[live.Seen]:
    _path(query)
    return live.events(get_cluster(cluster_id), query.kind, query.namespace, query.name)


def _path(query: Which) -> str:
    known = paths.KINDS.get(query.kind)
    if known is None or known[0] != query.api_version:
        kinds = ", ".join(f"{version} {kind}" for kind, (version, *_scope) in paths.KINDS.items())
        raise invalid({"kind": _("One of: {kinds}.").format(kinds=kinds)})
    if query.name and known[2] and not query.namespace:
        raise invalid({"namespace": _("This kind lives in namespaces: name one.")})
    return (
        paths.one(query.kind, query.namespace, query.name)
        if query.name
        else paths.collection(query.kind, query.namespace)
    )


def _page(found: Select[Any], query: ObjectQuery, shape: Any, search: Sequence[Any] = (KubeObject.name,)) -> Page[Any]:
    for column, value in (
        (KubeObject.namespace, query.namespace),
        (KubeObject.state, query.state),
        (KubeObject.node, query.node),
    ):
        if value:
            found = found.where(column == value)
    return page(found, query, shape, sorts=SORTS, search=search, key=KubeObject.uid, default="name")
