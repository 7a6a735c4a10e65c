"""What the API answers of products, applications, their pods and the baseline."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from app.contracts.json import Json
from app.contracts.shapes import Id, Name, doc
from app.web.api import Out
from plugins.yunyou import fields
from plugins.yunyou.documents.application import MASK
from plugins.yunyou.documents.changes import Change
from plugins.yunyou.products.models import BaselineProduct
from plugins.yunyou.resources.load_balancers import BalancerOut
from plugins.yunyou.solutions.shapes import SolutionDocument

MOMENT = Meta(extra_json_schema={"format": "date-time"})


class ApplicationSummary(Out):
    """An application that runs."""

    product: fields.ProductCode
    name: fields.ApplicationName
    version: Annotated[str, doc("Version of the product that it was released with.")]
    role: Annotated[str, doc("`standard`, `task` or `test`.")]
    workload: Annotated[str, doc("Kind of its workload, such as `StatefulSet`.")]
    image: Annotated[str, doc("Image of its container.")]
    desired: Annotated[int, doc("Replicas that are wanted, in all its cells.")]
    ready: Annotated[int | None, doc("Pods that are ready; null while the cluster is out of reach.")]
    pods: Annotated[int | None, doc("Pods that are there; null while the cluster is out of reach.")]
    changed_at: Annotated[str, MOMENT, doc("When it was last released or operated.")]


class ChangedField(Out):
    """A field that differs. Secrets are masked."""

    field: Annotated[str, doc("The field.")]
    before: Annotated[str | None, doc("What it was; null where it was not there.")]
    after: Annotated[str | None, doc("What it becomes; null where it goes.")]
    secret: Annotated[bool, doc("Whether its values are never shown.")]


def changed_field(change: Change) -> ChangedField:
    """A field that differs, as everybody may see it."""
    before, after = change.before, change.after
    if change.secret:
        before, after = before and MASK, after and MASK
    return ChangedField(change.field, before, after, change.secret)


class ApplicationOut(ApplicationSummary):
    """An application that runs, and whether it is as the baseline says."""

    environment: fields.EnvironmentId
    order: Annotated[str | None, doc("Identifier of the order that released it last; null where another site did.")]
    specification: Annotated[Json, doc("CPU and memory that its container may use, as Kubernetes quantities.")]
    synced: Annotated[bool | None, doc("Whether the cluster has what was sent last; null where that cannot be told.")]
    differences: Annotated[list[ChangedField], doc("Fields in which the cluster differs from what was sent last.")]
    load_balancers: Annotated[list[BalancerOut], doc("Load balancers in front of it.")]


class Condition(Out):
    """A condition of a pod."""

    type: Annotated[str | None, doc("Which condition, such as `Ready`.")]
    status: Annotated[str | None, doc("`True`, `False` or `Unknown`.")]
    reason: Annotated[str | None, doc("Why, in one word of Kubernetes.")]
    message: Annotated[str | None, doc("Why, as Kubernetes says it.")]


class ContainerOut(Out):
    """A pod of an application."""

    name: Annotated[str, doc("Name of the pod.")]
    namespace: Annotated[str, doc("Namespace of the pod.")]
    ip: Annotated[str, doc("Address within the cluster; empty before it has one.")]
    node: Annotated[str, doc("Node that it runs on; empty before it is placed.")]
    host_ip: Annotated[str, doc("Address of the node.")]
    state: Annotated[str, doc("State, as `kubectl get` would call it.")]
    tone: Annotated[str, doc("What to think of the state: `ok`, `info`, `warn`, `bad` or `neutral`.")]
    ready: Annotated[int, doc("Containers that are ready.")]
    total: Annotated[int, doc("Containers in all.")]
    restarts: Annotated[int, doc("Restarts of its containers in all.")]
    images: Annotated[list[str], doc("Images of its containers.")]
    online: Annotated[bool, doc("Whether it serves.")]
    created_at: Annotated[str | None, MOMENT, doc("When it was created.")]
    conditions: Annotated[list[Condition], doc("Its conditions.")]


class ContainersOut(Out):
    """The pods of an application."""

    items: Annotated[list[ContainerOut], doc("The pods, by name.")]


class ReleaseOut(Out):
    """A successful release of a product."""

    id: Id
    version: Annotated[str, doc("Version that was released.")]
    order: fields.OrderId
    at: Annotated[str, MOMENT, doc("When it was released.")]
    creator: Annotated[str, doc("Name of whoever released it.")]


class ProductOut(Out):
    """A product of a baseline."""

    code: fields.ProductCode
    name: Name
    version: Annotated[str, doc("Version that runs.")]
    environment: fields.EnvironmentId
    topology: Annotated[str, doc("Topology, as the solution names it.")]
    specification: Annotated[str, doc("Size, as the solution names it.")]
    changed_at: Annotated[datetime, doc("When it was last released or operated.")]
    applications: Annotated[list[ApplicationSummary], doc("Its applications; none in lists.")]
    records: Annotated[list[ReleaseOut], doc("Its successful releases, newest first; none in lists.")]


def product(row: BaselineProduct, applications: list[ApplicationSummary], records: list[ReleaseOut]) -> ProductOut:
    """A product as the API shows it."""
    return ProductOut(
        row.code,
        row.name,
        row.release,
        row.environment_id,
        row.topology,
        row.specification,
        row.changed_at,
        applications,
        records,
    )


class BaselineDocument(SolutionDocument):
    """What runs in an environment, ``antstack.baseline/v1``, with all that it says besides these. Values of secrets
    are left out."""

    environment: Annotated[Json, doc("Identifier, name and namespace of the environment.")]
    exported_at: Annotated[str, doc("When it was exported.")]
