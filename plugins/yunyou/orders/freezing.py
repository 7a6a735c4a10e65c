"""Freezing what an order sends: objects of each application, what was sent before, and what the cluster looked like
(Y-21).
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import delete, select

from app import crypto
from app.contracts.json import Json
from app.db import db, rows
from app.kube.client import Kube
from plugins.yunyou.documents.application import Application
from plugins.yunyou.documents.rendering import Rendering
from plugins.yunyou.documents.solution import Cell, Product
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.manifests.labels import CELL, NAME, Place, made_labels
from plugins.yunyou.manifests.objects import render
from plugins.yunyou.manifests.pod_template import env_of
from plugins.yunyou.orders import object_ownership
from plugins.yunyou.orders.models import Frozen
from plugins.yunyou.orders.rules import rollout
from plugins.yunyou.products import live_objects

WHOLE = ""  # the key of what an order keeps of its target
REMOVED_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Service", "Secret")


@dataclass
class Plan:
    """What is frozen for one application, or for one cell of it; ``key`` is ``PRODUCT/workload``.

    ``open`` are references that only the execution knows; ``mode`` says how its pods come to be:
    ``create``, ``update`` or ``scale``; ``at_once`` that old and new ones cannot stay beside each other; ``leaving``
    are objects that were made for the application before and are no more part of it, as kind, name and UID.
    """

    key: str
    product: Json
    application: str
    workload: Json
    objects: list[Json]
    open: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    mode: str = "create"
    release: str = ""
    cell: str = ""
    leaving: list[list[str]] = field(default_factory=list)
    at_once: bool = False

    @property
    def owner(self) -> str:
        """The application as people and requests name it, ``PRODUCT/app``: the key but for cells."""
        return f"{self.product['code']}/{self.application}"

    @property
    def name(self) -> str:
        """The workload's name."""
        return str(self.workload["metadata"]["name"])

    @property
    def kind(self) -> str:
        """The workload's kind."""
        return str(self.workload["kind"])


def place_of(environment: Environment) -> Place:
    """The facts of an environment that manifests depend on."""
    key = crypto.ring().derive(f"parameters/{environment.id}")
    return Place(environment.namespace, environment.id, environment.registry_host, checksum_key=key)


def objects_of(
    product: Product,
    application: Application,
    environment: Environment,
    values: Mapping[str, Rendering],
    order: str = "",
    cell: Cell | None = None,
) -> tuple[list[Json], list[str]]:
    """The objects of an application, or of one cell of it, and the references in them that only the execution knows."""
    env = env_of(product.code, application, values)
    names = (f"{product.code}/{application.name}.{parameter.key}" for parameter in application.parameters)
    waiting = sorted({name for parameter in names for name in values[parameter].open})
    return render(product, application, place_of(environment), env, cell=cell, order=order), waiting


@dataclass
class Cluster:
    """Every object of the environment's namespace that an order could meet, read once when the order is made."""

    environment: Environment
    kube: Kube
    _kinds: dict[str, dict[str, Json]] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> Json | None:
        """The live object, whoever made it, or None."""
        return self.all(kind).get(name)

    def made_for(self, name: str, cell: str) -> list[Json]:
        """What this environment made for an application, or for one cell of it, and removes with it: no claims."""
        wanted = made_labels(self.environment.id, name, cell).items()
        return [item for item in self._by_name.get(name, ()) if wanted <= item["metadata"]["labels"].items()]

    @cached_property
    def _by_name(self) -> dict[str, list[Json]]:
        """What has the label of an application and is of a kind that is removed, by that label."""
        found = defaultdict(list)
        for item in (item for kind in REMOVED_KINDS for item in self.all(kind).values()):
            if name := (item["metadata"].get("labels") or {}).get(NAME):
                found[name].append(item)
        return found

    def all(self, kind: str) -> dict[str, Json]:
        """Every live object of a kind, by name."""
        if kind not in self._kinds:
            self._kinds[kind] = live_objects.full(self.environment, self.kube, kind)
        return self._kinds[kind]


