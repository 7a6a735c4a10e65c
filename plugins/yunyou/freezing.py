"""Freezing what an order sends: objects of each application, what was sent before, and what the cluster looked like (Y-21)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import select

from app import crypto
from app.contracts.text import Text
from app.db import db, rows
from app.errors import ErrorCode
from app.kube.client import Kube
from plugins.yunyou import live
from plugins.yunyou.domain import rollout
from plugins.yunyou.domain.application import Application
from plugins.yunyou.domain.manifests import render
from plugins.yunyou.domain.model import Cell, Product
from plugins.yunyou.domain.place import CELL, ENVIRONMENT, MANAGED_BY, MANAGER, NAME, PART_OF, Place, label_value
from plugins.yunyou.domain.pods import env_of
from plugins.yunyou.domain.rendering import Rendering
from plugins.yunyou.models import Environment, Frozen

Json = dict[str, Any]
FOREIGN = ErrorCode(
    "YUNYOU/FOREIGN_OBJECT",
    409,
    Text(
        "{kind} {name} is in the cluster already and belongs to {owner}.",
        "集群中已存在 {kind} {name}，归属于 {owner}。",
    ),
    Text(
        "Rename the application, remove that object, or adopt it explicitly.",
        "请重命名应用、移除该对象，或明确选择接管。",
    ),
)
CLUSTER_MOVED = ErrorCode(
    "YUNYOU/CLUSTER_MOVED",
    409,
    Text("The cluster changed after the plan was made: {objects}", "制定计划后集群发生了变化：{objects}"),
    Text(
        "Preview again to see the new difference; retrying the step goes on from what is there now.",
        "请重新预览查看新的差异；重试该步骤将基于当前状态继续。",
    ),
)
ERRORS = (FOREIGN, CLUSTER_MOVED)
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
        found = self._made.get(name, ())
        return [item for item in found if not cell or item["metadata"]["labels"].get(CELL) == cell]

    @cached_property
    def _made(self) -> dict[str, list[Json]]:
        """What this environment made and removes, by application."""
        ours, found = label_value(self.environment.id), defaultdict(list)
        for item in (item for kind in REMOVED_KINDS for item in self.all(kind).values()):
            labels = item["metadata"].get("labels") or {}
            if labels.get(ENVIRONMENT) == ours and NAME in labels:
                found[labels[NAME]].append(item)
        return found

    def all(self, kind: str) -> dict[str, Json]:
        """Every live object of a kind, by name."""
        if kind not in self._kinds:
            self._kinds[kind] = live.full(self.environment, self.kube, kind)
        return self._kinds[kind]


def owner_of(found: Json, environment: Environment, product: str) -> str | None:
    """Who owns a live object: None when this environment and product made it."""
    labels = found["metadata"].get("labels") or {}
    ours = labels.get(MANAGED_BY) == MANAGER and labels.get(ENVIRONMENT) == label_value(environment.id)
    if ours and labels.get(PART_OF) == label_value(product):
        return None
    if ours:
        return f"product {labels.get(PART_OF)}"
    managers = [str(entry.get("manager")) for entry in found["metadata"].get("managedFields") or ()]
    name = labels.get(MANAGED_BY) or ", ".join(dict.fromkeys(managers)) or "somebody else"
    return f"{name} (environment {labels[ENVIRONMENT]})" if ENVIRONMENT in labels else name


def identity(found: Json | None) -> str:
    """What an object looked like: its UID and generation, or a digest of its content where it has no generation."""
    if found is None:
        return ""
    meta = found["metadata"]
    if meta.get("generation"):
        return f"{meta['uid']}@{meta['generation']}"
    content = {k: v for k, v in found.items() if k in ("spec", "data", "type")}
    return f"{meta['uid']}#{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]}"


def object_key(item: Json) -> str:
    """``Kind/name``."""
    return f"{item['kind']}/{item['metadata']['name']}"


def look_at(plan: Plan, cluster: Cluster) -> None:
    """Note what the cluster has of the plan's objects, and how its pods come to be."""
    plan.seen = {
        object_key(item): identity(cluster.find(item["kind"], item["metadata"]["name"])) for item in plan.objects
    }
    found = cluster.find(plan.kind, plan.name)
    plan.mode = "update" if found is not None else "create"
    plan.at_once = rollout.adds_claims(plan.workload, found)


def note_leaving(product: Product, plans: Sequence[Plan], cluster: Cluster) -> None:
    """Note what an application, whose *plans* these are, leaves behind: the last of its cells takes it away.

    Cells that are removed by steps of their own, claims, and Jobs that ran are none of it.
    """
    last = plans[-1]
    kept = {object_key(item) for plan in plans for item in plan.objects}
    kept |= {f"Service/{item.name}" for item in product.load_balancers if item.application == last.application}
    cells = {"", *(plan.cell for plan in plans)}
    last.leaving = [
        [item["kind"], item["metadata"]["name"], item["metadata"]["uid"]]
        for item in cluster.made_for(last.application, "")
        if item["kind"] != "Job" and object_key(item) not in kept and item["metadata"]["labels"].get(CELL, "") in cells
    ]


def keep(order_id: str, plan: Plan) -> None:
    """Write what is frozen for one application of an order."""
    content = json.dumps(plan.__dict__)
    row = db.session.get(Frozen, (order_id, plan.key))
    if row is None:
        db.session.add(Frozen(order_id=order_id, application=plan.key, content=content))
    else:
        row.content = content


def load(order_id: str, key: str) -> Plan:
    """What is frozen for one application of an order."""
    row = db.session.get(Frozen, (order_id, key))
    assert row is not None, f"nothing is frozen for {key}"
    return Plan(**json.loads(row.content))


def load_all(order_id: str) -> list[Plan]:
    """Everything that is frozen for an order."""
    found = rows(select(Frozen).where(Frozen.order_id == order_id, Frozen.application != ""))
    return [Plan(**json.loads(row.content)) for row in found]


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
