"""Keeping the baseline of an environment: read, changed by orders, exported, imported (Y-50)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, select, update

from app import audit
from app.contracts.json import Json
from app.db import affected, db, new_id, now, rows
from app.errors import ErrorCode
from app.words import _
from plugins.yunyou.documents import parsing
from plugins.yunyou.documents.solution import Solution as Document
from plugins.yunyou.environments.models import Environment
from plugins.yunyou.manifests.objects import workloads_of
from plugins.yunyou.products.models import Baseline, BaselineApplication, BaselineProduct, GlobalParameter
from plugins.yunyou.products.rules import baseline as baseline_rules

NOTHING_RUNS = ErrorCode(
    "YUNYOU/BASELINE_EMPTY",
    404,
    _("Nothing was released in the environment {name} yet."),
    _("Release a product, or import a baseline."),
)
MOVED = ErrorCode(
    "YUNYOU/BASELINE_MOVED",
    503,
    _("Another order changed the baseline at the same moment."),
    _("It is tried again by itself."),
)
NOT_A_BASELINE = ErrorCode(
    "YUNYOU/NOT_A_BASELINE",
    422,
    _("This file is a solution, not a baseline."),
    _("Import it under solutions, or choose a file exported as a baseline."),
)
NOT_EMPTY = ErrorCode(
    "YUNYOU/BASELINE_NOT_EMPTY",
    409,
    _("The environment {name} has a baseline already."),
    _("A baseline is imported only where nothing was released yet."),
)
ERRORS = (NOTHING_RUNS, MOVED, NOT_A_BASELINE, NOT_EMPTY)
M = TypeVar("M", BaselineProduct, BaselineApplication)
ATTEMPTS = 5
AT_ONCE = 500  # names in one statement


def document_of(environment: Environment) -> Json:
    """The baseline document; without products where nothing runs."""
    row = db.session.get(Baseline, environment.id, populate_existing=True)
    return json.loads(row.document) if row else baseline_rules.empty(environment.name)


def solution_of(environment: Environment) -> Document | None:
    """The baseline as a checked document, or None where nothing runs."""
    document = document_of(environment)
    return parsing.kept(document) if document["products"] else None


def export(environment: Environment) -> Json:
    """The baseline as a file, without the values of secrets.

    :raises ConsoleError: YUNYOU/BASELINE_EMPTY
    """
    document = document_of(environment)
    if not document["products"]:
        raise NOTHING_RUNS(name=environment.name)
    about = {"id": environment.id, "name": environment.name, "namespace": environment.namespace}
    return baseline_rules.exported(document, about, now().isoformat(timespec="seconds"))


def import_baseline(environment: Environment, raw: bytes) -> None:
    """Take over a baseline where nothing was released yet: what runs there was delivered by another site.

    :raises ConsoleError: YUNYOU/NOT_A_BASELINE, YUNYOU/BASELINE_NOT_EMPTY, and what reading a file raises
    """
    found = parsing.parse(raw)
    if not found.is_baseline:
        raise NOT_A_BASELINE()
    if document_of(environment)["products"]:
        raise NOT_EMPTY(name=environment.name)
    change(
        environment, lambda _before: {k: v for k, v in found.document.items() if k not in ("environment", "exportedAt")}
    )
    audit.note("environment", environment.id, environment.name, products=[p.code for p in found.products])


def change(environment: Environment, make: Callable[[Json], Json]) -> Json:
    """Replace the baseline by what *make* makes of it, safely beside other writers; its index follows.

    :raises ConsoleError: YUNYOU/BASELINE_MOVED when others were faster several times
    """
    for __ in range(ATTEMPTS):
        row = db.session.get(Baseline, environment.id, populate_existing=True)
        before = json.loads(row.document) if row else baseline_rules.empty(environment.name)
        after: Json = make(before)
        text = json.dumps(after, ensure_ascii=False)
        if row is None:
            db.session.add(Baseline(environment_id=environment.id, document=text, version=1, changed_at=now()))
            db.session.flush()
        else:
            version = row.version
            db.session.expunge(row)
            same = update(Baseline).where(Baseline.environment_id == environment.id, Baseline.version == version)
            if not affected(same.values(document=text, version=version + 1, changed_at=now())):
                continue
        _index(environment, before, after)
        return after
    raise MOVED()


def _index(environment: Environment, before: Json, document: Json) -> None:
    """Bring the index of the products that changed up to date: it costs what an order touched."""
    was = {product["code"]: product for product in before["products"]}
    differ = {product["code"]: product for product in document["products"] if was.get(product["code"]) != product}
    codes = [*differ, *(was.keys() - {product["code"] for product in document["products"]})]
    products = {row.code: row for row in _rows(BaselineProduct, environment, BaselineProduct.code.in_(codes))}
    applications = {
        row.name: row for row in _rows(BaselineApplication, environment, BaselineApplication.product.in_(codes))
    }
    for product in differ.values():
        row = products.pop(product["code"], None)
        if row is None:
            row = BaselineProduct(
                id=new_id(), tenant_id=environment.tenant_id, environment_id=environment.id, code=product["code"]
            )
            db.session.add(row)
        row.name, row.release = product["name"], product["version"]
        row.topology, row.specification = product.get("topology", ""), product.get("specification", "")
        row.changed_at = row.changed_at or now()
        for application in product["applications"]:
            _index_application(environment, product, application, applications.pop(application["name"], None))
    for left in (*products.values(), *applications.values()):
        db.session.delete(left)
    _keep_values(environment, _values_of(before), _values_of(document))
    db.session.flush()


def _index_application(
    environment: Environment,
    product: Json,
    application: Json,
    row: BaselineApplication | None,
) -> None:
    if row is None:
        row = BaselineApplication(
            id=new_id(),
            tenant_id=environment.tenant_id,
            environment_id=environment.id,
            name=application["name"],
            objects="[]",
            changed_at=now(),
        )
        db.session.add(row)
    role = application.get("role", "standard")
    row.product, row.release, row.image, row.role = product["code"], product["version"], application["image"], role
    row.workload = application.get("workload") or ("StatefulSet" if role == "standard" else "Job")
    row.replicas = sum(_replicas(product, application))


def _replicas(product: Json, application: Json) -> list[int]:
    """How many instances there are to be, in each cell where there are cells."""
    name, own = application["name"], application.get("replicas", 1)
    groups = (group for group in product.get("scalingGroups", ()) if name in group["applications"])
    return [cell.get("replicas", {}).get(name, own) for group in groups for cell in group.get("cells", ())] or [own]


def _values_of(document: Json) -> dict[str, tuple[str, str]]:
    """Type and value, as JSON, of every parameter that has one, by name."""
    found = baseline_rules.named_parameters(dict(document))
    return {name: (p.get("type", "string"), json.dumps(p["value"])) for name, p in found if "value" in p}


def _keep_values(
    environment: Environment, before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]
) -> None:
    differ = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    for start in range(0, len(differ), AT_ONCE):
        some = GlobalParameter.name.in_(differ[start : start + AT_ONCE])
        db.session.execute(delete(GlobalParameter).where(GlobalParameter.environment_id == environment.id, some))
    at = {"tenant_id": environment.tenant_id, "environment_id": environment.id, "changed_at": now()}
    for name in differ:
        if name in after:
            kind, value = after[name]
            db.session.add(GlobalParameter(name=name, kind=kind, value=value, **at))


def _rows(model: type[M], environment: Environment, which: ColumnElement[bool]) -> Sequence[M]:
    return rows(select(model).where(model.environment_id == environment.id, which))


def sent(environment: Environment, name: str, objects: Sequence[Json], order_id: str, image: str = "") -> None:
    """Keep what was sent last for an application."""
    values: Json = {"objects": json.dumps(list(objects)), "order_id": order_id, "changed_at": now()}
    if image:
        values["image"] = image
    where = (BaselineApplication.environment_id == environment.id, BaselineApplication.name == name)
    db.session.execute(update(BaselineApplication).where(*where).values(**values))


def recorded(environment: Environment) -> dict[str, Json]:
    """Every workload manifest as it was sent last, by workload name."""
    query = select(BaselineApplication.objects).where(BaselineApplication.environment_id == environment.id)
    found = (item for text in db.session.scalars(query) for item in workloads_of(json.loads(text)))
    return {item["metadata"]["name"]: item for item in found}