def look_at(plan: Plan, cluster: Cluster) -> None:
    """Note what the cluster has of the plan's objects, and how its pods come to be."""
    plan.seen = {
        object_ownership.object_key(item): object_ownership.identity(
            cluster.find(item["kind"], item["metadata"]["name"])
        )
        for item in plan.objects
    }
    found = cluster.find(plan.kind, plan.name)
    plan.mode = "update" if found is not None else "create"
    plan.at_once = rollout.adds_claims(plan.workload, found)


def note_leaving(product: Product, plans: Sequence[Plan], cluster: Cluster) -> None:
    """Note what an application, whose *plans* these are, leaves behind: the last of its cells takes it away.

    Cells that are removed by steps of their own, claims, and Jobs that ran are none of it.
    """
    last = plans[-1]
    kept = {object_ownership.object_key(item) for plan in plans for item in plan.objects}
    kept |= {f"Service/{item.name}" for item in product.load_balancers if item.application == last.application}
    cells = {"", *(plan.cell for plan in plans)}
    last.leaving = [
        [item["kind"], item["metadata"]["name"], item["metadata"]["uid"]]
        for item in cluster.made_for(last.application, "")
        if item["kind"] != "Job"
        and object_ownership.object_key(item) not in kept
        and item["metadata"]["labels"].get(CELL, "") in cells
    ]


def keep(order_id: str, plan: Plan) -> None:
    """Write what is frozen for one application of an order."""
    _keep(order_id, plan.key, plan.__dict__)


def keep_target(order_id: str, kept: Json) -> None:
    """Write what the order keeps of its target, as ``Target.kept`` gives it."""
    _keep(order_id, WHOLE, kept)


def _keep(order_id: str, key: str, content: Json) -> None:
    row = db.session.get(Frozen, (order_id, key))
    if row is None:
        row = Frozen(order_id=order_id, application=key)
        db.session.add(row)
    row.content = json.dumps(content)


def load(order_id: str, key: str) -> Plan:
    """What is frozen for one application of an order."""
    row = db.session.get(Frozen, (order_id, key))
    assert row is not None, f"nothing is frozen for {key}"
    return Plan(**json.loads(row.content))


def load_all(order_id: str) -> list[Plan]:
    """Everything that is frozen for an order."""
    found = rows(select(Frozen).where(Frozen.order_id == order_id, Frozen.application != WHOLE))
    return [Plan(**json.loads(row.content)) for row in found]


def load_target(order_id: str) -> Json | None:
    """What the order keeps of its target; None for an order without one."""
    row = db.session.get(Frozen, (order_id, WHOLE))
    return json.loads(row.content) if row else None


def forget(order_id: str) -> None:
    """Throw away everything that is frozen for an order."""
    db.session.execute(delete(Frozen).where(Frozen.order_id == order_id))


def filled(objects: Sequence[Json], waiting: Sequence[str], values: Mapping[str, str]) -> list[Json]:
    """The objects with open references replaced by their values, in Secrets too."""
    if not waiting:
        return [dict(item) for item in objects]
    return [_filled(item, waiting, values) for item in objects]


def _filled(item: Json, waiting: Sequence[str], values: Mapping[str, str]) -> Json:
    if item["kind"] == "Secret":
        data = {
            key: base64.b64encode(_replaced(base64.b64decode(value).decode(), waiting, values).encode()).decode()
            for key, value in item["data"].items()
        }
        return {**item, "data": data}
    found: Json = _walk(item, waiting, values)
    return found


def _walk(value: Any, waiting: Sequence[str], values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _walk(item, waiting, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, waiting, values) for item in value]
    return _replaced(value, waiting, values) if isinstance(value, str) else value


def _replaced(text: str, waiting: Sequence[str], values: Mapping[str, str]) -> str:
    for name in waiting:
        if name in values:
            text = text.replace("${" + name + "}", values[name])
    return text
