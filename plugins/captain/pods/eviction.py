"""Deleting and evicting pods: only that very pod, by its UID (K-34)."""

from __future__ import annotations

from typing import Annotated

from flask import Response, request

from app import audit
from app.contracts.shapes import doc
from app.errors import ConsoleError, ErrorCode, invalid
from app.guard import guard
from app.kube import paths
from app.kube.client import Kube, kube
from app.kube.clusters import get_cluster
from app.kube.errors import BUSY, NO_OBJECT, OBJECT_MOVED
from app.kube.errors import ERRORS as KUBE_ERRORS
from app.kube.models import Cluster
from app.web.api import In
from app.web.render import dialog_done, render
from app.words import _
from plugins.captain import permissions
from plugins.captain.blueprint import api, bp
from plugins.captain.objects import mirror
from plugins.captain.objects.kinds import KINDS
from plugins.captain.objects.object_page import owner_link
from plugins.captain.objects.shapes import ClusterId, Namespace, ObjectName
from plugins.captain.pods.shapes import IN_API, PAGE

DELETED = _("The pod is being deleted.")
EVICTED = _("The pod is being evicted.")
NO_UID = _("Say which pod: its UID is missing.")

GONE = ErrorCode(
    "CAPTAIN/POD_GONE",
    409,
    _("The pod {name} is gone, or another one has taken its name."),
    _("Reload the list and choose again."),
)
BLOCKED = ErrorCode(
    "CAPTAIN/EVICTION_BLOCKED",
    409,
    _("The pod {name} may not be evicted now: {detail}"),
    _("Its disruption budget allows no further pod to go; wait until the others are ready, or delete the pod."),
)
ERRORS = (GONE, BLOCKED)


def delete_pod(cluster: Cluster, namespace: str, name: str, uid: str) -> None:
    """Delete one pod.

    :raises ConsoleError: CAPTAIN/POD_GONE, KUBE/…
    """
    audit.note("pod", uid, f"{namespace}/{name}", cluster=cluster.name)
    if not kube(cluster).delete(paths.one("Pod", namespace, name), uid=uid):
        raise GONE(name=name)


def evict_pod(cluster: Cluster, namespace: str, name: str, uid: str) -> None:
    """Evict one pod: like deleting it, but its disruption budget is respected (policy/v1 Eviction).

    :raises ConsoleError: CAPTAIN/EVICTION_BLOCKED, CAPTAIN/POD_GONE, KUBE/…
    """
    audit.note("pod", uid, f"{namespace}/{name}", cluster=cluster.name)
    try:
        evict(kube(cluster), namespace, name, uid)
    except ConsoleError as error:
        if error.kind is BUSY and error.values.get("detail"):
            raise BLOCKED(name=name, detail=error.values["detail"]) from error
        if error.kind in (NO_OBJECT, OBJECT_MOVED):
            raise GONE(name=name) from error
        raise


def evict(client: Kube, namespace: str, name: str, uid: str) -> None:
    """Ask for the eviction of that very pod; KUBE/CLUSTER_BUSY is raised where its budget lets none go now."""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": uid}},
    }
    client.request("POST", paths.one("Pod", namespace, name, "eviction"), body=body)


class Uid(In):
    """The pod that is meant: a new one of the same name has another UID."""

    uid: Annotated[str, doc("UID of the pod that is meant; another one of its name is left alone.")]


@api.operation(
    "DELETE",
    IN_API,
    "captain.pods.delete",
    _("Delete a pod"),
    permissions.POD_DELETE,
    audit=permissions.POD_DELETED,
    query=Uid,
    status=204,
    errors=(*ERRORS, *KUBE_ERRORS),
    resource=permissions.place,
    external=True,
)
def delete_by_uid(cluster_id: ClusterId, namespace: Namespace, name: ObjectName, query: Uid) -> None:
    delete_pod(get_cluster(cluster_id), namespace, name, query.uid)


@api.operation(
    "POST",
    f"{IN_API}/evict",
    "captain.pods.evict",
    _("Evict a pod"),
    permissions.POD_DELETE,
    audit=permissions.POD_EVICTED,
    body=Uid,
    status=204,
    errors=(*ERRORS, *KUBE_ERRORS),
    resource=permissions.place,
    external=True,
)
def evict_by_uid(cluster_id: ClusterId, namespace: Namespace, name: ObjectName, body: Uid) -> None:
    evict_pod(get_cluster(cluster_id), namespace, name, body.uid)


@bp.get(f"{PAGE}/delete")
@guard(permissions.POD_DELETE, resource=permissions.place)
def pod_delete(cluster_id: str, namespace: str, name: str) -> Response:
    return _ask("delete", cluster_id, namespace, name)


@bp.get(f"{PAGE}/evict")
@guard(permissions.POD_DELETE, resource=permissions.place)
def pod_evict(cluster_id: str, namespace: str, name: str) -> Response:
    return _ask("evict", cluster_id, namespace, name)


@bp.post(f"{PAGE}/delete")
@api.guard("captain.pods.delete")
def pod_deleted(cluster_id: str, namespace: str, name: str) -> Response:
    delete_pod(get_cluster(cluster_id), namespace, name, _uid())
    return dialog_done(DELETED)


@bp.post(f"{PAGE}/evict")
@api.guard("captain.pods.evict")
def pod_evicted(cluster_id: str, namespace: str, name: str) -> Response:
    evict_pod(get_cluster(cluster_id), namespace, name, _uid())
    return dialog_done(EVICTED)


def _ask(what: str, cluster_id: str, namespace: str, name: str) -> Response:
    cluster = get_cluster(cluster_id)
    row = mirror.get_object(cluster.id, KINDS["pods"], namespace, name)
    owner = owner_link(cluster, row)
    return render("captain/_pod_end.html", what=what, cluster=cluster, row=row, owner=owner)


def _uid() -> str:
    uid = request.form.get("uid", "")
    if not uid:
        raise invalid({"uid": NO_UID})
    return uid
