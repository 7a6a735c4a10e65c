"""``/api/v1/captain``: objects of any kind as the cluster has them, and their events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.auth import decisions
from app.errors import invalid
from app.kube import paths
from app.kube.clusters import get_cluster
from app.kube.errors import ERRORS as KUBE_ERRORS
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import ONE, api
from plugins.captain.objects import live
from plugins.captain.objects.events import Seen, events_of
from plugins.captain.objects.kinds import BY_NAME
from plugins.captain.objects.shapes import ClusterId, KubernetesObject, Which


@api.operation(
    "GET",
    f"{ONE}/objects",
    "captain.objects.get",
    _("Objects as the cluster has them"),
    permissions.CLUSTER_READ,
    query=Which,
    returns=KubernetesObject,
    errors=KUBE_ERRORS,
    resource=permissions.place,
)
def get_objects(cluster_id: ClusterId, query: Which) -> dict[str, Any]:
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
    returns=list[Seen],
    errors=KUBE_ERRORS,
    resource=permissions.place,
)
def get_events(cluster_id: ClusterId, query: Which) -> Sequence[Seen]:
    _path(query)
    return events_of(get_cluster(cluster_id), query.kind, query.namespace, query.name)


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
