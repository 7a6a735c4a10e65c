"""Products and applications that run: state, containers, records, drift (Y-51, Y-52)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from app.db import db, rows, scoped
from app.errors import NOT_FOUND, ConsoleError
from app.kube.shapes import Pod
from app.kube.states import of_pod
from app.words import _
from plugins.yunyou.documents.changes import Change, public_change
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.manifests.objects import workload_of, workloads_of
from plugins.yunyou.manifests.pod_view import view
from plugins.yunyou.products import live_objects
from plugins.yunyou.products.models import BaselineApplication, BaselineProduct, ReleaseRecord
from plugins.yunyou.products.rules.drift import drift, missing
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
    row = db.session.scalar(query.order_by(BaselineProduct.id).limit(1))
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
    row = db.session.scalar(query.order_by(BaselineApplication.id).limit(1))
    if row is None:
        raise NOT_FOUND(what=APPLICATION)
    return row


def environment_of(row: BaselineProduct | BaselineApplication) -> Environment:
    """The environment that a row of the baseline is of."""
    environment = db.session.get(Environment, row.environment_id)
    assert environment is not None
    return environment


def applications_of(product: BaselineProduct) -> list[dict[str, Any]]:
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


def _summary(row: BaselineApplication, seen: live_objects.View | None) -> dict[str, Any]:
    pods = [view(pod) for pod in seen.pods_of(row.name)] if seen else []
    alive = [pod for pod in pods if not pod.deleting]
    return {
        "product": row.product,
        "name": row.name,
        "version": row.release,
        "role": row.role,
        "workload": row.workload,
        "image": row.image,
        "desired": row.replicas,
        "ready": sum(pod.ready for pod in alive) if seen else None,
        "pods": len(alive) if seen else None,
        "changedAt": row.changed_at.isoformat(),
    }


def application(row: BaselineApplication) -> dict[str, Any]:
    """An application in full: what runs, and whether it is as the baseline says (synced, or the fields that differ)."""
    environment = environment_of(row)
    seen = _view(environment)
    found = _summary(row, seen)
    changes = differences(row, seen)
    container = _container(row)
    return {
        **found,
        "environment": row.environment_id,
        "order": row.order_id,
        "specification": (container.get("resources") or {}).get("limits", {}),
        "synced": None if changes is None else not changes,
        "differences": [public_change(change) for change in changes or ()],
        "loadBalancers": [balancer(x) for x in balancers_of(row)],
    }


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


def _container(row: BaselineApplication) -> dict[str, Any]:
    objects = json.loads(row.objects)
    if not objects:
        return {}
    found: dict[str, Any] = workload_of(objects)["spec"]["template"]["spec"]["containers"][0]
    return found


def containers(row: BaselineApplication) -> list[dict[str, Any]]:
    """The pods of an application, asked of the mirror or the cluster.

    :raises ConsoleError: KUBE/… when neither answers
    """
    found = live_objects.look(environment_of(row)).pods_of(row.name)
    return [container(pod) for pod in sorted(found, key=lambda pod: pod["metadata"]["name"])]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    """One pod: name, addresses, state, conditions, and whether it serves."""
    shown = of_pod(msgspec.convert(pod, Pod, strict=False))
    status = pod.get("status", {})
    return {
        "name": pod["metadata"]["name"],
        "namespace": pod["metadata"]["namespace"],
        "ip": status.get("podIP", ""),
        "node": pod.get("spec", {}).get("nodeName", ""),
        "hostIp": status.get("hostIP", ""),
        "state": shown.state,
        "tone": shown.tone,
        "ready": shown.ready,
        "total": shown.total,
        "restarts": shown.restarts,
        "images": list(shown.images),
        "online": view(pod).online,
        "createdAt": pod["metadata"].get("creationTimestamp"),
        "conditions": [
            {
                "type": c.get("type"),
                "status": c.get("status"),
                "reason": c.get("reason", ""),
                "message": c.get("message", ""),
            }
            for c in status.get("conditions", ())
        ],
    }


def balancers_of(row: BaselineApplication) -> Sequence[LoadBalancer]:
    """Load balancers in front of an application."""
    return rows(
        scoped(LoadBalancer).where(
            LoadBalancer.environment_id == row.environment_id, LoadBalancer.application == row.name
        )
    )


def records_of(product: BaselineProduct) -> list[dict[str, Any]]:
    """Successful releases of a product, newest first."""
    query = scoped(ReleaseRecord).where(
        ReleaseRecord.environment_id == product.environment_id, ReleaseRecord.product == product.code
    )
    return [
        {"id": r.id, "version": r.release, "order": r.order_id, "at": r.created_at.isoformat(), "creator": r.creator}
        for r in rows(query.order_by(ReleaseRecord.id.desc()))
    ]
