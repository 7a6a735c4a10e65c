"""Where and under which names and labels an application stands in a cluster (contract: objects.md)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from plugins.yunyou.documents.application import Application
from plugins.yunyou.documents.solution import Cell, Product

NAME = "app.kubernetes.io/name"
PART_OF = "app.kubernetes.io/part-of"
VERSION = "app.kubernetes.io/version"
MANAGED_BY = "app.kubernetes.io/managed-by"
ENVIRONMENT = "antstack.io/environment"
CELL = "antstack.io/cell"
ONLINE = "antstack.io/online"
ORDER = "antstack.io/order"
PLAN = "antstack.io/plan"
PARAMETERS = "antstack.io/parameters"
NETWORK = "antstack.io/network"
MANAGER = "antstack"

_NOT_LABEL = re.compile(r"[^A-Za-z0-9_.-]")
_MOST_NAME = 63
_MORE_ATTEMPTS = 2  # characters that the number of an attempt may grow by


@dataclass(frozen=True, slots=True)
class Place:
    """The facts of an environment that manifests depend on.

    :param checksum_key: secret of the environment that keys the checksum of secret parameters, so that it tells
        nothing about them
    """

    namespace: str
    environment: str
    registry: str = ""
    pull_secrets: tuple[str, ...] = ()
    storage_class: str = ""
    storage_size: str = "10Gi"
    owner_image: str = "busybox:1.36"
    gpu_resource: str = "aliyun.com/gpu-mem"
    checksum_key: bytes = field(default=b"", repr=False)


def label_value(text: str) -> str:
    """*text* as a label value: 63 characters at most, other characters than letters, digits, ``-_.`` replaced."""
    return _NOT_LABEL.sub("_", text)[:_MOST_NAME].strip("-_.")


def workload_name(application: str, cell: Cell | None = None) -> str:
    """The name of an application's workload: ``NAME``, or ``NAME-CELL`` in a scaling group."""
    return f"{application}-{cell.name}" if cell else application


def job_name(workload: str, order: str, attempt: int = 1) -> str:
    """The name of one run of a task or test: the same for the same order and attempt, 63 characters at most.

    It always ends with order and attempt; of a workload with a long name the name is shortened.
    """
    tail = f"-{label_value(str(order)).lower().replace('_', '-').replace('.', '-')}-{attempt}"
    most = _MOST_NAME - _MORE_ATTEMPTS - len(tail)
    if len(workload) > most:
        digest = hashlib.sha256(workload.encode()).hexdigest()[:8]
        workload = f"{workload[: most - 9].rstrip('-')}-{digest}"
    return workload + tail


def labels(product: Product, application: str, place: Place, cell: Cell | None = None) -> dict[str, str]:
    """The labels of every object and pod of an application."""
    return {
        **selector(product.code, application, place, cell),
        VERSION: label_value(product.version),
        MANAGED_BY: MANAGER,
    }


def selector(code: str, application: str, place: Place, cell: Cell | None = None) -> dict[str, str]:
    """The labels that find the pods of an application, or of one cell of it; they never change."""
    return {**made_labels(place.environment, application, cell.name if cell else ""), PART_OF: label_value(code)}


def made_labels(environment: str, application: str, cell: str = "") -> dict[str, str]:
    """The labels of everything that an environment made for an application, or for one cell of it."""
    found = {NAME: application, ENVIRONMENT: label_value(environment)}
    return {**found, CELL: cell} if cell else found


def online_selector(code: str, application: str, place: Place, cell: Cell | None = None) -> dict[str, str]:
    """The labels that find the pods of an application that serve; what its Services select."""
    return {**selector(code, application, place, cell), ONLINE: "true"}


def in_cell(application: Application, cell: Cell | None) -> Application:
    """The application as its cell changes it: its own replicas and size."""
    if cell is None:
        return application
    changes: dict[str, object] = {}
    if application.name in cell.replicas:
        changes["replicas"] = cell.replicas[application.name]
    if application.name in cell.resources:
        changes["resources"] = cell.resources_of(application.name)
    return application.with_(**changes) if changes else application
