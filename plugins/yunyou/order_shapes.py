"""What the API answers of the preview, the logs and the history of orders."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from app.contracts.shapes import After, KeptError, Next, doc
from app.web.api import OpenQuery, Out
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


class LogAfter(OpenQuery):
    """Where to go on in a log."""

    after: After = 0


class LogLine(Out):
    """A line of a node's log."""

    id: Annotated[int, doc("Number of the line; it grows.")]
    at: Annotated[str, MOMENT, doc("When it was written.")]
    level: Annotated[str, doc("`info`, `warning` or `error`.")]
    text: Annotated[str, doc("The line.")]


class LogOut(Out):
    """Lines of a node's log, to 2,000 of them."""

    lines: Annotated[list[LogLine], doc("The lines, oldest first.")]
    next: Next


class EventOut(Out):
    """Something that happened to an order or a node."""

    id: Annotated[int, doc("Number of the event; it grows.")]
    node: Annotated[str | None, doc("Identifier of the node; null for the order itself.")]
    at: Annotated[str, MOMENT, doc("When it happened.")]
    what: Annotated[str, doc("What happened, in one word.")]
    before: Annotated[str, doc("State before; empty where it had none.")]
    after: Annotated[str, doc("State after; empty where it has none.")]
    actor: Annotated[str, doc("Name of whoever did it; empty for the console itself.")]
    detail: Annotated[dict[str, Any] | None, doc("More of it; the fields are of what happened.")]


class EventsOut(Out):
    """The history of an order, to 5,000 events."""

    items: Annotated[list[EventOut], doc("The events, oldest first.")]
