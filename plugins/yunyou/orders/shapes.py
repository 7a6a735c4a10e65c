"""What the API answers of the preview, the logs and the history of orders."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from app.contracts.shapes import KeptError, doc
from app.web.api import Out
from plugins.yunyou import fields

MOMENT = Meta(extra_json_schema={"format": "date-time"})


class GroupPreviewed(Out):
    """Pods that are replaced together."""

    group: Annotated[int, doc("Number of the group, from 1.")]
    size: Annotated[int, doc("How many pods are in it.")]
    pods: Annotated[list[str], doc("Their names, where they are known before; of a DaemonSet, nodes.")]
    beta: Annotated[bool, doc("Whether a person looks at it before the next one goes on.")]


class DiffLine(Out):
    """A line of a difference."""

    kind: Annotated[
        Literal["same", "add", "del", "skip"], doc("What became of the line; `skip` stands for lines left out.")
    ]
    left: Annotated[int | None, doc("Its number before; null where it was not there.")]
    right: Annotated[int | None, doc("Its number after; null where it is not there.")]
    text: Annotated[str, doc("The line.")]


class ObjectPreviewed(Out):
    """An object of the cluster, and what the order does to it."""

    kind: Annotated[str, doc("Kind of the object.")]
    name: Annotated[str, doc("Name of the object.")]
    action: Annotated[Literal["create", "change", "delete", "none"], doc("What is done to it.")]
    diff: Annotated[list[DiffLine], doc("The exact difference as YAML; what Secrets hold is masked.")]
    error: KeptError
    unchangeable: Annotated[
        list[str] | UnsetType,
        doc("Fields of a workload that stay as they are, since Kubernetes lets nobody change them."),
    ] = UNSET


class ApplicationPreviewed(Out):
    """An application of the order."""

    application: fields.ApplicationKey
    mode: Annotated[str, doc("How its pods come to be: `create`, `update`, `scale`, `remove` …")]
    kind: Annotated[str, doc("Kind of its workload.")]
    groups: Annotated[list[GroupPreviewed], doc("Its groups, in their order.")]
    objects: Annotated[list[ObjectPreviewed], doc("Its objects.")]


class ApplicationPlace(Out):
    """When an application's turn comes."""

    application: fields.ApplicationKey
    after: Annotated[list[str], doc("What must be done before.")]


class ProductPlace(Out):
    """When a product's turn comes."""

    product: fields.ProductCode
    after: Annotated[list[str], doc("Products that must be done before.")]
    applications: Annotated[list[ApplicationPlace], doc("Its applications.")]


class PreviewOut(Out):
    """What an order would send."""

    preview: Annotated[
        str, doc("Digest of the plan; sent with the order, it is refused where the plan has changed since.")
    ]
    title: Annotated[str, doc("What the order will be called.")]
    products: Annotated[list[ProductPlace], doc("In which order things are done.")]
    applications: Annotated[list[ApplicationPreviewed], doc("What is done to each application.")]
    warnings: Annotated[list[dict[str, str]], doc("What to mind, by language.")]
    changes: Annotated[int, doc("How many objects are created, changed or deleted.")]
    errors: Annotated[int, doc("How many objects the cluster refuses.")]
