"""What the API answers of objects of every kind, and the filters that their lists share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from app.contracts.shapes import Labels, doc
from app.kube.models import KubeObject
from app.web.api import In, ListQuery, Out

ClusterId = Annotated[str, doc("Identifier of the cluster.")]
Namespace = Annotated[str, doc("Name of the namespace.")]
ObjectName = Annotated[str, doc("Name of the object in the cluster.")]


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


class ObjectOut(Out):
    """What all objects of the mirror have."""

    name: Annotated[str, doc("Name of the object.")]
    namespace: Annotated[str, doc("Namespace that it is in; empty where it is in none.")]
    uid: Annotated[str, doc("UID that the cluster gave; another object of this name has another.")]
    state: Annotated[str, doc("State, as `kubectl get` would call it.")]
    created_at: Annotated[datetime | None, doc("When it was created in the cluster.")]
    labels: Labels


class KubernetesObject(Out):
    """An object, or a list of objects, of the Kubernetes API (https://kubernetes.io/docs/reference/kubernetes-api/),
    whole.
    """

    api_version: Annotated[str, doc("Version of the API that it is of.")]
    kind: Annotated[str, doc("Its kind; of a list the kind of its items with `List`.")]
    metadata: Annotated[dict[str, Any], doc("Name, namespace, labels, and what else Kubernetes keeps of every object.")]


def labels_of(row: KubeObject) -> dict[str, str]:
    """All labels of an object."""
    return (row.data.get("metadata") or {}).get("labels") or {}


def images_of(row: KubeObject) -> list[str]:
    """Images of an object's containers."""
    return [image for image in row.images.split("\n") if image]
