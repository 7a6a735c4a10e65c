"""Products and applications that run: state, containers, records, drift (Y-51, Y-52)."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
from msgspec import structs

from app.contracts.json import Json
from app.db import db, rows, scoped
from app.errors import NOT_FOUND, ConsoleError
from app.kube.shapes import Pod
from app.kube.states import of_pod
from app.words import _
from plugins.yunyou.documents.changes import Change
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.manifests.objects import workload_of, workloads_of
from plugins.yunyou.manifests.pod_view import view
from plugins.yunyou.products import live_objects
from plugins.yunyou.products.models import BaselineApplication, BaselineProduct, ReleaseRecord
from plugins.yunyou.products.rules.drift import drift, missing
from plugins.yunyou.products.shapes import (
    ApplicationOut,
    ApplicationSummary,
    Condition,
    ContainerOut,
    ReleaseOut,
    changed_field,
)
from plugins.yunyou.resources.load_balancers import balancer
from plugins.yunyou.resources.models import LoadBalancer

PRODUCT, APPLICATION = _("product"), _("application")


def get_product(code: str, environment_id: str = "") -> BaselineProduct:
    """A product that runs; in one environment, or in the first that has it.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    query = scoped(BaselineProduct).where(BaselineProduct.code == code)
    if environment_id:
        query = query.where(BaselineProduct.environment_id == environment_id)
    row: BaselineProduct | None = db.session.scalar(query.order_by(BaselineProduct.id).limit(1))
    if row is None:
        raise NOT_FOUND(what=PRODUCT)
    return row


def get_application(product: str, name: str, environment_id: str = "") -> BaselineApplication:
    """An application that runs.

    :raises ConsoleError: CORE/NOT_FOUND
    """
    query = scoped(BaselineApplication).where(BaselineApplication.product == product, BaselineApplication.name == name)
    if environment_id:
        query = query.where(BaselineApplication.environment_id == environment_id)
    row: BaselineApplication | None = db.session.scalar(query.order_by(BaselineApplication.id).limit(1))
    if row is None:
        raise NOT_FOUND(what=APPLICATION)
    return row


def environment_of(row: BaselineProduct | BaselineApplication) -> Environment:
    """The environment that a row of the baseline is of."""
    environment = db.session.get(Environment, row.environment_id)
    assert environment is not None
    return environment


def applications_of(product: BaselineProduct) -> list[ApplicationSummary]:
    """Applications of a product with how many of their pods are ready."""
    query = scoped(BaselineApplication).where(
        BaselineApplication.environment_id == product.environment_id, BaselineApplication.product == product.code
    )
    seen = _view(environment_of(product))
    return [_summary(row, seen) for row in rows(query.order_by(BaselineApplication.name))]


def _view(environment: Environment) -> live_objects.View | None:
    try:
        found = live_objects.look(environment)
        found.objects("pods")
    except ConsoleError:
        return None
    return found


def _summary(row: BaselineApplication, seen: live_objects.View | None) -> ApplicationSummary:
    pods = [view(pod) for pod in seen.pods_of(row.name)] if seen else []
    alive = [pod for pod in pods if not pod.deleting]
    return ApplicationSummary(
        row.product,
        row.name,
        row.release,
        row.role,
        row.workload,
        row.image,
        row.replicas,
        sum(pod.ready for pod in alive) if seen else None,
        len(alive) if seen else None,
        row.changed_at.isoformat(),
    )


def application(row: BaselineApplication) -> ApplicationOut:
    """An application in full: what runs, and whether it is as the baseline says (synced, or the fields that differ)."""
    seen = _view(environment_of(row))
    changes = differences(row, seen)
    return ApplicationOut(
        **structs.asdict(_summary(row, seen)),
        environment=row.environment_id,
        order=row.order_id,
        specification=(_container(row).get("resources") or {}).get("limits", {}),
        synced=None if changes is None else not changes,
        differences=[changed_field(change) for change in changes or ()],
        load_balancers=[balancer(x) for x in balancers_of(row)],
    )


def differences(row: BaselineApplication, seen: live_objects.View | None) -> Sequence[Change] | None:
    """How the cluster differs from what was sent last; None where it cannot be told."""
    objects = json.loads(row.objects)
    if seen is None or not objects or row.role != "standard":
        return None if row.role == "standard" else ()
    running, image = seen.workloads(), environment_of(row).no_service_image
    found: list[Change] = []
    for workload in workloads_of(objects):
        name = workload["metadata"]["name"]
        found += drift(workload, running[name], offline_image=image) if name in running else missing(name)
    return found


def _container(row: BaselineApplication) -> Json:
    objects = json.loads(row.objects)
    if not objects:
        return {}
    found: Json = workload_of(objects)["spec"]["template"]["spec"]["containers"][0]
    return found


def containers(row: BaselineApplication) -> list[ContainerOut]:
    """The pods of an application, asked of the mirror or the cluster.

    :raises ConsoleError: KUBE/… when neither answers
    """
    found = live_objects.look(environment_of(row)).pods_of(row.name)
    return [container(pod) for pod in sorted(found, key=lambda pod: pod["metadata"]["name"])]


def container(pod: Json) -> ContainerOut:
    """One pod: name, addresses, state, conditions, and whether it serves."""
    shown = of_pod(msgspec.convert(pod, Pod, strict=False))
    status = pod.get("status", {})
    return ContainerOut(
        pod["metadata"]["name"],
        pod["metadata"]["namespace"],
        status.get("podIP", ""),
        pod.get("spec", {}).get("nodeName", ""),
        status.get("hostIP", ""),
        shown.state,
        shown.tone,
        shown.ready,
        shown.total,
        shown.restarts,
        list(shown.images),
        view(pod).online,
        pod["metadata"].get("creationTimestamp"),
        [
            Condition(c.get("type"), c.get("status"), c.get("reason", ""), c.get("message", ""))
            for c in status.get("conditions", ())
        ],
    )


def balancers_of(row: BaselineApplication) -> Sequence[LoadBalancer]:
    """Load balancers in front of an application."""
    return rows(
        scoped(LoadBalancer).where(
            LoadBalancer.environment_id == row.environment_id, LoadBalancer.application == row.name
        )
    )


def records_of(product: BaselineProduct) -> list[ReleaseOut]:
    """Successful releases of a product, newest first."""
    query = scoped(ReleaseRecord).where(
        ReleaseRecord.environment_id == product.environment_id, ReleaseRecord.product == product.code
    )
    return [
        ReleaseOut(r.id, r.release, r.order_id, r.created_at.isoformat(), r.creator)
        for r in rows(query.order_by(ReleaseRecord.id.desc()))
    ]
